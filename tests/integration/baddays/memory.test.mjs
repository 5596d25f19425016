// CI also: up-redis. Each engine has buffers of its own.
// Long: 9.
import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { checkHealthy, everyPort } from '../lib/checks.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow } from '../lib/time.mjs';

const rounds = async (count, job) => {
  for (let i = 0; i < count; i++) await Promise.all(Array.from({ length: 50 }, (_, k) => job(i * 50 + k)));
};

scenario('connections, requests and viewers that come and go leave nothing behind', async (t) => {
  const system = await t.system({ flags: { 'unsubscribe-ms': 200 } });
  const visit = async (i) => {
    const [, url] = everyPort(system)[i % 6];
    const client = await RawClient.connect(url);
    await client.send([
      requestBytes('GET', '/health'), requestBytes('GET', '/none', { headers: { X: 'x'.repeat(3_000) } }), jsonBytes('POST', '/comment', { x: 'y'.repeat(30_000) }),
      requestBytes('GET', '/connect?userid=u&videoid=v&redirect=never'), Buffer.from('GET / HT'), Buffer.from('\0'),
    ][i % 5]);
    if (i % 5 < 4) await client.answer({ ms: 5_000 }).catch(() => {}); // a stream never completes: it is cut
    client.destroy();
  };
  const quick = async (i) => (i % 5 === 3 ? undefined : visit(i));
  await rounds(10, quick);
  const before = system.program.memory();
  const descriptors = system.program.descriptors();
  await rounds(30, quick);
  for (let i = 0; i < 300; i++) (await t.watch(system.readers[i % 3], { video: `v${i % 50}`, query: { redirect: 'never' } })).close();
  const grown = (system.program.memory() - before) / 2 ** 20;
  if (!slow) assert.ok(grown < 15, `grown by ${grown} MB`);
  assert.ok(system.program.descriptors() < descriptors + 60, 'descriptors are given back');
  await checkHealthy(system);
});

scenario('any number of comments takes bounded memory', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 100, 'log-min-age-ms': 0 } });
  await rounds(20, (i) => post(system, `v${i % 20}`, 'x'.repeat(1_900)));
  const before = system.program.memory();
  await rounds(80, (i) => post(system, `v${i % 20}`, 'x'.repeat(1_900)));
  const grown = (system.program.memory() - before) / 2 ** 20;
  if (!slow) assert.ok(grown < 30, `grown by ${grown} MB after 8 MB of comments`);
  assert.equal((await call('GET', `${system.comment}/ready`)).status, 200);
});
