// What makes a store promote a replica by itself, or promotes one in order. Each is over when the shard has a primary and a replica
// again; the store is watched, so that what it may have lost is known (stores/watched.mjs).
import { pause } from '../../integration/lib/time.mjs';

// run(shard): what is done. others: of which shards it is.
export function toShard(world, dice, run, more = '', shards = [dice.pick(world.store.shards)]) {
  return { on: `${shards.map(({ name }) => name)}${more}`, locks: shards.map(({ lock }) => lock), run: async () => {
    try {
      await run(...shards);
    } finally {
      await world.store.settled();
    }
  } };
}
// Mostly for longer than a silence that counts as a death.
const away = (dice) => (dice.chance(0.7) ? dice.between(3_000, 8_000) : dice.below(3_000));

export async function killFor(server, ms) {
  await server.kill();
  await pause(ms);
  await server.begin();
}

export const failoverFaults = {
  primaryKill(world, dice) {
    const ms = away(dice);
    return toShard(world, dice, async (shard) => killFor(await shard.primary(), ms));
  },
  // It comes back as a replica, and gets its place back.
  primaryKillAndBack(world, dice) {
    const ms = away(dice);
    return toShard(world, dice, async (shard) => {
      const primary = await shard.primary();
      await killFor(primary, ms);
      await world.store.settled();
      if (await shard.primary() !== primary) await world.store.promote(shard);
    });
  },
  replicaKill(world, dice) {
    const ms = away(dice);
    return toShard(world, dice, async (shard) => killFor(await shard.replica(), ms));
  },
  bothKill(world, dice) {
    const ms = away(dice);
    return toShard(world, dice, (shard) => Promise.all(shard.servers.map((server) => killFor(server, ms))));
  },
  primaryStop(world, dice) {
    const ms = away(dice);
    return toShard(world, dice, async (shard) => {
      const primary = await shard.primary();
      primary.signal('SIGSTOP');
      await pause(ms);
      primary.signal('SIGCONT');
    });
  },
  // In order, and back.
  promotion(world, dice) {
    const [ms, back, how] = [dice.below(2_000), dice.chance(0.5), dice.pick(world.store.promotions)];
    return toShard(world, dice, async (shard) => {
      await world.store.promote(shard, how);
      await pause(ms);
      await world.store.settled();
      if (back) await world.store.promote(shard, how);
    }, `${how && `, ${how}`}`);
  },
};
