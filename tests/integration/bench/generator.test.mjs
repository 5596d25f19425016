// Set-ups: embedded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { bench } from '../lib/bench.mjs';
import { serveStreams, toAll } from '../lib/fake-streams.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause } from '../lib/time.mjs';

const setups = ['embedded']; // the bench is the same for every set-up

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

// Its loops are blocked after each comment, for longer than they may be late. What is tested is lateness, so time itself must pass:
// there is no event to wait for.
async function freeze({ pid }) {
  const loads = childrenOf(pid);
  loads.forEach((load) => process.kill(load, 'SIGSTOP'));
  await pause(250);
  loads.forEach((load) => process.kill(load, 'SIGCONT'));
}

// The sentence, the figure and the documented limits agree.
function isBottleneck({ stdout, figures: { generator: g } }) {
  const beyond = g.busiest_percent > 90 || g.cores > 0.9 * cpus().length || g.lag_p99_ms > 100;
  assert.equal(g.bottleneck, beyond, JSON.stringify(g));
  assert.equal(stdout.includes('THE GENERATOR WAS THE BOTTLENECK'), beyond, stdout);
  return beyond;
}

scenario('a generator that could not keep up reports it', { ms: 60_000, setups }, async (t) => {
  let program;
  const afterwards = (frozen) => async (streams, event) => {
    toAll(streams, event);
    if (frozen) await freeze(program);
  };
  const run = async (frozen) => {
    const urls = await serveStreams(t, afterwards(frozen));
    return bench(t, { ...urls, viewers: 5, rate: 20, duration: 1, publishers: 1 }, { during: (started) => (program = started) });
  };
  isBottleneck(await run(false)); // usually not, but the machine may be busy
  assert.ok(isBottleneck(await run(true)));
});
