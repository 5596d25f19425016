// CI also: processes. Events come from other processes.
import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { watchDashboard } from '../lib/dashboard.mjs';
import { killReader } from '../lib/demo.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { until } from '../lib/time.mjs';

scenario('the dashboard tells which reader a video was assigned to, and where it moved', { ms: 60_000 }, async (t) => {
  const processes = setup === 'processes';
  const system = await t.system({ stable: true, ...(!processes && { args: ['--demo', '--demo-restart-ms', '20000'] }) });
  const dashboard = await watchDashboard(t, system);
  await dashboard.until('sample', (s) => s.readersLive === 3, 'three readers', 20_000);
  const first = await owner(system, 'mine');
  const assigned = await dashboard.until('notice', (n) => n.kind === 'assigned' && n.video === 'mine', 'the assignment');
  assert.equal(assigned.readerUrl, first);
  const name = `reader-${system.readers.indexOf(first) + 1}`;
  assert.equal(assigned.reader, name);

  await t.watch(first, { video: 'mine' });
  await post(system, 'mine', 'hello');
  if (processes) await system.program.end1(name, 'SIGKILL');
  else await killReader(system, first);
  const moved = await until(async () => {
    await owner(system, 'mine').catch(() => {});
    return dashboard.of('notice').find((n) => n.kind === 'reassigned' && n.video === 'mine');
  }, 'the move', 20_000);
  assert.deepEqual([moved.from, moved.fromReader], [first, name]);
  assert.notEqual(moved.readerUrl, first);
  assert.match(moved.reader, /^reader-\d$/);
});
