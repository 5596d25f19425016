// The table of bench/attacks: attacks.mjs SECONDS
import { attacked, attacks, fill, startAttack, startHonest } from '../tests/integration/lib/attacks.mjs';
import { startSystem } from '../tests/integration/lib/system.mjs';
import { pause } from '../tests/integration/lib/time.mjs';

const ms = Number(process.argv[2]) * 1_000;
const loads = [{ addresses: 'one', slots: 1_500 }, { addresses: 'many', slots: 3_000 }];

async function measure(attack, load) {
  const undo = [];
  const system = await startSystem(attacked);
  try {
    const resume = await fill(system);
    const honest = await startHonest({ after: (action) => undo.push(action) }, system);
    await pause(ms);
    const quiet = honest.figures();
    const running = startAttack(system, attack, { ...load, resume, nice: 5 });
    await pause(ms);
    const beside = honest.figures();
    await running.end();
    await honest.stop();
    return { quiet, beside };
  } finally {
    for (const action of undo.reverse()) await action();
    await system.release();
  }
}

const cells = (quiet, beside) => `${quiet.p99.toFixed(1)} | ${beside.p99.toFixed(1)} | ${(beside.p99 / quiet.p99).toFixed(1)}`;
console.log('| attack | addresses | post, quiet | beside it | ratio | stream, quiet | beside it | ratio |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const attack of attacks) {
  for (const load of loads) {
    const { quiet, beside } = await measure(attack, load);
    console.log(`| ${attack} | ${load.addresses} | ${cells(quiet.post, beside.post)} | ${cells(quiet.stream, beside.stream)} |`);
  }
}
