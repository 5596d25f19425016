// --admin-bind: /health, /ready and /metrics answer while strangers crowd at the other ports and there is no descriptor left.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { freePorts } from '../lib/ports.mjs';
import { RawClient, exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

async function start(t, options = {}) {
  const [port] = await freePorts(1);
  const system = await t.system({ ...options, flags: { 'admin-bind': `127.0.0.1:${port}`, ...options.flags } });
  return { system, admin: `http://127.0.0.1:${port}` };
}
const get = (url, path) => exchange(url, requestBytes('GET', path, { host: '127.0.0.1', headers: { Connection: 'close' } }));

scenario('it has what operators ask every part for, and nothing else', async (t) => {
  const { system, admin } = await start(t);
  for (const path of ['/health', '/ready', '/metrics', '/']) assert.equal((await get(admin, path)).status, 200, path);
  assert.deepEqual((await get(admin, '/health')).json.parts.map(({ role }) => role).sort(), ['comment', 'manager', 'reader', 'reader', 'reader', 'statistics']);
  for (const path of ['/connect?userid=u&videoid=v', '/statistics', '/videos', '/dashboard', '/events', '/watch/v']) assert.equal((await get(admin, path)).status, 404, path);
  for (const url of [system.comment, system.manager, system.statistics, ...system.readers]) assert.equal((await get(url, '/health')).status, 200, 'and every port still has /health');
});

const answers = async (admin) => {
  for (let round = 0; round < 10; round++) {
    for (const path of ['/health', '/ready', '/metrics']) assert.equal((await get(admin, path))?.status, 200, `${path}, round ${round}`);
  }
  const several = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(admin)));
  for (const client of several) client.send(requestBytes('GET', '/health', { host: '127.0.0.1' }));
  for (const client of several) assert.equal((await client.answer())?.status, 200, 'eight at once');
  for (const client of several) client.destroy();
  await until(async () => (await get(admin, '/ready'))?.status === 200, 'and again once those have left');
};

scenario('it answers at once while a crowd asks for more streams than there are descriptors', { ms: 60_000 }, async (t) => {
  const { system, admin } = await start(t, { limits: { nofile: 120 } });
  const crowd = await Promise.all(Array.from({ length: 200 }, async () => {
    const client = await RawClient.connect(system.comment);
    client.send(requestBytes('GET', '/connect?userid=u&videoid=v'));
    return client;
  }));
  t.after(() => crowd.forEach((client) => client.destroy()));
  await until(() => /event=out_of_descriptors/.test(system.stderr), 'a line about descriptors');
  await answers(admin);
  assert.ok(crowd.some((client) => !client.received.length), 'not all of the crowd fits');
});

scenario('it answers at once when not a single descriptor is left', async (t) => {
  const { system, admin } = await start(t);
  const viewers = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(system.comment)));
  t.after(() => viewers.forEach((viewer) => viewer.destroy()));
  for (const viewer of viewers) viewer.send(requestBytes('GET', '/connect?userid=u&videoid=v'));
  await until(() => viewers.every((viewer) => viewer.received.includes('data: ')), 'their streams');
  system.program.limit({ nofile: system.program.descriptors() });
  await answers(admin);
  assert.doesNotMatch(system.stderr, /role=admin event=out_of_descriptors/);
  assert.ok(viewers.every((viewer) => !viewer.closed && !viewer.finished), 'no viewer is cut for it');
  system.program.limit({ nofile: 1_024 });
});

scenario('it answers while connections that send nothing fill a port, and is exempt from limits', async (t) => {
  const { system, admin } = await start(t, { flags: { 'max-connections': 20, 'limit-local': true, 'limit-connects': 20 } });
  const crowd = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(system.comment).catch(() => null)));
  t.after(() => crowd.forEach((client) => client?.destroy()));
  for (let i = 0; i < 40; i++) assert.equal((await get(admin, '/health'))?.status, 200, `${i}`);
});

scenario('an address that is in use, or none, is refused with a sentence', async (t) => {
  const { admin } = await start(t);
  const flags = { 'admin-bind': new URL(admin).host };
  await assert.rejects(t.system({ flags }), /127\.0\.0\.1:\d+ cannot be opened: Address already in use; choose another address with --admin-bind/);
  await assert.rejects(t.system({ flags: { 'admin-bind': '9000' } }), /--admin-bind is .*, but must be ADDRESS:PORT/);
  assert.equal((await call('GET', `${admin}/health`)).status, 200);
});
