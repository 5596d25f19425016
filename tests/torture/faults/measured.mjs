// What recovery is measured by (bench/recovery), one at a time. The nemesis has more of the kind; these end only when nothing is
// left to recover, so that the next one finds everything as it was.
import { pause, until } from '../../integration/lib/time.mjs';
import { PATIENCE_MS } from '../part.mjs';

// The reader that has the most viewers dies, and is started again once all of them are back. kill: the nemesis's record of it.
async function killBusiest(world, kill, beside) {
  await pause(11_000); // our client counts a stream as stable after 10 s; one that is cut before is the same outage as the last
  const owners = new Map();
  for (const { reader } of world.viewers) owners.set(reader, (owners.get(reader) ?? 0) + 1);
  const [[url]] = [...owners].sort(([, a], [, b]) => b - a);
  const part = world.parts.find((each) => each.url === url);
  kill.beganMs = world.nowMs;
  await Promise.all([part.kill(), beside?.()]);
  await pause(500); // until all have noticed
  try {
    const away = () => world.viewers.filter(({ live }) => !live).map(({ name }) => name);
    await until(() => !away().length, () => `viewers to be back: ${away()}`, PATIENCE_MS / 2);
  } finally {
    part.start();
  }
  await pause(4_000); // until all know its lease
}

export const measuredFaults = {
  readerKill: (world) => ({ on: 'the busiest reader', locks: [], run: (record) => killBusiest(world, record) }),
  readerKillInFailover: (world) => ({ on: 'the busiest reader, and redis', locks: [], run: async (record) => {
    const from = world.nowMs;
    await killBusiest(world, record, async () => {
      const old = world.store.primary;
      await old.kill();
      await pause(1_000); // until it is noticed by what decides
      await world.store.other.follow();
      world.store.primary = world.store.other;
      world.store.front.cut();
      await old.begin();
      await old.follow(world.store.primary);
    });
    await world.store.other.synced();
    world.mayLose(from);
  } }),
  redisRestart: (world) => ({ on: 'redis', locks: [], run: async () => {
    await world.store.primary.kill();
    await world.store.primary.begin();
  } }),
};
