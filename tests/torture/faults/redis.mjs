// What happens to two Redis servers of which the nemesis itself promotes one. One at a time, beside faults of other kinds. Where
// the store may lose what it has acknowledged, the world takes a note of it.
import { pause } from '../../integration/lib/time.mjs';

const fault = (on, run) => ({ on, locks: ['redis'], run });

// `run`, which may lose something.
const losing = (world, run) => fault('redis', async () => {
  const from = world.nowMs;
  try {
    await run();
  } finally {
    world.mayLose(from);
  }
});

// The one before is still alive, and accepts connections and writes.
async function promote(world, redis) {
  await redis.follow();
  world.store.primary = redis;
}
async function promoteOther(world, cutShare = () => true) {
  await promote(world, world.store.other);
  world.store.front.cut(cutShare);
}
async function bringBack(world, redis, follows) {
  await redis.begin();
  if (follows) await redis.follow(world.store.primary);
}

export const redisFaults = {
  // With its file: nothing is lost.
  redisKill(world, dice) {
    const ms = dice.below(2_000);
    return fault('redis', async () => {
      const { primary } = world.store;
      await primary.kill();
      await pause(ms);
      await primary.begin();
    });
  },
  redisLoseAll(world, dice) {
    const follows = dice.chance(0.7);
    return losing(world, async () => {
      const { primary } = world.store;
      await primary.kill();
      primary.forget();
      await primary.begin();
      if (follows) await world.store.other.follow(primary);
    });
  },
  redisStop(world, dice) {
    const ms = dice.below(4_000);
    return fault('redis', async () => {
      const { primary } = world.store;
      primary.signal('SIGSTOP');
      await pause(ms);
      primary.signal('SIGCONT');
    });
  },
  failover(world, dice) {
    const follows = dice.chance(0.8);
    return losing(world, async () => {
      await promoteOther(world);
      if (follows) await world.store.other.follow(world.store.primary);
    });
  },
  failoverAndBack(world, dice) {
    const [ms, syncs] = [dice.below(2_000), dice.chance(0.7)];
    return losing(world, async () => {
      await promoteOther(world);
      await world.store.other.follow(world.store.primary);
      if (syncs) await world.store.other.synced();
      await pause(ms);
      await promoteOther(world);
      await world.store.other.follow(world.store.primary);
    });
  },
  // Nobody leads the connections elsewhere, and none is cut.
  failoverAndBackUnnoticed(world, dice) {
    const ms = dice.below(500);
    return losing(world, async () => {
      const { primary, other } = world.store;
      await other.follow();
      await pause(ms);
      await primary.follow(other);
      await primary.synced();
      await primary.follow();
      await other.follow(primary);
    });
  },
  // Two masters, for a while.
  splitBrain(world, dice) {
    const [before, after] = [dice.below(600), dice.below(1_500)];
    return losing(world, async () => {
      await world.store.other.follow();
      await pause(before);
      await promoteOther(world, () => dice.chance(0.5));
      await pause(after);
      world.store.front.cut();
      await world.store.other.follow(world.store.primary);
    });
  },
  dieAndFailover(world, dice) {
    const ms = dice.below(1_000);
    return losing(world, async () => {
      const { primary } = world.store;
      await primary.kill();
      await promoteOther(world);
      await pause(ms);
      await bringBack(world, primary, true);
    });
  },
  flush: (world) => losing(world, () => world.store.primary.command('FLUSHALL')),
  resync: (world) => fault('redis', async () => {
    await world.store.other.follow();
    await world.store.other.follow(world.store.primary);
    await world.store.other.synced();
  }),
};
