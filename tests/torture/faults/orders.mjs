// What an operator orders of readers while all else fails, and a crowd that comes and goes, so that a video gets more readers and
// loses them again. An order may be refused, as one for a reader that is dead; it does not hang.
import { pause } from '../../integration/lib/time.mjs';

const VIDEOS = ['one', 'two', 'three', 'stage'];

export const orderFaults = {
  move(world, dice) {
    const video = dice.pick(VIDEOS);
    return { on: video, locks: ['move'], run: () => world.order('move', video) };
  },
  drain(world, dice) {
    const name = `reader-${dice.between(1, 4)}`, ms = dice.between(500, 6_000);
    return { on: name, locks: ['drain'], run: async () => {
      await world.order('drain', name);
      await pause(ms);
      await world.order('stay', name);
    } };
  },
  crowdLeaves(world, dice) {
    const [share, ms] = [dice.next(), dice.between(500, 7_000)];
    return { on: 'viewers', locks: ['crowd'], run: async () => {
      for (const viewer of world.viewers) if (viewer.name.startsWith('crowd-') && dice.chance(share)) viewer.leaveFor(ms);
      await pause(ms);
    } };
  },
};
