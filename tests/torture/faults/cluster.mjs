// What happens to a Redis Cluster as a whole: slots move, primaries are cut off from it, or most of them are gone.
import { pause } from '../../integration/lib/time.mjs';
import { toShard } from './failover.mjs';
import { apart } from './network.mjs';

// Whose slot may move: of videos, of their mappings, of what all share.
const KEYS = ['{video:one}', '{video:two}', '{video:three}', '{video:stage}', 'video:one:reader', 'readers', 'readers:next'];

function twoShards(world, dice) {
  const { shards } = world.store, first = dice.pick(shards);
  return [first, dice.pick(shards.filter((shard) => shard !== first))];
}

export const clusterFaults = {
  // There, and mostly back, a few keys at a time, with moments between in which some are there and others here.
  slots(world, dice) {
    const key = dice.pick(KEYS), [batch, ms, times] = [dice.pick([1, 3, 100]), dice.pick([0, 20, 300]), dice.between(1, 4)];
    return toShard(world, dice, async () => {
      for (let i = 0; i < times; i++) {
        const from = await world.store.shardOf(key), to = dice.pick(world.store.shards.filter((shard) => shard !== from));
        await world.store.move(key, from, to, { batch, between: () => pause(ms) });
      }
    }, `, ${key} ${times} times`, world.store.shards);
  },
  // Without most of its primaries it promotes nothing.
  quorumLost(world, dice) {
    const ms = dice.between(1_000, 5_000);
    return toShard(world, dice, async (...shards) => {
      const primaries = await Promise.all(shards.map((shard) => shard.primary()));
      await Promise.all(primaries.map((primary) => primary.kill()));
      await pause(ms);
      await Promise.all(primaries.map((primary) => primary.begin()));
    }, '', twoShards(world, dice));
  },
};

export const clusterPartitions = {
  // All others are out of its reach, but not what uses it: it goes on for a moment, and its replica is promoted.
  primaryAlone(world, dice) {
    const ms = dice.between(1_000, 8_000);
    return toShard(world, dice, async (shard) => {
      const primary = await shard.primary();
      await apart(world, [primary], world.store.servers.filter((server) => server !== primary), ms);
    });
  },
};
