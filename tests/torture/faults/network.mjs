// What happens between the parts, which need network namespaces of their own for it.
import { pause } from '../../integration/lib/time.mjs';
import { clientAddress, frontAddress } from '../network.mjs';

const NAMES = { [clientAddress]: 'clients', [frontAddress]: 'redis' };

// Two that speak to each other: a service, and Redis, its clients, or another service; or one Redis and the other.
function pair(world, dice) {
  const one = dice.pick(world.parts), others = world.parts.filter((part) => part !== one && part.role !== 'redis').map(({ name }) => name);
  if (one.role === 'redis') return [one.name, dice.pick([world.ofRole('redis').find((redis) => redis !== one).name, frontAddress])];
  return [one.name, dice.pick([clientAddress, ...(world.front ? [frontAddress, frontAddress] : []), ...others])];
}
const between = ([one, other], more = '') => `${one} and ${NAMES[other] ?? other}${more}`;
const lasting = (locks, on, ms, begin) => ({ on, locks, run: async () => {
  const ends = await begin();
  await pause(ms);
  for (const end of [ends].flat()) await end();
} });
const duration = (dice) => (dice.chance(0.2) ? dice.between(3_000, 8_000) : dice.between(200, 2_500));

export const networkFaults = {
  blackhole(world, dice) {
    const [one, other] = pair(world, dice), direction = dice.pick(['in', 'out']);
    return lasting([`net ${one} ${other}`], between([one, other], `, ${direction}`), duration(dice), () => world.network.block(one, other, direction));
  },
  partition(world, dice) {
    const [one, other] = pair(world, dice);
    return lasting([`net ${one} ${other}`], between([one, other]), duration(dice),
      () => Promise.all(['in', 'out'].map((direction) => world.network.block(one, other, direction))));
  },
  reset(world, dice) {
    const [one, other] = pair(world, dice);
    return lasting([`net ${one} ${other}`], between([one, other]), dice.between(50, 500), () => world.network.block(one, other, 'in', 'reset'));
  },
  slow(world, dice) {
    const { name } = dice.pick(world.parts), [direction, rate] = [dice.pick(['in', 'out']), dice.pick(['32kbit', '128kbit', '512kbit'])];
    return lasting([`slow ${name} ${direction}`], `${name}, ${direction}, ${rate}`, duration(dice), () => world.network.slow(name, direction, rate));
  },
  unplug(world, dice) {
    const { name } = dice.pick(world.parts);
    return lasting([`plug ${name}`], name, duration(dice), () => world.network.unplug(name));
  },
};
