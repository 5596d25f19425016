// storedComments.total is the number of comments ever stored, whatever was restarted meanwhile.
// CI also: up-redis. Each engine counts in its own way.
// Also on: cluster. Its parts are in different slots.
import { call, post, postMany, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const total = async (system) => (await statistics(system)).storedComments.total;
const isTotal = (system, count) => until(async () => {
  const found = await total(system);
  if (found !== count) throw new Error(`${found}`);
  return true;
}, `a total of ${count}`);

scenario('the total survives kill -9, and does not count repeats', { disk: true, ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true, redis: { fsync: 'always' } });
  let count = 0;
  for (let round = 0; round < 3; round++) {
    await postMany(system, 'v', 50);
    await post(system, 'v', 'once', { headers: { 'idempotency-key': `${round}` } });
    await post(system, 'v', 'once', { headers: { 'idempotency-key': `${round}` } });
    await call('POST', `${system.comment}/comment`, { json: { userid: 'poster', videoid: 'v', comment: 'other' }, headers: { 'idempotency-key': `${round}` } });
    count += 51;
    await system.restart('SIGKILL'); // at once: nothing may be reported later
    await isTotal(system, count);
  }
});

scenario('the total survives when the connections to Redis are cut', { setups: ['up-redis', 'processes'], ms: 60_000 }, async (t) => {
  const system = await t.system();
  let count = 0;
  for (let round = 0; round < 3; round++) {
    await postMany(system, `v${round}`, 40);
    count += 40;
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await until(async () => (await call('GET', `${system.comment}/ready`)).status === 200, 'to be ready again');
  }
  await isTotal(system, count);
});
