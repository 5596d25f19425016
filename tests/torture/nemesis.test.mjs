// The same seed is the same faults; recovery times are what the history says.
import assert from 'node:assert/strict';
import test from 'node:test';
import { faultsOf } from './faults/all.mjs';
import { touching } from './faults/touching.mjs';
import { Nemesis, plan } from './nemesis.mjs';
import { recoveries } from './recovery.mjs';
import { Pair } from './stores/pair.mjs';

const roles = ['redis', 'redis', 'statistics', 'manager', 'reader', 'reader', 'comment'];
const parts = roles.map((role, i) => ({ role, name: `${role}-${i}`, isStore: role === 'redis', folder: role === 'redis' && `/${i}` }));
const world = { parts, store: new Pair({ ofRole: () => parts.slice(0, 2) }), services: parts.filter(({ role }) => role !== 'redis'), ofRole: (role) => parts.filter((part) => part.role === role) };

function take(count, seed, faults = faultsOf('redis')) {
  const found = [];
  for (const { name, on, pauseMs } of plan(seed, faults, world)) {
    if (found.push(`${name} ${on} ${pauseMs}`) === count) return found;
  }
  return found;
}

test('a seed always gives the same faults, and another one others', () => {
  assert.deepEqual(take(100, 7), take(100, 7));
  assert.notDeepEqual(take(100, 7), take(100, 8));
});

test('every fault comes, and each service is its target', () => {
  const found = take(2_000, 1);
  for (const { name } of faultsOf('redis')) assert.ok(found.some((line) => line.startsWith(`${name} `)), name);
  for (const { name } of world.services) assert.ok(found.some((line) => line.startsWith(`kill ${name}`)), name);
});

// A store that promotes by itself.
function watched(engine) {
  const names = { cluster: [['redis-1a', 'redis-1b'], ['redis-2a', 'redis-2b'], ['redis-3a', 'redis-3b']], sentinel: [['redis-a', 'redis-b']] }[engine];
  const shards = names.map((each, i) => ({ name: `shard-${i}`, lock: `shard-${i}`, each })), sentinels = engine === 'sentinel' ? ['sentinel-1', 'sentinel-2', 'sentinel-3'] : [];
  const doors = [...names.flat(), ...sentinels];
  const locksOf = (name) => shards.flatMap(({ lock, each }) => (each.includes(name) ? [lock] : [])).concat(sentinels.filter((sentinel) => sentinel === name));
  const store = { shards, promotions: [''], doors, locksOf, beside: ({ name }) => doors.filter((door) => door !== name), sentinels: sentinels.map((name) => ({ name })), settles: 0, settled: async () => store.settles++ };
  const all = [...doors.map((name) => ({ name, role: name.split('-')[0], isStore: true })), ...world.services];
  return { parts: all, services: world.services, ofRole: (role) => all.filter((part) => part.role === role), store };
}
for (const engine of ['cluster', 'sentinel']) {
  test(`every fault of ${engine} comes; what is done to a server is done to nothing else of its shard meanwhile`, () => {
    const own = watched(engine), faults = faultsOf(engine, { hot: true }), found = new Set();
    let count = 0;
    for (const { name, on, locks, run } of plan(1, faults, own)) {
      found.add(name);
      assert.equal(typeof run, 'function');
      const concerned = own.store.doors.filter((door) => on.split(/[ ,]/).includes(door)).flatMap(own.store.locksOf);
      for (const lock of concerned) assert.ok(locks.includes(lock) || locks.includes('shard-0'), `${name} (${on}) locks ${locks}`);
      assert.ok(name !== 'clock' || !concerned.length);
      if (++count === 2_000) break;
    }
    for (const { name } of faults) assert.ok(found.has(name), name);
  });
}

test('a fault that touches a server is over once the store is as it should be, also if it fails', async () => {
  const { store } = watched('cluster');
  const { locks, run } = touching({ store }, ['redis-1a', 'reader-1'], { locks: ['net'], run: async () => assert.fail('no') });
  assert.deepEqual(locks, ['net', 'shard-0']);
  await assert.rejects(run());
  assert.equal(store.settles, 1);
  assert.deepEqual(touching({ store }, ['reader-1'], { locks: ['net'], run: async () => {} }).locks, ['net']);
});

test('a fault that does not end is over at its deadline, and known to be late; one that fails is not', async () => {
  const locks = ['redis'];
  const faults = [{ name: 'hangs', draw: () => ({ on: 'redis', locks, run: () => new Promise(() => {}) }) }];
  const failing = [{ name: 'fails', draw: () => ({ on: 'redis', locks, run: async () => assert.fail('no such process') }) }];
  const lates = [];
  for (const each of [faults, failing]) {
    const nemesis = new Nemesis({ get nowMs() { return performance.now(); } }, { faults: each, seed: 1, say: () => {}, deadlineMs: 10 });
    await nemesis.run(1);
    lates.push(...nemesis.done.map(({ late, endedMs }) => late && endedMs > 0));
  }
  assert.deepEqual(lates, [true, false]);
});

const comment = (id, answeredMs, writer = 'w') => ({ video: 'v', text: `${writer} ${id}`, sentMs: answeredMs - 1, answeredMs, comment: { id } });
const seen = (id, at) => ({ type: 'comment', id, at });
const history = () => ({
  posts: [comment('5-1', 100), comment('5-2', 900), comment('5-3', 700, 'x')],
  viewers: [
    { video: 'v', events: [{ type: 'connected', id: '5-0', at: 1 }, seen('5-1', 101), seen('5-2', 901), seen('5-3', 950)] },
    { video: 'v', events: [{ type: 'connected', id: '5-0', at: 1 }, { type: 'cut', at: 210 }, { type: 'connected', id: '5-1', at: 800 }, seen('5-3', 960)] },
  ],
});

test('recovery: the slowest writer and viewer after the end, and each viewer that was cut from the beginning', () => {
  const { posts, viewers } = history();
  const found = recoveries([{ name: 'kill', beganMs: 200, endedMs: 500 }], posts, viewers);
  assert.deepEqual(found, { kill: { times: 1, accepted: [400], caughtUp: [460], back: [600] } });
});

test('recovery: a viewer that comes at the end was not there to recover', () => {
  const { posts, viewers } = history();
  viewers.push({ video: 'v', late: true, events: [{ type: 'connected', id: '5-0', at: 9_000 }, seen('5-3', 9_001)] });
  assert.deepEqual(recoveries([{ name: 'kill', beganMs: 200, endedMs: 500 }], posts, viewers).kill.caughtUp, [460]);
});

test('a fault that another one came close to does not count', () => {
  const { posts, viewers } = history();
  assert.deepEqual(recoveries([{ name: 'kill', beganMs: 200, endedMs: 500 }, { name: 'flush', beganMs: 850, endedMs: 860 }], posts, viewers), {});
});
