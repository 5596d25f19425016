// Long: 16.
import assert from 'node:assert/strict';
import { call, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('an instance silent for 15 s is dropped, our own parts are not', { ms: 40_000 }, async (t) => {
  const system = await t.system();
  const report = (kind, json) => call('POST', `${system.statistics}/${kind}-statistics`, { json });
  await report('client', { clientId: 'gone', commentsConsumed: 5 });
  await report('reader-api', { instanceId: 'gone', activeConnections: 5 });
  const started = performance.now();
  const listed = async () => {
    const { clients, readerApis } = await statistics(system);
    return clients.totalClients + readerApis.readers.filter(({ instanceId }) => instanceId === 'gone').length;
  };
  assert.equal(await listed(), 2);
  await until(async () => (await listed()) === 0, 'both to be dropped', 20_000);
  const took = performance.now() - started;
  assert.ok(took > 14_000, `dropped already after ${took} ms`);
  assert.equal((await statistics(system)).readerApis.totalReaders, 3);
});
