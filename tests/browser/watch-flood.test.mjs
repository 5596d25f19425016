// Long: 40.
// A hundred comments a second: the page shows as many as can be read, and neither it nor its memory grows. How smoothly it
// does so depends on the machine, so frames are reported and not judged; CHORUS_FLOOD_S=60 for figures (docs/benchmarks.md).
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { scenario } from '../integration/lib/scenario.mjs';
import { flood, measure } from './flood.mjs';
import { openWatch } from './watch.mjs';

const SECONDS = Number(process.env.CHORUS_FLOOD_S) || 12;
const PER_SECOND = 100;

scenario('a hundred comments a second', { ms: (SECONDS + 60) * 1_000 }, async (t) => {
  const system = await t.system();
  const watch = await openWatch(t, system, { reducedMotion: 'no-preference' });
  const flooding = flood(system, PER_SECOND);
  t.after(() => flooding.stop());
  await watch.column.wait((rows) => rows.length === 200, 'as many rows as there may be', 60_000);
  const { frames, longest, busy, before, after } = await measure(watch.page, SECONDS);
  assert.match(await watch.column.find('.sample').textContent(), /Showing \d+ of \d+ a second/);
  const rows = await watch.column.rows();
  assert.equal(rows.length, 200);
  const sent = await flooding.stop();
  await watch.column.say('and then it is quiet');
  await watch.sees('and then it is quiet');
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  console.log(`# ${sent} comments, ${frames.toFixed(1)} frames a second, the longest ${longest.toFixed(0)} ms; script, style and layout ${(100 * busy).toFixed(1)} % of the time; memory ${mb(before.JSHeapUsedSize)} MB, then ${mb(after.JSHeapUsedSize)} MB; nodes ${before.Nodes}, then ${after.Nodes}`);
  assert.ok(after.JSHeapUsedSize < before.JSHeapUsedSize + 3e6, `memory: ${before.JSHeapUsedSize}, then ${after.JSHeapUsedSize}`);
  assert.ok(after.Nodes < before.Nodes * 1.2 + 500, `nodes: ${before.Nodes}, then ${after.Nodes}`);
});
