// What happens between the parts, which need network namespaces of their own for it.
import { pause } from '../../integration/lib/time.mjs';
import { clientAddress, frontAddress } from '../network.mjs';
import { touching } from './touching.mjs';

const NAMES = { [clientAddress]: 'clients', [frontAddress]: 'redis' };

// Two that speak to each other: a service, and a server of the store, its clients, or another service; or two servers of the store.
function pair(world, dice) {
  const one = dice.pick(world.parts), others = world.services.filter((part) => part !== one).map(({ name }) => name);
  if (one.isStore) return [one.name, dice.pick(world.store.beside(one))];
  return [one.name, dice.pick([clientAddress, ...(world.store?.doors ?? []), ...others])];
}
const between = ([one, other], more = '') => `${one} and ${NAMES[other] ?? other}${more}`;
// names: the parts concerned.
const lasting = (world, names, locks, on, ms, begin) => touching(world, names, { on, locks, run: async () => {
  const ends = await begin();
  await pause(ms);
  for (const end of [ends].flat()) await end();
} });
// Nothing passes between the ones and the others.
export async function apart(world, ones, others, ms) {
  const ends = [];
  try {
    for (const { name } of ones) {
      for (const other of others) for (const direction of ['in', 'out']) ends.push(await world.network.block(name, other.name, direction));
    }
    await pause(ms);
  } finally {
    for (const end of ends) await end();
  }
}
const duration = (dice) => (dice.chance(0.2) ? dice.between(3_000, 8_000) : dice.between(200, 2_500));

export const networkFaults = {
  blackhole(world, dice) {
    const [one, other] = pair(world, dice), direction = dice.pick(['in', 'out']);
    return lasting(world, [one, other], [`net ${one} ${other}`], between([one, other], `, ${direction}`), duration(dice), () => world.network.block(one, other, direction));
  },
  partition(world, dice) {
    const [one, other] = pair(world, dice);
    return lasting(world, [one, other], [`net ${one} ${other}`], between([one, other]), duration(dice),
      () => Promise.all(['in', 'out'].map((direction) => world.network.block(one, other, direction))));
  },
  reset(world, dice) {
    const [one, other] = pair(world, dice);
    return lasting(world, [one, other], [`net ${one} ${other}`], between([one, other]), dice.between(50, 500), () => world.network.block(one, other, 'in', 'reset'));
  },
  slow(world, dice) {
    const { name } = dice.pick(world.parts), [direction, rate] = [dice.pick(['in', 'out']), dice.pick(['32kbit', '128kbit', '512kbit'])];
    return lasting(world, [name], [`slow ${name} ${direction}`], `${name}, ${direction}, ${rate}`, duration(dice), () => world.network.slow(name, direction, rate));
  },
  unplug(world, dice) {
    const { name } = dice.pick(world.parts);
    return lasting(world, [name], [`plug ${name}`], name, duration(dice), () => world.network.unplug(name));
  },
};
