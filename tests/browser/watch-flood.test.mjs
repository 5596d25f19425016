// Long: 40.
// A hundred comments a second: the page shows as many as can be read, and neither it nor its memory grows. How smoothly it
// does so depends on the machine, so frames are reported and not judged; CHORUS_FLOOD_S=60 for figures (docs/benchmarks.md).
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { pause } from '../integration/lib/time.mjs';
import { openWatch } from './watch.mjs';

const SECONDS = Number(process.env.CHORUS_FLOOD_S) || 12;
const PER_SECOND = 100;
const TICK_MS = 100;

// Posts evenly until stopped; a slow server does not reduce the rate.
function flood(system) {
  const started = Date.now(), pending = new Set();
  let sent = 0, stopped = false;
  const run = (async () => {
    for (; !stopped; await pause(TICK_MS)) {
      const due = ((Date.now() - started) * PER_SECOND) / 1000;
      for (; sent < due; sent++) {
        const one = post(system, 'v', `comment ${sent}, of a length that people write`, { user: `u${sent % 60}`, name: `Name ${sent % 60}` });
        pending.add(one.finally(() => pending.delete(one)));
      }
    }
    await Promise.all(pending);
  })();
  return {
    stop: () => {
      stopped = true;
      return run.then(() => sent);
    },
  };
}

async function memoryOf(session) {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

scenario('a hundred comments a second', { ms: (SECONDS + 60) * 1_000 }, async (t) => {
  const system = await t.system();
  const watch = await openWatch(t, system, { reducedMotion: 'no-preference' });
  const session = await watch.page.context().newCDPSession(watch.page);
  await session.send('Performance.enable');
  await session.send('HeapProfiler.enable');
  const flooding = flood(system);
  t.after(() => flooding.stop());
  await watch.column.wait((rows) => rows.length === 200, 'as many rows as there may be', 60_000);
  const before = await memoryOf(session);
  const { frames, longest } = await watch.page.evaluate(async (ms) => {
    const started = performance.now();
    let last = started, most = 0, count = 0;
    while (performance.now() - started < ms) {
      const now = await new Promise(requestAnimationFrame);
      most = Math.max(most, now - last);
      last = now;
      count++;
    }
    return { frames: count / ((performance.now() - started) / 1000), longest: most };
  }, SECONDS * 1_000);
  const after = await memoryOf(session);
  assert.match(await watch.column.find('.sample').textContent(), /Showing \d+ of \d+ a second/);
  const rows = await watch.column.rows();
  assert.equal(rows.length, 200);
  const sent = await flooding.stop();
  await watch.column.say('and then it is quiet');
  await watch.sees('and then it is quiet');
  const busy = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].reduce((sum, name) => sum + after[name] - before[name], 0) / SECONDS;
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  console.log(`# ${sent} comments, ${frames.toFixed(1)} frames a second, the longest ${longest.toFixed(0)} ms; script, style and layout ${(100 * busy).toFixed(1)} % of the time; memory ${mb(before.JSHeapUsedSize)} MB, then ${mb(after.JSHeapUsedSize)} MB; nodes ${before.Nodes}, then ${after.Nodes}`);
  assert.ok(after.JSHeapUsedSize < before.JSHeapUsedSize + 3e6, `memory: ${before.JSHeapUsedSize}, then ${after.JSHeapUsedSize}`);
  assert.ok(after.Nodes < before.Nodes * 1.2 + 500, `nodes: ${before.Nodes}, then ${after.Nodes}`);
});
