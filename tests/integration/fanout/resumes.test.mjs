// What resuming viewers have missed counts towards --memory too. Those that do not read lose first: their backlog goes before
// a new viewer, and before what a viewer that reads has missed.
// Set-ups: embedded, up-redis.
// Long: 12.
import assert from 'node:assert/strict';
import { health, owner, post, postMany } from '../lib/api.mjs';
import { startCrowd } from '../lib/crowd.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis']; // workers are the same in a process of their own

const BIG = 'x'.repeat(1_900);
const MB = 2 ** 20;

const fill = (system, video, count = 1_000) => postMany(system, video, count, { text: (i) => `${i} ${BIG}` });
const memory = async (system) => (await health(system.readers[0])).memory;

// Requests everything after `from`, and never reads.
async function comeBackToStall(t, system, video, from) {
  const client = await RawClient.connect(await owner(system, video));
  t.after(() => client.destroy());
  client.socket.pause();
  await client.send(requestBytes('GET', `/connect?userid=u&videoid=${video}`, { headers: { 'Last-Event-ID': from } }));
  return client;
}

const viewers = async (system) => (await Promise.all(system.readers.map(health))).reduce((sum, { activeConnections }) => sum + activeConnections, 0);

// Waits until they are viewers, or have been closed. Returns the peak memory use meanwhile.
async function settled(system, clients) {
  let most = 0;
  await until(async () => {
    const { used, max } = await memory(system);
    most = Math.max(most, used);
    assert.ok(used <= max, `${used} bytes in use of ${max}`);
    return (await viewers(system)) >= clients.filter(({ closed }) => !closed).length;
  }, 'the resumed clients to be viewers', 20_000);
  return most;
}

scenario('eight viewers that resume from full logs and do not read stay within --memory', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { memory: '1m' } });
  const videos = Array.from({ length: 8 }, (_, i) => `v${i}`);
  await Promise.all(videos.map((video) => fill(system, video)));
  const clients = await Promise.all(videos.map((video) => comeBackToStall(t, system, video, '1-1')));
  const most = await settled(system, clients);
  assert.ok(most > 0.3 * MB, `${most} bytes: the bound is there to be used`);
  for (const client of clients) client.socket.resume();
  const last = await Promise.all(videos.map((video) => post(system, video, 'the last')));
  const text = ({ received }) => received.toString();
  // Where it took long to get here, some have been closed, as they did not read.
  await until(() => clients.every((client, i) => client.closed || text(client).includes(`id: ${last[i].id}\n`)), 'the last comments');
  for (const client of clients.filter(({ closed }) => !closed)) assert.match(text(client), /"reason":"slow"/, 'what could not be kept is a gap');
});

scenario('a hundred and fifty viewers that resume and never read do not keep out new ones', { setups, ms: 90_000 }, async (t) => {
  const system = await t.system({ flags: { memory: '1m', 'stall-timeout-ms': 60_000 } });
  const videos = Array.from({ length: 10 }, (_, i) => `v${i}`);
  const stored = await Promise.all(videos.map((video) => fill(system, video, 300)));
  const stalled = await Promise.all(Array.from({ length: 150 }, (_, i) => comeBackToStall(t, system, videos[i % 10], stored[i % 10][0].id)));
  const newcomers = startCrowd(t, system);
  await newcomers.enter(50, videos); // while those are on their way
  await settled(system, [...stalled, ...newcomers.members]);
  await newcomers.enter(50, videos);
  assert.equal((await health(system.readers[0])).shed, 0, 'no newcomer was refused');

  // A viewer that reads gets what it missed as soon as those that do not have lost their backlogs.
  const returned = startCrowd(t, system);
  await returned.enter(10, videos);
  await newcomers.reach(await Promise.all(videos.map((video) => post(system, video, 'for all viewers'))), [...newcomers.members, ...returned.members]);
  for (const member of returned.members) member.close();
  await until(() => returned.members.every(({ ended }) => ended), 'them to be gone');
  const missed = (await Promise.all(videos.map((video) => fill(system, video, 30)))).flat();
  await returned.comeBack();
  await returned.reach(missed);
  assert.ok(returned.members.every(({ seen, gaps }) => seen === 31 && gaps.length === 0), 'without a gap');
  await newcomers.reach(missed);
  assert.ok(newcomers.members.every(({ gaps, ended }) => gaps.length === 0 && !ended));
});

scenario('many viewers that resume from as many full logs at once all get everything, in turn', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { memory: '8m' } });
  const videos = Array.from({ length: 12 }, (_, i) => `v${i}`);
  const crowd = startCrowd(t, system);
  await crowd.enter(24, videos);
  for (const member of crowd.members) member.close();
  const stored = await Promise.all(videos.map((video) => fill(system, video, 900)));
  await crowd.comeBack({ atOnce: 24 });
  await crowd.reach(stored.flat(), crowd.members, 20_000);
  const wrong = crowd.members.filter(({ seen, gaps }) => seen !== 900 || gaps.length > 0);
  assert.equal(wrong.length, 0, JSON.stringify(wrong.map(({ seen, gaps }) => [seen, gaps])));
  const { used, max } = await memory(system);
  assert.ok(used <= max, `${used} of ${max}`);
});
