// What happens to Sentinels: they die, most of them are gone, or one does not hear of a failover and goes on naming the old primary.
import { pause } from '../../integration/lib/time.mjs';
import { killFor, toShard } from './failover.mjs';
import { apart } from './network.mjs';

const others = (world, sentinel) => world.store.sentinels.filter((each) => each !== sentinel);

export const sentinelFaults = {
  sentinelKill(world, dice) {
    const sentinel = dice.pick(world.store.sentinels), ms = dice.below(5_000);
    return toShard(world, dice, () => killFor(sentinel, ms), `, ${sentinel.name}`);
  },
  // The primary dies while they cannot promote anything, and may come back first.
  quorumLost(world, dice) {
    const two = others(world, dice.pick(world.store.sentinels)), [ms, back] = [dice.between(1_000, 5_000), dice.between(1_000, 9_000)];
    return toShard(world, dice, async (shard) => {
      const primary = await shard.primary();
      await Promise.all([...two.map((sentinel) => killFor(sentinel, ms)), killFor(primary, back)]);
    }, ', two Sentinels');
  },
};

export const sentinelPartitions = {
  // Services reach it as ever.
  staleSentinel(world, dice) {
    const stale = dice.pick(world.store.sentinels), [ms, dies] = [dice.between(5_000, 9_000), dice.chance(0.5)];
    return toShard(world, dice, async (shard) => {
      const away = apart(world, [stale], [...world.store.servers, ...others(world, stale)], ms);
      await pause(500);
      const primary = await shard.primary();
      if (dies) await killFor(primary, ms - 1_000);
      else await world.store.promote(shard, '', others(world, stale)[0]).catch(() => {}); // no replica is good enough at this moment
      await away;
    }, `, ${stale.name}`);
  },
  // What uses it goes on with it until it hears of the new one.
  primaryAlone(world, dice) {
    const ms = dice.between(1_000, 8_000);
    return toShard(world, dice, async (shard) => {
      const primary = await shard.primary();
      await apart(world, [primary], world.parts.filter((part) => part.isStore && part !== primary), ms);
    });
  },
};
