// No reader lives or dies by the wall clock: Redis's is set while readers run, as after a failover to a replica with another
// clock, and one of them is killed.
// Set-ups: processes, embedded.
// CI also: embedded. The embedded engine reads the same clock as its readers.
// Long: 26.
import assert from 'node:assert/strict';
import { owner, post, register, resolve } from '../lib/api.mjs';
import { Clock, withoutFaketime, withoutOwnFaketime } from '../lib/faketime.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const options = { setups: ['processes'], ms: 60_000, skip: withoutFaketime };
const LEASE_MS = 3_000;
const ROOM_MS = 5_000; // for a busy machine; a clock set back by 30 s would keep a dead reader for 33

async function start(t) {
  const clock = new Clock(t.folder());
  const system = await t.system({ redis: { env: clock.env } });
  const owners = new Map();
  for (let i = 0; i < 12; i++) owners.set(`v${i}`, await owner(system, `v${i}`));
  return { clock, system, owners };
}

async function staysPut(system, owners, except) {
  for (const [video, reader] of owners) {
    if (reader !== except) assert.equal((await resolve(system, video)).readerUrl, reader, 'a live reader keeps its videos');
  }
}

// Waits until each lease has been renewed several times, checking the videos meanwhile.
async function renewals(system, owners, times) {
  const seen = new Map(system.readers.map((url) => [url, new Set()]));
  await until(async () => {
    await staysPut(system, owners);
    for (const [url, rows] of seen) rows.add(await system.redis.command('HGET', 'readers', url));
    return [...seen.values()].every((rows) => rows.size > times);
  }, 'renewals');
}

for (const seconds of [-30, 30, 40 * 86_400]) {
  scenario(`Redis's clock set by ${seconds} s: live readers keep their videos, a dead one is replaced as fast as ever`, options, async (t) => {
    const { clock, system, owners } = await start(t);
    const dead = owners.get('v0');
    if (seconds > 30 * 86_400) owners.clear(); // Redis itself forgets what has not been used for 30 days
    await renewals(system, owners, 1);
    await system.program.end1(`reader-${system.readers.indexOf(dead) + 1}`, 'SIGKILL');
    clock.set(seconds);
    await until(async () => {
      await staysPut(system, owners, dead);
      return (await register(system, 'v0')).readerUrl !== dead;
    }, 'another reader', LEASE_MS + ROOM_MS);
    for (let i = 0; i < 12; i++) assert.notEqual(await owner(system, `new-${i}`), dead, 'no new video goes to a dead reader');
    await staysPut(system, owners, dead);
  });
}

scenario("Redis's clock set back and forth while readers run: no video moves", options, async (t) => {
  const { clock, system, owners } = await start(t);
  for (const seconds of [-30, 30, -3_600, 0]) {
    clock.set(seconds);
    await renewals(system, owners, 2);
  }
  assert.ok(!/lease_lapsed|lease_lost|reader_gone/.test(system.stderr), system.stderr);
});

scenario('a manager that starts after the clock was set back assigns no video to a reader that died long ago', options, async (t) => {
  const { clock, system, owners } = await start(t);
  const dead = owners.get('v0');
  await system.program.end1(`reader-${system.readers.indexOf(dead) + 1}`, 'SIGKILL');
  await until(async () => (await register(system, 'v0')).readerUrl !== dead, 'another reader', LEASE_MS + ROOM_MS);
  clock.set(-30);
  await system.program.end1('manager', 'SIGKILL');
  const url = await system.program.again('manager');
  const manager = { manager: url };
  await until(async () => (await fetch(`${url}/ready`)).status === 200, 'the manager');
  for (let i = 0; i < 12; i++) assert.notEqual(await owner(manager, `new-${i}`), dead);
});

scenario("the wall clock of a running `up` is set: its videos stay mapped, and none moves", { setups: ['embedded'], skip: withoutOwnFaketime }, async (t) => {
  const clock = new Clock(t.folder());
  const system = await t.system({ env: clock.env, flags: { 'log-age-ms': 1_000 } }); // so that it sweeps often
  const owners = new Map();
  for (let i = 0; i < 6; i++) owners.set(`v${i}`, await owner(system, `v${i}`));
  for (const seconds of [-30, 30, 40 * 86_400, -40 * 86_400, 0]) {
    clock.set(seconds);
    for (let i = 0; i < 100; i++) { // each one is followed by a sweep for old entries
      await post(system, 'busy', `comment ${i}`);
      if (i % 20 === 0) await staysPut(system, owners);
    }
    await staysPut(system, owners);
  }
  assert.ok(!/lease_lapsed|lease_lost|reader_gone/.test(system.stderr), system.stderr);
});

// Its predecessor had a higher generation, and by its end it will seem alive for an hour.
scenario('a reader that restarts with its clock set back takes over its URL at once', { ...options, skip: undefined }, async (t) => {
  const system = await t.system({ stable: true });
  const [reader] = system.readers;
  const row = async () => (await system.redis.command('HGET', 'readers', reader)).split(' ');
  await system.program.end1('reader-1', 'SIGKILL');
  const [ends, generation, ...rest] = await row();
  const ahead = [Number(ends) + 3_600_000, Number(generation) + 3_600_000];
  await system.redis.command('HSET', 'readers', reader, [...ahead, ...rest].join(' '));
  await system.program.again('reader-1');
  await until(async () => Number((await row())[1]) > ahead[1] && Number((await row())[0]) < ahead[0], 'its lease', LEASE_MS + ROOM_MS);
  await until(async () => (await register(system, `v${Math.random()}`)).readerUrl === reader, 'a video of its own');
});
