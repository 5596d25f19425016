// Set-ups: embedded.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { call, owner, post } from '../lib/api.mjs';
import { checkCors, checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// The largest file of the database: from now on no write may go beyond its end, as on a full disk.
const largest = (folder) => Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).size));

scenario('disk full: comments are 503, viewers stay, nothing is half done, and it recovers by itself', { disk: true, setups: ['embedded'] }, async (t) => {
  const system = await t.system({ stable: true });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const acknowledged = [await post(system, 'v', 'before')];
  await viewer.reaches(acknowledged[0].id);

  const send = (comment) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment } });
  system.program.limit({ fsize: largest(system.dataDir) });
  // There may be room left inside the files, so it takes a few to fill them.
  const refused = await until(async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => send(`${i} ${'x'.repeat(1_900)}`)));
    for (const { status, json } of answers) if (status === 201) acknowledged.push(json.comment);
    return answers.find(({ status }) => status !== 201);
  }, 'the disk to be full', 15_000);
  checkError(refused, 503);
  for (let i = 0; i < 20; i++) checkError(await send('x'.repeat(1_900)), 503, 'again');
  checkError(await call('POST', `${system.comment}/comment`, { json: { userid: '', videoid: 'v', comment: 'x' } }), 400);
  const health = await call('GET', `${system.comment}/health`);
  assert.equal(health.status, 200, 'alive');
  assert.equal(health.json.status, 'degraded', health.text);
  const ready = await call('GET', `${system.comment}/ready`);
  assert.equal(ready.status, 503);
  checkCors(ready);
  assert.equal(viewer.ended, false);
  const meanwhile = await t.watch(reader, { video: 'v', from: acknowledged[0].id });
  await system.program.says(/full|space|too large|write/i);

  system.program.limit({ fsize: 'unlimited' });
  const after = await until(async () => {
    const answer = await send('room again');
    return answer.status === 201 && answer.json.comment;
  }, 'comments to be taken again', 15_000);
  acknowledged.push(after);
  acknowledged.sort((a, b) => Number(a.id.split('-')[1]) - Number(b.id.split('-')[1]));
  for (const each of [viewer, meanwhile]) await each.reaches(after.id);
  const ids = (comments) => comments.map(({ id }) => id);
  assert.deepEqual(ids(viewer.comments), ids(acknowledged), 'what was refused was never shown');
  await until(async () => (await call('GET', `${system.comment}/ready`)).status === 200, 'readiness');

  await system.restart('SIGKILL');
  const replay = await t.watch(reader, { video: 'v', from: viewer.connected.id });
  await replay.reaches(after.id);
  assert.deepEqual(ids(replay.comments), ids(acknowledged));
});
