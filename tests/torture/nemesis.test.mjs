// The same seed is the same faults; recovery times are what the history says.
import assert from 'node:assert/strict';
import test from 'node:test';
import { faultsOf } from './faults/all.mjs';
import { Nemesis, plan } from './nemesis.mjs';
import { recoveries } from './recovery.mjs';

const roles = ['redis', 'redis', 'statistics', 'manager', 'reader', 'reader', 'comment'];
const parts = roles.map((role, i) => ({ role, name: `${role}-${i}`, folder: role === 'redis' && `/${i}` }));
const world = { parts, front: {}, services: parts.filter(({ role }) => role !== 'redis'), ofRole: (role) => parts.filter((part) => part.role === role) };

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
