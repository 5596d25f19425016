import assert from 'node:assert/strict';
import { call, post } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const send = (system, user) => call('POST', `${system.comment}/comment`, { json: { userid: user, videoid: 'v', comment: 'hi' } });

scenario('--user-rate: too many comments are 429 with Retry-After for a while, and other users are not affected', async (t) => {
  const system = await t.system({ flags: { 'user-rate': 1 } });
  const answers = [];
  for (let i = 0; i < 10; i++) answers.push(await send(system, 'hasty'));
  assert.equal(answers[0].status, 201);
  const refused = answers.filter(({ status }) => status !== 201);
  assert.ok(refused.length >= 5, `${refused.length} of 10 refused`);
  for (const answer of refused) checkError(answer, 429);
  await post(system, 'v', 'from another', { user: 'calm' });
  await until(async () => (await send(system, 'hasty')).status === 201, 'to be let in again', 5_000);
});

scenario('without --user-rate there is no limit', async (t) => {
  const system = await t.system();
  const answers = await Promise.all(Array.from({ length: 200 }, () => send(system, 'hasty')));
  assert.ok(answers.every(({ status }) => status === 201));
});
