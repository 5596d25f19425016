// Location comes from the table of readers, whatever the request's Host.
// CI also: processes. A reader that is another process has an address of its own.
import assert from 'node:assert/strict';
import { call, owner, post, resolve } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const target = '/connect?userid=u&videoid=v';
const foreign = ['evil.example', 'evil.example:4001', '192.0.2.1:4001', '127.0.0.1.evil.example', 'localhost.evil.example:80', '[2001:db8::1]:4001'];

scenario('a foreign Host is never sent back: the viewer is served where it is', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const [other] = system.others(reader);
  for (const host of foreign) {
    const answer = await call('HEAD', other + target, { headers: { host } });
    assert.equal(answer.headers.location, undefined, host);
    assert.equal(answer.status, 200, host);
  }
  const viewer = await t.watch(other, { video: 'v', headers: { host: foreign[0] } });
  assert.equal(viewer.redirects.length, 0);
  await viewer.reaches((await post(system, 'v', 'hello')).id);
  assert.equal((await resolve(system, 'v')).readerUrl, reader, 'the owner stays the owner');
});

scenario('a request by a name of this machine is redirected to the address in the table', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const [other] = system.others(reader);
  const { port } = new URL(other);
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, 'localhost']) {
    const answer = await call('HEAD', other + target, { headers: { host } });
    assert.equal(answer.status, 307, host);
    assert.equal(new URL(answer.headers.location).origin, reader, host);
  }
});

scenario('readers with a public address: browsers are redirected to it whatever name they used, services to --url', { setups: ['embedded', 'up-redis'] }, async (t) => {
  const system = await t.system({ flags: { 'public-host': 'chorus.example' } });
  const reader = await owner(system, 'v');
  const { port } = new URL(reader);
  const [other] = system.others(reader);
  for (const host of [...foreign, `localhost:${port}`]) {
    const answer = await call('HEAD', other + target, { headers: { host } });
    assert.equal(answer.status, 307, host);
    assert.equal(new URL(answer.headers.location).origin, `http://chorus.example:${port}`, host);
  }
  const inside = await call('HEAD', other + target);
  assert.equal(new URL(inside.headers.location).origin, reader);
});

// Forged by one client, it must not make the reader believe that a name of another reader is its own. (In its first
// half second a reader may not know of the other one.)
scenario("a Host of another reader does not keep later viewers from that reader", async (t) => {
  const system = await t.system();
  let round = 0;
  await until(async () => {
    const video = `v${round++}`;
    const reader = await owner(system, video);
    const [other] = system.others(reader);
    await t.watch(other, { video, headers: { host: new URL(reader).host } });
    return (await t.watch(other, { video })).url.origin === reader;
  }, 'a viewer to be redirected', 5_000);
});
