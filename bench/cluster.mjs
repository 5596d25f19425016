// What bench/cluster measures, as tables on standard output: cluster.mjs SECONDS SLOTS VIDEOS.
import { RedisCluster, slotOf } from '../tests/integration/lib/cluster.mjs';
import { WatchedRedis } from '../tests/integration/lib/sentinel.mjs';
import { post } from '../tests/integration/lib/api.mjs';
import { startLoad } from '../tests/integration/lib/load.mjs';
import { startSystem } from '../tests/integration/lib/system.mjs';
import { until } from '../tests/integration/lib/time.mjs';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const [seconds, slots, videos] = process.argv.slice(2, 5).map(Number);
const wanted = process.argv.slice(5);
const ROUNDS = 3, PUBLISHERS = 64, OF_ONE = 2_000, CONFIRMED = 10_000;
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

const sum = (list) => list.reduce((a, b) => a + b, 0);
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const ms = (n) => `${Math.round(n)} ms`;

const infoOf = async (server, section, name) => Number((await server.command('INFO', section)).match(new RegExp(`^${name}:([\\d.]+)`, 'm'))?.[1] ?? 0);
const cpuOf = async (server) => (await infoOf(server, 'cpu', 'used_cpu_user')) + (await infoOf(server, 'cpu', 'used_cpu_sys'));
const cpuOfProcess = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100; // proc_pid_stat(5), in ticks of 10 ms
};

// Comments due at a fixed rate, over 99 videos: those that were taken per second, the microseconds of CPU of all these servers and of
// Chorus for one, and how long a poster waited.
async function rate(system, servers, perSecond) {
  const file = join(tmpdir(), 'rate.json');
  const drive = (duration) => promisify(execFile)(process.env.CHORUS_BIN, ['bench', '--comment-url', system.comment, '--manager-url', system.manager, '--viewers', '1', '--videos', '99', '--rate', String(perSecond), '--publishers', String(PUBLISHERS), '--duration', String(duration), '--json-file', file]);
  await drive(1); // the videos are known
  const before = await Promise.all(servers.map(cpuOf)), own = cpuOfProcess(system.pid);
  await drive(seconds);
  const spent = (await Promise.all(servers.map(cpuOf))).map((after, i) => after - before[i]);
  const { counts, latency_ms: latency } = JSON.parse(readFileSync(file, 'utf8'));
  return {
    perSecond: counts.comments / seconds, us: (sum(spent) / counts.comments) * 1e6, chorus: ((cpuOfProcess(system.pid) - own) / counts.comments) * 1e6,
    shares: spent.map((one) => one / sum(spent)), answered: latency.post_p50, slowest: latency.post_p99, failed: counts.post_failures + counts.unposted,
  };
}

// Each kind in turn, ROUNDS times, so that all have the same neighbours: the medians.
async function compare(kinds) {
  const found = kinds.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, kind] of kinds.entries()) {
      const store = kind.store?.();
      const system = await startUp(store, kind.flags);
      found[i].push(await rate(system, kind.servers(store ?? system.redis), kind.rate));
      await release();
    }
  }
  const rows = found.map((rounds) => Object.fromEntries(['perSecond', 'us', 'chorus', 'answered', 'slowest'].map((name) => [name, median(rounds.map((each) => each[name]))])));
  const ratios = (name, i, j) => median(found[i].map((each, round) => each[name] / found[j][round][name])).toFixed(2);
  row('store', 'comments per second, due', 'taken', 'CPU of all servers of Redis for a comment', 'CPU of Chorus for a comment', 'answered in p50, p99');
  row('---', '---', '---', '---', '---', '---');
  for (const [i, { perSecond, us, chorus, answered, slowest }] of rows.entries()) {
    row(kinds[i].name, kinds[i].rate, Math.round(perSecond), `${us.toFixed(1)} us`, `${chorus.toFixed(1)} us`, `${answered.toFixed(1)} ms, ${slowest.toFixed(1)} ms`);
  }
  return { rows, ratios, shares: found.map((rounds) => rounds.at(-1).shares) };
}

async function primaries() {
  console.log(`\nComments of 120 bytes over 99 videos, from ${PUBLISHERS} connections, in turn ${ROUNDS} times; medians.\n`);
  const all = (store) => store.primaries ?? [store];
  const { ratios, shares } = await compare([
    { name: 'one Redis', rate: OF_ONE, servers: all },
    { name: 'a Cluster of one primary', rate: OF_ONE, store: () => new RedisCluster({ primaries: 1 }), servers: all },
    { name: 'a Cluster of three primaries, at the same rate', rate: OF_ONE, store: () => new RedisCluster(), servers: all },
    { name: 'a Cluster of three primaries, at the same rate for each', rate: 3 * OF_ONE, store: () => new RedisCluster(), servers: all },
  ]);
  console.log(`\nThree primaries with three times the comments: a comment costs ${ratios('us', 3, 1)} of what it costs the one primary, and Chorus ${ratios('chorus', 3, 1)} (medians of the rounds' ratios), and the three share it as ${shares[3].map((share) => `${Math.round(share * 100)} %`).join(', ')}.`);
}

async function confirmed() {
  console.log(`\nThe same on a primary with a replica.\n`);
  const kind = (name, flags) => ({ name, flags, rate: CONFIRMED, store: () => new WatchedRedis(), servers: (store) => [store.primary] });
  const { ratios } = await compare([kind('not confirmed'), kind('`--confirm-replicas 1`', { 'confirm-replicas': 1, 'confirm-ms': 1_000 })]);
  console.log(`\nConfirmed comments per second: ${ratios('perSecond', 1, 0)} of those that are not confirmed (median of the rounds' ratios; the goal is 0.9).`);
}

async function waits() {
  console.log('\nHow long comments wait, with six posters and six viewers on three videos:\n');
  row('what', 'time');
  row('---', '---');
  await slotsMove();
  for (const flags of [{}, { 'confirm-replicas': 1 }]) await primaryDies(flags);
  await sentinelSwitches();
  await release();
}

async function slotsMove() {
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
  row(`${slots} slots moved in ${(took / 1_000).toFixed(1)} s, three of ten of watched videos: the longest until each poster had an answer and each viewer the comment; none of ${load.total} was lost, doubled or announced`, ms(longest));
  await release();
}

const firstAfter = (load, system) => load.until(async () => post(system, 'one', 'after').then(() => performance.now(), () => undefined), 'a comment');

// With confirmation nothing is acknowledged before there is a replica again.
async function primaryDies(flags) {
  const cluster = new RedisCluster({ replicas: flags['confirm-replicas'] ? 2 : 1 });
  const system = await startUp(cluster, flags);
  const load = await startLoad(t, system, { everyMs: 10 });
  const primary = await cluster.ownerOf(slotOf('video:one'));
  await primary.kill9();
  const at = await cluster.promoted(primary);
  const first = await firstAfter(load, system);
  await load.more(10, 30_000);
  const lossy = !flags['confirm-replicas'];
  await load.prove({ gaps: ['epoch'], lossy });
  const missing = load.lost().length;
  if (missing && !lossy) throw new Error(`${missing} confirmed comments are lost`);
  row(`kill -9 of a primary${lossy ? '' : ' with `--confirm-replicas 1`'}: from the promotion to the first 201 for its video; of ${load.total} comments ${missing} were lost${missing ? ', and announced' : ''}`, ms(Math.max(0, first - at)));
  await release();
}

async function sentinelSwitches() {
  const watched = new WatchedRedis({ sentinels: 3 });
  const system = await startUp(watched);
  const load = await startLoad(t, system, { everyMs: 10 });
  await watched.primary.kill9();
  const at = await watched.switched();
  row('Sentinel: from the switch to the first 201', ms(Math.max(0, (await firstAfter(load, system)) - at)));
  await load.more(10, 30_000);
  await load.prove({ gaps: ['epoch'], lossy: true });
  await release();
}

// A video that its viewer has left at once: it stays subscribed for --unsubscribe-ms.
const watchOnce = (port, video) => new Promise((done, failed) => {
  const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET /connect?userid=u&videoid=${video}&redirect=never HTTP/1.0\r\nHost: x\r\n\r\n`));
  socket.once('data', (bytes) => (String(bytes).includes(' 200 ') ? done() : failed(new Error(String(bytes)))));
  socket.once('data', () => socket.resetAndDestroy());
  socket.on('error', failed);
});

async function resubscribes() {
  console.log(`\n${videos} videos of one process: all connections that are subscribed are cut. In turn ${ROUNDS} times; medians.\n`);
  row('store', 'until all are subscribed again', 'until the position of each has been compared with the log', 'CPU of Redis', 'CPU of Chorus');
  row('---', '---', '---', '---', '---');
  for (const [name, store] of [['one Redis', undefined], ['a Cluster of three primaries', new RedisCluster()]]) {
    const system = await startUp(store, { 'unsubscribe-ms': 3_600_000, 'limit-connects': 0, 'limit-streams': 0 });
    const servers = store?.primaries ?? [system.redis];
    const port = Number(new URL(system.readers[0]).port);
    let next = 0;
    await Promise.all(Array.from({ length: 50 }, async () => {
      while (next < videos) await watchOnce(port, `w${next++}`);
    }));
    const total = async (read) => sum(await Promise.all(servers.map(read)));
    const channels = () => total((server) => infoOf(server, 'stats', store ? 'pubsubshard_channels' : 'pubsub_channels'));
    // Each comparison is one PTTL, so that a position that is asked for stays.
    const compared = () => total(async (server) => (await server.calls()).pttl ?? 0);
    await until(async () => (await channels()) >= videos, 'all subscriptions', 60_000);
    const found = [];
    for (let round = 0; round < ROUNDS; round++) {
      const before = await compared(), redis = await total(cpuOf), own = cpuOfProcess(system.pid);
      await Promise.all(servers.map((server) => server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')));
      const from = performance.now();
      await until(async () => (await channels()) >= videos, async () => `all subscriptions again: ${await channels()}`, 60_000);
      const subscribed = performance.now() - from;
      await until(async () => (await compared()) - before >= videos, 'all comparisons', 60_000);
      found.push({ subscribed, compared: performance.now() - from, redis: (await total(cpuOf)) - redis, own: cpuOfProcess(system.pid) - own });
    }
    const of = (key) => median(found.map((each) => each[key]));
    row(name, ms(of('subscribed')), ms(of('compared')), ms(of('redis') * 1_000), ms(of('own') * 1_000));
    await release();
  }
}

const parts = { primaries, confirmed, waits, resubscribes };
for (const part of wanted.length ? wanted : Object.keys(parts)) await parts[part]();
process.exit(0);
