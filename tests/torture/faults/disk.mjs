// The file system of a store is full to the last block, which needs a mount of its own. A Redis that is killed while it is may
// need its file repaired: nothing else happens to Redis until it has written what it kept back.
import { pause, until } from '../../integration/lib/time.mjs';
import { PATIENCE_MS } from '../part.mjs';
import { fillUp } from '../world.mjs';

export const diskFaults = {
  diskFull(world, dice) {
    const part = dice.pick(world.parts.filter(({ folder }) => folder)), ms = dice.between(300, 4_000);
    return { on: part.name, locks: [part.role === 'redis' ? 'redis' : `disk ${part.name}`], run: async () => {
      const free = fillUp(part.folder);
      await pause(ms);
      free();
      if (part.role === 'redis') await until(async () => /aof_last_write_status:ok/.test(await part.command('INFO', 'persistence')), 'a Redis to write again', PATIENCE_MS / 2);
    } };
  },
};
