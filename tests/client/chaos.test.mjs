// The client against a server that cuts, redirects, refuses, stalls, repeats and reorders, at random with a seed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Clock } from './lib/clock.mjs';
import { FakeWorld } from './lib/fake-world.mjs';
import { Random, forSeeds } from './lib/random.mjs';
import { Watcher } from './lib/watcher.mjs';

const FAULTS = { cut: 0.4, redirect: 0.2, loop: 0.05, refuse: 0.25, stall: 0.1, silence: 0.1, repeat: 0.1, end: 0.02, tombstone: 0.05, moment: 0.1 };

// Each seed has some of the faults; those that lose something are a matter of their own.
async function story(random, losing = {}) {
  const clock = new Clock(), faults = Object.fromEntries(Object.entries(FAULTS).filter(() => random.chance(0.6)));
  const world = new FakeWorld(clock, random, { ...faults, ...losing });
  for (let i = random.below(100); i > 0; i--) world.append();
  const history = random.pick([0, 0, 20, 200]);
  const watchers = [];
  for (let i = 0; i < 120; i++) {
    if (i % 40 === 0) {
      const watcher = new Watcher(world, { name: `client ${i}`, history, viewers: random.chance(0.5) });
      watchers.push(watcher);
    }
    for (let posts = random.below(6); posts > 0; posts--) world.append();
    if (random.chance(0.05)) world.move(random.chance(0.5));
    if (losing.reorder && random.chance(0.03)) world.newEpoch(random.below(5));
    if (losing.reorder && random.chance(0.03)) world.kept = Math.max(world.kept, world.log.length - random.below(30));
    await clock.pass(random.pick([10, 100, 1_000, 20_000]));
  }
  world.faults = {};
  await clock.pass(90_000);
  world.append('the last');
  await clock.pass(90_000); // for streams that are still to fail
  for (const watcher of watchers) {
    watcher.check();
    watcher.live.close();
  }
  return { world, watchers };
}

test('each comment is shown once and in order, whatever the server does', async () => {
  await forSeeds(25, async (random) => {
    const { watchers } = await story(random);
    for (const { gaps } of watchers) assert.deepEqual(gaps, [], 'nothing was lost');
  });
});

test('what the server has lost or mixed up is covered by a gap', async () => {
  await forSeeds(25, (random) => story(random, { reorder: 0.02 }));
});
