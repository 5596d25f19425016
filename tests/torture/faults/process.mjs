// What happens to one process, of any role, or to the one of `up`. Each function draws what it needs and returns {on, locks, run}:
// what it is done to, what no other fault may be done to meanwhile, and the deed, which also ends it.
import { pause } from '../../integration/lib/time.mjs';

const toService = (world, dice, run) => {
  const part = dice.pick(world.services);
  return { on: part.name, locks: [part.name], run: () => run(part) };
};
// Longer than a lease lasts, now and then.
const absence = (dice) => (dice.chance(0.25) ? dice.between(3_500, 7_000) : dice.below(1_500));

export const processFaults = {
  kill(world, dice) {
    const ms = absence(dice);
    return toService(world, dice, async (part) => {
      await part.kill();
      await pause(ms);
      part.start();
    });
  },
  restart(world, dice) {
    return toService(world, dice, async (part) => {
      await part.kill('SIGTERM');
      part.start();
    });
  },
  crashLoop(world, dice) {
    const lives = Array.from({ length: dice.between(3, 7) }, () => dice.below(400));
    return toService(world, dice, async (part) => {
      for (const ms of lives) {
        await part.kill();
        part.start();
        await pause(ms);
      }
      await part.kill();
      part.start();
    });
  },
  stop(world, dice) {
    const ms = absence(dice);
    return toService(world, dice, async (part) => {
      part.signal('SIGSTOP');
      await pause(ms);
      part.signal('SIGCONT');
    });
  },
  // It has a few more than it uses, or not even those.
  descriptors(world, dice) {
    const [more, ms] = [dice.between(-10, 10), dice.between(500, 4_000)];
    return toService(world, dice, async (part) => {
      if (!part.running) return;
      part.limit({ nofile: Math.max(part.program.descriptors() + more, 3) });
      await pause(ms);
      part.limit({ nofile: 4_096 });
    });
  },
};

// Redis Cluster and Sentinels measure silence by the wall clock, and may take a healthy server for dead, or none for alive, for as
// long as it was stepped.
const mayStep = (world) => world.parts.filter(({ name }) => !world.store?.locksOf(name).length);

export const clockFaults = {
  clock(world, dice) {
    const part = dice.pick(mayStep(world)), [seconds, back] = [dice.pick([-3_600, -60, -5, -1, 1, 5, 60, 3_600]), dice.chance(0.5)];
    return { on: part.name, locks: [`clock ${part.name}`], run: async () => {
      part.clock.set(seconds);
      await pause(1_000);
      if (back) part.clock.set(0);
    } };
  },
};

// Viewers that are cut by themselves, and resume.
export const viewerFaults = {
  leave(world, dice) {
    const share = dice.next();
    return { on: 'viewers', locks: [], run: async () => {
      for (const viewer of world.viewers) if (dice.chance(share)) viewer.drop?.();
    } };
  },
};
