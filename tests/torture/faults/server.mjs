// What happens to the primary of a shard, whatever the store. One at a time for each shard, beside faults of other kinds.
import { pause } from '../../integration/lib/time.mjs';

// run(primary): what is done to it. more: what else the report says.
function toPrimary(world, dice, run, more = '') {
  const { store } = world, shard = dice.pick(store.shards);
  return { on: `${shard.name}${more}`, locks: [shard.lock], run: async () => run(await shard.primary()) };
}
// A setting, for `ms`.
const set = (world, dice, name, value, ms) => toPrimary(world, dice, async (primary) => {
  await primary.command('CONFIG', 'SET', name, value);
  await pause(ms);
  await primary.command('CONFIG', 'SET', name, 0);
});

export const serverFaults = {
  clientKill(world, dice) {
    const type = dice.pick(['normal', 'pubsub', 'replica']);
    return toPrimary(world, dice, (primary) => primary.command('CLIENT', 'KILL', 'TYPE', type), `, ${type}`);
  },
  clientPause(world, dice) {
    const [ms, what] = [dice.between(100, 3_000), dice.pick(['ALL', 'WRITE'])];
    return toPrimary(world, dice, async (primary) => {
      await primary.command('CLIENT', 'PAUSE', ms, what);
      await pause(ms);
    });
  },
  maxmemory: (world, dice) => set(world, dice, 'maxmemory', 1, dice.between(200, 3_000)),
  readOnly: (world, dice) => set(world, dice, 'min-replicas-to-write', 5, dice.between(200, 3_000)),
  acl(world, dice) {
    const [right, ms] = [dice.pick(['-publish', '-subscribe', '-xadd', '-xrange', '-info', '-evalsha', 'resetchannels']), dice.between(200, 3_000)];
    return toPrimary(world, dice, async (primary) => {
      await primary.command('ACL', 'SETUSER', 'default', right);
      await pause(ms);
      await primary.command('ACL', 'SETUSER', 'default', right === 'resetchannels' ? 'allchannels' : right.replace('-', '+'));
    }, `, ${right}`);
  },
  scriptFlush: (world, dice) => toPrimary(world, dice, (primary) => primary.command('SCRIPT', 'FLUSH')),
};
