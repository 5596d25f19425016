// The table of bench/attacks: attacks.mjs SECONDS [ATTACK...]
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { health } from '../tests/integration/lib/api.mjs';
import { attacked, attacks, fill, startAttack, startHonest } from '../tests/integration/lib/attacks.mjs';
import { startSystem } from '../tests/integration/lib/system.mjs';
import { pause, until } from '../tests/integration/lib/time.mjs';

const [seconds, ...only] = process.argv.slice(2);
const ms = Number(seconds) * 1_000;
const WARM_MS = 700; // until the attack's connections are there
const loads = [{ addresses: 'one', slots: 1_500 }, { addresses: 'many', slots: 3_000 }];

const realTime = (pid, priority) => execFileSync('chrt', ['--all-tasks', '--reset-on-fork', '--fifo', '--pid', String(priority), String(pid)]);

// CPU of the server so far, in us, and what it was for: connections accepted and requests handled.
async function spent(system) {
  const [, ticks] = readFileSync(`/proc/${system.pid}/stat`, 'utf8').match(/\) (.*)/);
  const [user, kernel] = ticks.split(' ').slice(11, 13).map(Number);
  const all = await Promise.all([system.comment, system.manager, system.statistics, ...system.readers].map((url) => until(() => health(url), `/health of ${url}`)));
  const count = (name) => all.reduce((sum, { metrics }) => sum + (metrics[`chorus_http_${name}_total`] ?? 0), 0);
  return { us: (user + kernel) * 10_000, calls: count('accepted_connections') + count('requests') };
}

async function measure(attack, load) {
  const undo = [];
  const system = await startSystem(attacked);
  try {
    const resume = await fill(system);
    realTime(system.pid, 2);
    realTime(process.pid, 3);
    const honest = await startHonest({ after: (action) => undo.push(action) }, system);
    await pause(ms);
    const quiet = honest.figures();
    const running = startAttack(system, attack, { ...load, resume });
    realTime(running.pid, 1); // one of ordinary priority would be given 50 ms of each second (since Linux 6.8)
    await pause(WARM_MS);
    honest.figures();
    const before = await spent(system);
    const began = performance.now();
    await pause(ms);
    const beside = honest.figures();
    const after = await spent(system);
    const took = performance.now() - began;
    await running.end();
    await honest.stop();
    return { quiet, beside, share: (after.us - before.us) / 10 / took, each: (after.us - before.us) / (after.calls - before.calls) };
  } finally {
    for (const action of undo.reverse()) await action();
    await system.release();
  }
}

const cells = (quiet, beside) => `${quiet.p99.toFixed(1)} | ${beside.p99.toFixed(1)} | ${(beside.p99 / quiet.p99).toFixed(1)}`;
console.log('| attack | addresses | post, quiet | beside it | ratio | stream, quiet | beside it | ratio | new client, slowest | server, % of a core | us each |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
for (const attack of only.length ? only : attacks) {
  for (const load of loads) {
    const { quiet, beside, share, each } = await measure(attack, load);
    console.log(`| ${attack} | ${load.addresses} | ${cells(quiet.post, beside.post)} | ${cells(quiet.stream, beside.stream)} | ${beside.look.max.toFixed(0)} | ${share.toFixed(0)} | ${each.toFixed(0)} |`);
  }
}
