// Sentinels say where the primary is, and each connection asks again.
// Set-ups: sentinel.
// Long: 25.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { call, post } from '../lib/api.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { WatchedRedis } from '../lib/sentinel.mjs';
import { until } from '../lib/time.mjs';

const setups = ['sentinel'];
const flags = { 'log-entries': 100_000 };
const AFTER_SWITCH_MS = 1_000;

// A Sentinel that is cut off from the others: it goes on naming a primary of long ago.
async function staleSentinel(t, port) {
  const bulk = (...words) => `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  const info = 'redis_version:7.0.15\r\nrun_id:0123\r\n';
  const answers = { client: '+OK\r\n', info: `$${info.length}\r\n${info}\r\n`, sentinel: bulk('ip', '127.0.0.1', 'port', String(port), 'config-epoch', '0') };
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text) => {
      for (const [, word] of text.matchAll(/^(CLIENT|INFO|SENTINEL)\r$/gm)) socket.write(answers[word.toLowerCase()]);
    });
    t.after(() => socket.destroy());
  });
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: server.address().port };
}

scenario('kill -9 of the primary under load, with a Sentinel in front that has not heard of it', { setups, ms: 90_000 }, async (t) => {
  const redis = new WatchedRedis({ sentinels: 3 });
  t.after(() => redis.release());
  await redis.start();
  const stale = await staleSentinel(t, redis.primary.port), { url } = redis;
  Object.defineProperty(redis, 'url', { value: url.replace('://', `://127.0.0.1:${stale.port},`) });
  const system = await t.system({ flags, redis });
  const load = await startLoad(t, system, { everyMs: 10 });
  await redis.primary.kill9();
  const switchedAt = await redis.switched();
  const before = load.total;
  await load.until(() => load.total > before, 'a comment', 15_000);
  const after = load.lastAt - switchedAt;
  await load.more(20);
  assert.ok(after < AFTER_SWITCH_MS, `the first comment was acknowledged ${after} ms after the switch`);
  await load.prove({ gaps: ['epoch'], lossy: true });
  // The old one comes back as a replica, and nothing goes there.
  await redis.replica.start();
  await until(async () => /role:slave/.test(await redis.replica.command('INFO', 'replication')), 'a replica', 20_000);
  assert.ok((await post(system, 'one', 'and on')).id);
});

scenario('passwords: Redis has one, and the Sentinels ask for the same', { setups }, async (t) => {
  const system = await t.system({ redis: { password: 'rosebud-7', sentinelPassword: 'rosebud-7' } });
  assert.ok((await post(system, 'v', 'hello')).id);
});

scenario('a name that they do not know is said', { setups }, async (t) => {
  const redis = new WatchedRedis();
  await redis.start();
  t.after(() => redis.release());
  const { url } = redis;
  Object.defineProperty(redis, 'url', { value: url.replace('/main', '/mian') });
  const system = await t.system({ redis, wait: false });
  await until(async () => {
    const { status, text } = await call('GET', `${system.comment}/ready`);
    return status === 503 && text.includes('The Sentinels know no primary by the name mian.');
  }, 'the reason');
});
