import assert from 'node:assert/strict';
import { call, post, register, resolve, statistics } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('--max-videos bounds the mappings; those that are there go on', { setups: ['embedded', 'up-redis'] }, async (t) => {
  const system = await t.system({ flags: { 'max-videos': 5, 'statistics-interval-ms': 100 } });
  for (let i = 0; i < 5; i++) await post(system, `v${i}`, 'in time');
  for (let i = 5; i < 20; i++) {
    const json = { userid: 'u', videoid: `v${i}`, comment: 'too many' };
    for (const [path, good] of [['comment', 201], ['register', 200]]) {
      const answer = await call('POST', `${system.comment}/${path}`, { json });
      if (answer.status !== good) checkError(answer, [429, 503], path);
    }
  }
  const count = async () => (await statistics(system)).readerApiManager.registeredVideos;
  await until(async () => (await count()) === 5, 'five mappings');
  const kept = await Promise.all([0, 1, 2, 3, 4].map((i) => resolve(system, `v${i}`).catch(() => undefined)));
  if (kept.every(Boolean)) await post(system, 'v0', 'still here');
});

scenario('--max-videos of many processes: counted once a second, and then it holds', { setups: ['processes'] }, async (t) => {
  const system = await t.system({ flags: { 'max-videos': 5 } });
  for (let i = 0; i < 5; i++) await register(system, `v${i}`);
  let tries = 0;
  const refused = await until(async () => {
    const answer = await call('POST', `${system.manager}/register`, { json: { videoid: `more-${tries++}` } });
    return answer.status !== 200 && answer;
  }, 'a refusal', 5_000);
  checkError(refused, [429, 503]);
  for (let i = 0; i < 20; i++) checkError(await call('POST', `${system.manager}/register`, { json: { videoid: `late-${i}` } }), [429, 503]);
  for (let i = 0; i < 5; i++) await resolve(system, `v${i}`);
  await post(system, 'v0', 'still here');
});
