// A client may close its own side after its request and continue reading; a closed tab looks the same until the next bytes
// are sent to it, so a heartbeat follows immediately.
// Set-ups: embedded, up-redis.
// CI also: asan, tsan. A socket closes while it is handed to a worker.
import assert from 'node:assert/strict';
import { health, owner, post, postMany, readerFigures } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // workers are the same in a process of their own

const viewers = async (system) => (await readerFigures(system)).activeConnections;

// No heartbeat finds them: the next is far away.
const flags = { 'heartbeat-ms': 60_000 };
const staysGone = (system, crowd, count) =>
  until(async () => (await viewers(system)) === crowd.members.length, `${count} viewers to leave the count`);

for (const [name, videos] of [['one video', 1], ['as many videos', 1_000]]) {
  scenario(`a thousand tabs of ${name} that close together leave the count without a heartbeat`, { setups, ms: 60_000 }, async (t) => {
    const system = await t.system({ flags });
    const crowd = startCrowd(t, system);
    const names = Array.from({ length: videos }, (_, i) => `v${i}`);
    const tabs = await crowd.enter(1_000, names);
    await crowd.enter(10, names.slice(0, 10));
    assert.equal(await viewers(system), 1_010);
    crowd.leave(tabs);
    await staysGone(system, crowd, 1_000);
    await crowd.reach(await post(system, 'v0', 'for the others'));
  });
}

scenario('a thousand viewers that half-close together stay, and get everything', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const crowd = startCrowd(t, system);
  await crowd.enter(1_000, ['v']);
  for (const member of crowd.members) member.halfClose();
  const tabs = await crowd.enter(100, ['v']);
  crowd.leave(tabs); // these close completely, and are gone
  await until(async () => (await viewers(system)) === 1_000, 'the closed ones to leave');
  const sends = (await readerFigures(system)).sends;
  await crowd.reach(await postMany(system, 'v', 20));
  assert.ok(crowd.members.every(({ seen, gaps, ended }) => seen === 20 && gaps.length === 0 && !ended));
  assert.equal(await viewers(system), 1_000);
  assert.ok((await readerFigures(system)).sends - sends <= 20 * 1_000, 'a half-closed socket is probed once');
});

// The request and the end of the client's side arrive together: the connection may still be the HTTP server's, or wait
// for the comments that it missed.
scenario('a request that half-closes immediately is served: live, resuming, on an unknown video', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 50);
  const clients = [];
  for (const [video, from] of [['v'], ['v', stored[0].id], ['v', stored[20].id], ['new']]) {
    const headers = from ? { 'Last-Event-ID': from } : {};
    const client = await RawClient.connect(reader, { allowHalfOpen: true });
    t.after(() => client.destroy());
    client.socket.end(requestBytes('GET', `/connect?userid=u&videoid=${video}&redirect=never`, { headers }));
    clients.push({ client, video });
  }
  const received = ({ client }) => client.received.toString();
  await until(() => clients.every((one) => received(one).includes('"connected"')), 'the first events');
  const last = { v: await post(system, 'v', 'the last'), new: await post(system, 'new', 'the last') };
  await until(() => clients.every((one) => received(one).includes(`id: ${last[one.video].id}\n`)), 'the last comments');
  assert.equal(received(clients[1]).match(/^data: \{"id"/gm).length, 50, 'the one that had seen the first got the 49 others and the last');
  assert.equal(received(clients[2]).match(/^data: \{"id"/gm).length, 30);
  assert.ok(clients.every(({ client }) => !client.finished && !client.closed));
  assert.equal((await health(reader)).activeConnections, 4);
});
