// Set-ups: embedded, up-redis.
import assert from 'node:assert/strict';
import { call, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('our own parts may report even if --internal-from excludes them, others may not', { setups: ['embedded', 'up-redis'] }, async (t) => {
  const system = await t.system({ flags: { 'internal-from': '192.0.2.1', 'statistics-interval-ms': 100 } });
  await until(async () => (await statistics(system)).readerApis.totalReaders === 3, 'the reports of three readers');
  const json = { instanceId: 'other', activeConnections: 1 };
  const { status } = await call('POST', `${system.statistics}/reader-api-statistics`, { json });
  assert.equal(status, 403);
});
