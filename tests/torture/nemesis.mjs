#!/usr/bin/env node
// A seeded nemesis over two Redis servers, one of them the other's replica, that Chorus reaches through a proxy: failover
// and failback, cut off or not, kills, lost data, stepped clocks, pauses, killed services, while posters post and viewers
// watch. What is checked at the end: no number has two texts, and every acknowledged comment was delivered to every viewer or
// covered by a gap. By hand, as it takes its time:
//   CHORUS_BIN=build/chorus CHORUS_SETUP=processes nemesis.mjs [SEED [SECONDS [FAULT,...]]]      or up-redis; 1, 40, all
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareIds } from '../integration/lib/journal.mjs';
import { startLoad } from '../integration/lib/load.mjs';
import { freePorts } from '../integration/lib/ports.mjs';
import { RedisServer } from '../integration/lib/redis.mjs';
import { partNames, setups } from '../integration/lib/setups.mjs';
import { setup } from '../integration/lib/system.mjs';
import { pause } from '../integration/lib/time.mjs';

const [seed = '1', seconds = '40', wanted] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'chorus-nemesis-'));
const undo = [() => rmSync(folder, { recursive: true, force: true })];
const began = performance.now();
const say = (...words) => console.log(((performance.now() - began) / 1000).toFixed(2).padStart(7), ...words);

// Numerical Recipes' linear congruential generator: the same faults for the same seed.
let state = (Number(seed) * 2654435761) % 2 ** 32;
const chance = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
const pick = (list) => list[Math.floor(chance() * list.length)];
const moment = (ms) => pause(chance() * ms);

const shim = join(folder, 'clock_shift.so');
execFileSync('cc', ['-D_GNU_SOURCE', '-O2', '-shared', '-fPIC', '-o', shim, join(dirname(fileURLToPath(import.meta.url)), 'clock_shift.c')]);

// A server whose wall clock can be stepped.
class Server extends RedisServer {
  constructor(name) {
    super({ fsync: 'always' });
    this.name = name;
    this.clock = join(folder, name);
    writeFileSync(this.clock, Buffer.alloc(8));
  }

  stepClock(by) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(by));
    const file = openSync(this.clock, 'r+');
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
  }

  // The process is spawned before start() first waits.
  async start() {
    await this.settle();
    Object.assign(process.env, { LD_PRELOAD: shim, CLOCK_SHIFT: this.clock });
    const started = super.start();
    await Promise.resolve().then(() => {}).then(() => {});
    delete process.env.LD_PRELOAD;
    return started;
  }

  follow(server) {
    return server ? this.command('REPLICAOF', '127.0.0.1', server.port) : this.command('REPLICAOF', 'NO', 'ONE');
  }
  replication() {
    return this.command('INFO', 'replication').catch(() => '');
  }
  async synced() {
    for (let i = 0; i < 300 && !/master_link_status:up|role:master/.test(await this.replication()); i++) await pause(20);
  }
}

const servers = [new Server('A'), new Server('B')];
let [primary] = servers;
const other = () => servers.find((server) => server !== primary);

// Leads new connections to the current primary; existing ones stay where they are.
const pairs = new Set();
async function startProxy() {
  const server = net.createServer((client) => {
    const pair = [client, net.connect(primary.port, '127.0.0.1')];
    pairs.add(pair);
    for (const [from, to] of [pair, [...pair].reverse()]) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => {});
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => server.close());
  return `redis://127.0.0.1:${server.address().port}`;
}
function cut(share = 1) {
  for (const [client] of pairs) if (chance() < share) client.destroy();
}

async function startChorus(url) {
  const options = { readers: 3, managers: 1, comments: setup === 'processes' ? 2 : 1, flags: { 'log-entries': 100_000 }, args: [] };
  const names = partNames(options);
  const ports = await freePorts(names.length);
  const portOf = (name) => String(ports[names.indexOf(name)]);
  const { program, addresses } = await setups[setup]({ ...options, portOf, redis: { url } });
  undo.push(() => program.kill('SIGKILL'));
  const all = (role) => names.filter((name) => name.startsWith(role)).map((name) => addresses.get(name));
  return { program, manager: addresses.get('manager'), comment: addresses.get('comment'), comments: all('comment'), readers: all('reader') };
}

// The current primary is still alive, and accepts connections.
async function promote(server) {
  await server.follow();
  primary = server;
}

const faults = (system) => ({
  async failover() {
    await promote(other());
    cut();
  },
  async lateFailover() {
    await other().follow();
    await moment(600);
    primary = other();
    cut();
  },
  async halfFailover() {
    await promote(other());
    cut(0.5);
    await moment(1_500);
    cut();
  },
  async failoverAndBackUnnoticed() {
    const [old, next] = [primary, other()];
    await next.follow();
    await moment(500);
    await old.follow(next);
    await old.synced();
    await old.follow();
    await next.follow(old);
  },
  async follow() {
    await other().follow(primary);
    if (chance() < 0.5) await other().synced();
  },
  async restart() {
    await primary.kill9();
    await moment(500);
    await primary.start();
    if (chance() < 0.7) await other().follow(primary);
  },
  async dieAndFailover() {
    const old = primary;
    await old.kill9();
    await promote(other());
    cut();
    await moment(500);
    await old.start();
    if (chance() < 0.7) await old.follow(primary);
  },
  async loseAll() {
    await primary.kill9();
    primary.forget();
    await primary.start();
    if (chance() < 0.5) await other().follow(primary);
  },
  flush: () => primary.command('FLUSHALL'),
  async stepClock() {
    pick(servers).stepClock(pick([-3_600, -30, -5, 0, 5, 30]));
  },
  killClients: () => primary.command('CLIENT', 'KILL', 'TYPE', pick(['normal', 'pubsub'])),
  pauseClients: () => primary.command('CLIENT', 'PAUSE', Math.floor(chance() * 1_500), pick(['ALL', 'WRITE'])),
  async stop() {
    primary.suspend();
    await moment(2_500);
    primary.resume();
  },
  async killService() {
    if (setup !== 'processes') return;
    const name = pick(['comment', 'comment-2', 'reader-1', 'manager']);
    await system.program.end1(name, 'SIGKILL');
    await moment(300);
    await system.program.again(name);
  },
});

// Returns what is wrong.
function check(load) {
  const wrong = [], texts = new Map();
  const note = ({ id, videoid, comment }) => {
    const number = `${videoid} ${id}`, known = texts.get(number) ?? comment;
    if (known !== comment) wrong.push(`${number} is «${known}» and «${comment}»`);
    texts.set(number, comment);
  };
  let announced = 0;
  for (const { acknowledged } of load.posters) acknowledged.forEach(note);
  for (const { viewer, video, number } of load.followers) {
    viewer.comments.forEach(note);
    const seen = new Set(viewer.comments.map(({ id }) => id));
    const inGap = ({ id }) => viewer.gaps.some(({ from, to }) => compareIds(from, id) <= 0 && compareIds(id, to) <= 0);
    for (const comment of load.posters.filter((poster) => poster.video === video).flatMap(({ acknowledged }) => acknowledged)) {
      if (seen.has(comment.id)) continue;
      if (inGap(comment)) announced++;
      else wrong.push(`viewer ${number} of ${video} misses ${comment.id} «${comment.comment}», unannounced: ${JSON.stringify(viewer.gaps)}`);
    }
  }
  say(`${texts.size} comments, ${announced} announced as lost, gaps of each viewer: ${load.followers.map(({ viewer }) => viewer.gaps.length)}`);
  return wrong;
}

async function run() {
  for (const server of servers) {
    await server.start();
    undo.push(() => server.release());
  }
  await other().follow(primary);
  const system = await startChorus(await startProxy());
  const load = await startLoad({ after: (action) => undo.push(action) }, system, { videos: ['one', 'two', 'three'], viewers: 3, everyMs: 15 });
  const all = faults(system), names = wanted?.split(',') ?? Object.keys(all);
  for (const end = performance.now() + Number(seconds) * 1000; performance.now() < end;) {
    const name = pick(names);
    say(name, `primary ${primary.name}: ${load.total} acknowledged, ${load.refused} refused, ${load.cuts} streams cut`);
    await all[name]().catch((error) => say(`${name}: ${error.message}`));
    await moment(1_200);
    if (load.failure) throw load.failure;
    if (chance() < 0.2 && !(await other().replication()).includes('role:slave')) await other().follow(primary);
  }
  for (const server of servers) {
    server.resume();
    server.stepClock(0);
  }
  await primary.command('CLIENT', 'UNPAUSE');
  say(`all have caught up after ${Math.round(await load.more(5, 30_000))} ms`);
  load.stopping = true;
  await Promise.all(load.posters.map(({ done }) => done));
  return check(load);
}

let wrong;
try {
  wrong = await run();
} catch (error) {
  wrong = [error.stack];
}
for (const action of undo.reverse()) await Promise.resolve().then(action).catch(() => {});
for (const line of wrong.slice(0, 20)) console.log(line);
say(wrong.length ? `seed ${seed}: ${wrong.length} violations` : `seed ${seed}: the promise held`);
process.exit(wrong.length ? 1 : 0);
