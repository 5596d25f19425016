// Set-ups: embedded, up-redis. Those that are one process.
// CI also: asan. A reader that ends under the connections of a port that stays.
import assert from 'node:assert/strict';
import { call, owner, post, postMany } from '../lib/api.mjs';
import { demoToken, killReader, nameOf, tryToKill } from '../lib/demo.mjs';
import { RawClient } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis'];

for (const flags of [{}, { 'single-port': true }]) {
  const where = flags['single-port'] ? 'the single port' : 'the comment port';

  scenario(`a killed reader's viewers at ${where} are reset, and go on at another reader at once`, { setups }, async (t) => {
    const system = await t.system({ flags: { ...flags, demo: true, 'demo-restart-ms': 600_000, 'log-level': 'warn' } });
    const reader = await owner(system, 'v');
    const viewers = [];
    for (let i = 0; i < 2; i++) viewers.push(await t.watch(system.comment, { video: 'v', transport: 'http' }));
    const seen = await postMany(system, 'v', 3);
    for (const viewer of viewers) await viewer.reaches(seen.at(-1).id);
    const ends = viewers.map(({ body }) => new Promise((resolve) => body.socket.once('error', ({ code }) => resolve(code)).once('close', () => resolve('in order'))));
    await killReader(system, reader);
    assert.deepEqual(await Promise.all(ends), ['ECONNRESET', 'ECONNRESET']);
    const missed = await postMany(system, 'v', 3);
    for (const viewer of viewers) {
      viewer.fault = undefined; // a reset is no end in order
      const again = viewer.again();
      t.after(() => again.close());
      await again.connect(system.comment);
      await again.wait(() => again.connected, 'a stream, before the lease of the dead reader has lapsed', 2_000);
      assert.notEqual(again.connected.json.instance, nameOf(system, reader));
      await again.reaches(missed.at(-1).id);
      assert.deepEqual(again.comments.map(({ id }) => id), [...seen, ...missed].map(({ id }) => id));
      assert.equal(again.gaps.length, 0);
    }
  });
}

scenario('the path of a killed reader streams on at another one, and has no figures until it is back', { setups }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true, demo: true, 'demo-restart-ms': 1_000, 'log-level': 'warn' } });
  const reader = await owner(system, 'v');
  const token = await demoToken(system);
  await killReader(system, reader, token);
  await until(async () => (await call('GET', `${reader}/health`)).status === 404, 'its figures to go');
  const viewer = await t.watch(reader, { video: 'v' });
  assert.equal(viewer.redirects.length, 0);
  await viewer.reaches((await post(system, 'v', 'hello')).id);
  await until(async () => (await call('GET', `${reader}/ready`)).status === 200, 'it to be back', 10_000);
  const health = await call('GET', `${system.comment}/health`);
  assert.equal(health.json.parts.filter(({ role }) => role === 'reader').length, 3);
});

scenario('readers are killed one after the other and all at once, with joins on their way', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true, demo: true, 'demo-restart-ms': 0, 'log-level': 'debug' } });
  const token = await demoToken(system);
  let kills = 0;
  for (let round = 0; kills < 12; round++) {
    const joins = await Promise.all(Array.from({ length: 6 }, async (_, i) => {
      const client = await RawClient.connect(system.comment);
      await client.send(`GET /connect?userid=u&videoid=v-${round}-${i} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return client;
    }));
    for (const reader of system.readers) kills += (await tryToKill(system, nameOf(system, reader), { token })).status === 202;
    for (const client of joins) client.socket.destroy();
  }
  await until(async () => {
    const viewer = await t.watch(system.comment, { video: 'v' });
    await viewer.reaches((await post(system, 'v', 'still here')).id);
    return true;
  }, 'a stream');
  assert.ok((system.stderr.match(/dead_reader_freed/g)?.length ?? 0) > 0, 'dead readers are freed while it runs');
});
