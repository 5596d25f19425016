// What happens to Redis. One at a time, beside faults of other kinds. Where the store may lose what it has acknowledged, the
// world takes a note of it.
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
  world.primary = redis;
}
async function promoteOther(world, cutShare = () => true) {
  await promote(world, world.other);
  world.front.cut(cutShare);
}
async function bringBack(world, redis, follows) {
  await redis.begin();
  if (follows) await redis.follow(world.primary);
}

export const redisFaults = {
  // With its file: nothing is lost.
  redisKill(world, dice) {
    const ms = dice.below(2_000);
    return fault('redis', async () => {
      const { primary } = world;
      await primary.kill();
      await pause(ms);
      await primary.begin();
    });
  },
  redisLoseAll(world, dice) {
    const follows = dice.chance(0.7);
    return losing(world, async () => {
      const { primary } = world;
      await primary.kill();
      primary.forget();
      await primary.begin();
      if (follows) await world.other.follow(primary);
    });
  },
  redisStop(world, dice) {
    const ms = dice.below(4_000);
    return fault('redis', async () => {
      const { primary } = world;
      primary.signal('SIGSTOP');
      await pause(ms);
      primary.signal('SIGCONT');
    });
  },
  failover(world, dice) {
    const follows = dice.chance(0.8);
    return losing(world, async () => {
      await promoteOther(world);
      if (follows) await world.other.follow(world.primary);
    });
  },
  failoverAndBack(world, dice) {
    const [ms, syncs] = [dice.below(2_000), dice.chance(0.7)];
    return losing(world, async () => {
      await promoteOther(world);
      await world.other.follow(world.primary);
      if (syncs) await world.other.synced();
      await pause(ms);
      await promoteOther(world);
      await world.other.follow(world.primary);
    });
  },
  // Nobody leads the connections elsewhere, and none is cut.
  failoverAndBackUnnoticed(world, dice) {
    const ms = dice.below(500);
    return losing(world, async () => {
      const { primary, other } = world;
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
      await world.other.follow();
      await pause(before);
      await promoteOther(world, () => dice.chance(0.5));
      await pause(after);
      world.front.cut();
      await world.other.follow(world.primary);
    });
  },
  dieAndFailover(world, dice) {
    const ms = dice.below(1_000);
    return losing(world, async () => {
      const { primary } = world;
      await primary.kill();
      await promoteOther(world);
      await pause(ms);
      await bringBack(world, primary, true);
    });
  },
  flush: (world) => losing(world, () => world.primary.command('FLUSHALL')),
  resync: (world) => fault('redis', async () => {
    await world.other.follow();
    await world.other.follow(world.primary);
    await world.other.synced();
  }),
  clientKill(world, dice) {
    const type = dice.pick(['normal', 'pubsub', 'replica']);
    return fault(`redis, ${type}`, () => world.primary.command('CLIENT', 'KILL', 'TYPE', type));
  },
  clientPause(world, dice) {
    const [ms, what] = [dice.between(100, 3_000), dice.pick(['ALL', 'WRITE'])];
    return fault('redis', async () => {
      await world.primary.command('CLIENT', 'PAUSE', ms, what);
      await pause(ms);
    });
  },
  maxmemory(world, dice) {
    const ms = dice.between(200, 3_000);
    return fault('redis', async () => {
      await world.primary.command('CONFIG', 'SET', 'maxmemory', 1);
      await pause(ms);
      await world.primary.command('CONFIG', 'SET', 'maxmemory', 0);
    });
  },
  readOnly(world, dice) {
    const ms = dice.between(200, 3_000);
    return fault('redis', async () => {
      await world.primary.command('CONFIG', 'SET', 'min-replicas-to-write', 5);
      await pause(ms);
      await world.primary.command('CONFIG', 'SET', 'min-replicas-to-write', 0);
    });
  },
  acl(world, dice) {
    const [right, ms] = [dice.pick(['-publish', '-subscribe', '-xadd', '-xrange', '-info', '-evalsha', 'resetchannels']), dice.between(200, 3_000)];
    return fault(`redis, ${right}`, async () => {
      await world.primary.command('ACL', 'SETUSER', 'default', right);
      await pause(ms);
      await world.primary.command('ACL', 'SETUSER', 'default', right === 'resetchannels' ? 'allchannels' : right.replace('-', '+'));
    });
  },
  scriptFlush: (world) => fault('redis', () => world.primary.command('SCRIPT', 'FLUSH')),
};
