// CI also: processes. A reader that is gone is a process that is gone, or one killed from the dashboard.
// Long: 14.
import assert from 'node:assert/strict';
import { watchDashboard } from '../lib/dashboard.mjs';
import { killReader } from '../lib/demo.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { scaled } from '../lib/time.mjs';

const LEASE_MS = 3_000;

scenario('a reader that dies is shown as lost within the time of its lease and 2 s, and its return as well', { ms: 60_000 }, async (t) => {
  const processes = setup === 'processes';
  const system = await t.system({ stable: true, ...(!processes && { args: ['--demo', '--demo-restart-ms', '6000'] }) });
  const dashboard = await watchDashboard(t, system);
  await dashboard.until('sample', (s) => s.readersLive === 3, 'three readers', 20_000);
  const [, gone] = system.readers;

  if (processes) await system.program.end1('reader-2', 'SIGKILL');
  else await killReader(system, gone);
  const killed = Date.now();
  const lost = await dashboard.until('notice', (n) => n.kind === 'reader_lost', 'the notice that it is lost', 20_000);
  assert.ok(Date.now() - killed < scaled(LEASE_MS + 2_000), `after ${Date.now() - killed} ms`);
  assert.equal(lost.reader, 'reader-2');
  assert.equal(lost.readerUrl, gone);
  assert.ok(Math.abs(lost.at - Date.now()) < 60_000);
  const sample = await dashboard.until('sample', (s) => s.readersLost === 1, 'a sample without it', 20_000);
  const row = sample.readers.find(({ instanceId }) => instanceId === 'reader-2');
  assert.deepEqual([row.state, row.viewers, row.share], ['lost', null, null]);
  assert.equal(sample.readersLive, 2);

  if (processes) await system.program.again('reader-2');
  const back = await dashboard.until('notice', (n) => n.kind === 'reader_back', 'its return', 20_000);
  assert.equal(back.reader, 'reader-2');
  const after = await dashboard.until('sample', (s) => s.at >= back.at && s.readersLive === 3 && s.readersLost === 0, 'three readers again', 20_000);
  const again = after.readers.find(({ instanceId }) => instanceId === 'reader-2');
  assert.ok(again.generation > row.generation, 'a new generation');

  // Who comes later sees what has happened.
  const late = await watchDashboard(t, system);
  const { notices } = await late.until('history', () => true, 'the history');
  const kinds = notices.map(({ kind }) => kind);
  assert.ok(kinds.indexOf('reader_lost') >= 0 && kinds.indexOf('reader_lost') < kinds.indexOf('reader_back'), kinds.join());
});

scenario('a reader that stops in order is not lost', { setups: ['processes'] }, async (t) => {
  const system = await t.system({ stable: true });
  const dashboard = await watchDashboard(t, system);
  await dashboard.until('sample', (s) => s.readersLive === 3, 'three readers', 20_000);
  await system.program.end1('reader-2');
  await dashboard.until('notice', (n) => n.kind === 'reader_stopped' && n.reader === 'reader-2', 'the notice', 10_000);
  const sample = await dashboard.until('sample', (s) => s.readersLive === 2, 'a sample without it');
  assert.equal(sample.readersLost, 0);
  assert.ok(dashboard.of('notice').every(({ kind }) => kind !== 'reader_lost'));
});
