// What bench/cluster measures, as tables on standard output: cluster.mjs SECONDS SLOTS VIDEOS.
import { RedisCluster, slotOf } from '../tests/integration/lib/cluster.mjs';
import { WatchedRedis } from '../tests/integration/lib/sentinel.mjs';
import { post } from '../tests/integration/lib/api.mjs';
import { startLoad } from '../tests/integration/lib/load.mjs';
import { startSystem } from '../tests/integration/lib/system.mjs';
import { pause, until } from '../tests/integration/lib/time.mjs';
import { Agent, request } from '../tests/integration/lib/undici.mjs';
import http from 'node:http';

const [seconds, slots, videos] = process.argv.slice(2).map(Number);
const CONNECTIONS = 64;
const ROUNDS = 3;
const undo = [];
const t = { after: (action) => undo.push(action) };
const release = async () => {
  for (const action of undo.splice(0).reverse()) await action();
};

// `chorus up` on a store: a Redis of its own if none is given.
async function startUp(store, flags = {}) {
  const system = await startSystem({ readers: 1, redis: store, flags: { 'log-level': 'warn', 'log-entries': 100_000, 'limit-posts': 0, ...flags } });
  t.after(() => system.release());
  return system;
}

const cpu = async (server) => {
  const info = await server.command('INFO', 'cpu');
  return ['used_cpu_user', 'used_cpu_sys'].reduce((sum, name) => sum + Number(info.match(new RegExp(`^${name}:([\\d.]+)`, 'm'))[1]), 0);
};

// Comments per second, and microseconds of CPU that each of these servers has spent on one of its own.
async function rate(system, servers) {
  const dispatcher = new Agent({ connections: CONNECTIONS });
  const body = (video) => JSON.stringify({ userid: `u${video}`, videoid: `video-${video}`, comment: 'x'.repeat(120) });
  let count = 0, refused = 0, stop = false;
  const one = async (video) => {
    while (!stop) {
      const { statusCode, body: answer } = await request(`${system.comment}/comment`, { method: 'POST', dispatcher, headers: { 'content-type': 'application/json' }, body: body(video) });
      await answer.dump();
      if (statusCode === 201) count++;
      else refused++;
    }
  };
  const all = Array.from({ length: CONNECTIONS }, (_, video) => one(video));
  await pause(500); // videos are known, connections open
  const before = await Promise.all(servers.map(cpu)), from = performance.now(), counted = count;
  await pause(seconds * 1_000);
  const took = (performance.now() - from) / 1_000, comments = count - counted;
  const spent = (await Promise.all(servers.map(cpu))).map((after, i) => after - before[i]);
  stop = true;
  await Promise.allSettled(all);
  await dispatcher.destroy();
  return { perSecond: comments / took, us: (spent.reduce((a, b) => a + b) / comments) * 1e6, shares: spent.map((one) => one / spent.reduce((a, b) => a + b)), refused };
}

const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const ms = (n) => `${Math.round(n)} ms`;

console.log('Comments: 64 connections, each to a video of its own.\n');
row('store', 'comments per second', 'CPU of Redis for a comment', 'share of each primary');
row('---', '---', '---', '---');
const shares = (list) => list.map((share) => `${Math.round(share * 100)} %`).join(', ');
{
  const system = await startUp();
  const r = await rate(system, [system.redis]);
  row('one Redis', Math.round(r.perSecond), `${r.us.toFixed(1)} us`, shares(r.shares));
  await release();
}
{
  const cluster = new RedisCluster();
  const system = await startUp(cluster);
  const r = await rate(system, cluster.primaries);
  row('three primaries', Math.round(r.perSecond), `${r.us.toFixed(1)} us`, shares(r.shares));
  await release();
}
// Confirmed and not, in turn, so that both have the same neighbours.
const pairs = { '': [], ', confirmed': [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, found] of Object.entries(pairs)) {
    const watched = new WatchedRedis();
    const system = await startUp(watched, name ? { 'confirm-replicas': 1, 'confirm-ms': 1_000 } : {});
    found.push(await rate(system, [watched.primary]));
    await release();
  }
}
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
for (const [name, found] of Object.entries(pairs)) {
  const each = found.map(({ perSecond }) => perSecond);
  row(`a primary with a replica${name}, median of ${ROUNDS}`, `${Math.round(median(each))} (${Math.round(Math.min(...each))}-${Math.round(Math.max(...each))})`, `${median(found.map(({ us }) => us)).toFixed(1)} us`, '100 %');
}

console.log('\nHow long comments wait, with six posters and six viewers on three videos:\n');
row('what', 'time');
row('---', '---');
{
  const cluster = new RedisCluster({ timeoutMs: 5_000 });
  const system = await startUp(cluster);
  const load = await startLoad(t, system, { everyMs: 10 });
  const hot = load.videos.map((video) => slotOf(`video:${video}`));
  let longest = 0, moving = true;
  const watch = (async () => {
    while (moving) longest = Math.max(longest, await load.more(1, 30_000));
  })();
  const from = performance.now();
  for (let i = 0; i < slots; i++) {
    const slot = i % 10 < 3 ? hot[i % 10] : (i * 16) % 16_384;
    const owner = await cluster.ownerOf(slot);
    await cluster.move(slot, owner, cluster.primaries[(cluster.primaries.indexOf(owner) + 1) % 3]);
  }
  const took = performance.now() - from;
  moving = false;
  await watch;
  await load.prove();
  row(`${slots} slots moved in ${(took / 1_000).toFixed(1)} s, three of ten of watched videos: the longest until each poster had an answer and each viewer the comment; none was lost, doubled or announced`, ms(longest));
  await release();
}
{
  const cluster = new RedisCluster({ replicas: 1 });
  const system = await startUp(cluster);
  const load = await startLoad(t, system, { everyMs: 10 });
  const primary = await cluster.ownerOf(slotOf('video:one'));
  await primary.kill9();
  const at = await cluster.promoted(primary);
  const first = await load.until(async () => post(system, 'one', 'after').then(() => performance.now(), () => undefined), 'a comment');
  row('kill -9 of a primary: from the promotion to the first 201 for its video', ms(Math.max(0, first - at)));
  await load.more(10, 30_000);
  await load.prove({ gaps: ['epoch'], lossy: true });
  await release();
}
{
  const watched = new WatchedRedis({ sentinels: 3 });
  const system = await startUp(watched);
  const load = await startLoad(t, system, { everyMs: 10 });
  await watched.primary.kill9();
  const at = await watched.switched();
  const first = await load.until(async () => post(system, 'one', 'after').then(() => performance.now(), () => undefined), 'a comment');
  row('Sentinel: from the switch to the first 201', ms(Math.max(0, first - at)));
  await load.more(10, 30_000);
  await load.prove({ gaps: ['epoch'], lossy: true });
  await release();
}
{
  const cluster = new RedisCluster();
  const system = await startUp(cluster, { 'unsubscribe-ms': 600_000, 'limit-connects': 0, 'limit-streams': 0 });
  const streams = [];
  for (let i = 0; i < videos; i++) {
    await new Promise((done, failed) => {
      const stream = http.get(`${system.readers[0]}/connect?userid=u&videoid=w${i}&redirect=never`, (response) => {
        response.resume();
        done();
      });
      stream.on('error', failed);
      streams.push(stream);
    });
  }
  const channels = async () => {
    const infos = await Promise.all(cluster.primaries.map((server) => server.command('INFO', 'stats')));
    return infos.reduce((sum, info) => sum + Number(info.match(/^pubsubshard_channels:(\d+)/m)?.[1] ?? 0), 0);
  };
  await until(async () => (await channels()) >= videos, 'all subscriptions', 30_000);
  await Promise.all(cluster.primaries.map((server) => server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')));
  const from = performance.now();
  await until(async () => (await channels()) >= videos, async () => `all subscriptions again: ${await channels()}`, 30_000);
  row(`${videos} videos of one process: all connections that are subscribed are cut, until all are subscribed again`, ms(performance.now() - from));
  for (const stream of streams) stream.destroy();
  await release();
}
process.exit(0);
