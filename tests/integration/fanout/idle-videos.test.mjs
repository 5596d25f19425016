// Videos without comments are kept for a while after the last viewer has left, but make room for new ones.
// Set-ups: embedded, up-redis.
// CI also: up-redis. Each engine has its own way to make room.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const VISITS = 4_000, AT_ONCE = 50;

scenario('videos without viewers make room for new ones immediately', { ms: 60_000, setups: ['embedded', 'up-redis'] }, async (t) => {
  const system = await t.system({ readers: 1, flags: { memory: '1m' } });
  const [reader] = system.readers;
  const health = async () => (await call('GET', `${reader}/health`)).json;
  let next = 0;
  const visit = async () => {
    while (next < VISITS) {
      const client = await RawClient.connect(reader);
      await client.send(requestBytes('GET', `/connect?userid=u&videoid=looked-at-${next++}`));
      await until(() => client.received.length || client.closed || client.finished, () => 'an answer');
      client.destroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visit));
  await until(async () => (await health()).activeConnections === 0, () => 'all to have left');
  for (let i = 0; i < 20; i++) await t.watch(reader, { video: `new-${i}` });
  const { activeConnections, metrics } = await health();
  assert.equal(activeConnections, 20);
  assert.equal(metrics.chorus_reader_shed_viewers_total, 0);
});
