// CI also: up-redis. Each engine keeps keys in its own way.
// Also on: cluster. Its parts are in different slots.
import assert from 'node:assert/strict';
import { call, owner, post, postMany } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

const keyed = (system, key, json) => call('POST', `${system.comment}/comment`, { json, headers: { 'idempotency-key': key } });
const comment = { userid: 'u', videoid: 'v', comment: 'once' };

scenario('a repeat with the same Idempotency-Key gets the first response, and is shown once', async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const first = await keyed(system, 'key-1', comment);
  assert.equal(first.status, 201, first.text);
  const repeats = await Promise.all(Array.from({ length: 20 }, () => keyed(system, 'key-1', comment)));
  for (const repeat of repeats) assert.deepEqual([repeat.status, repeat.json], [201, first.json]);
  const other = await keyed(system, 'key-2', comment);
  assert.notEqual(other.json.comment.id, first.json.comment.id);
  const last = await post(system, 'v', 'end');
  await viewer.reaches(last.id);
  assert.deepEqual(viewer.comments.map(({ id }) => id), [first.json.comment.id, other.json.comment.id, last.id]);
});

scenario('the same Idempotency-Key with another body is 422 key_reused, and nothing is stored', async (t) => {
  const system = await t.system();
  const named = { ...comment, name: 'Ann' };
  const first = await keyed(system, 'k', named);
  assert.equal(first.status, 201, first.text);
  for (const change of [{ comment: 'twice' }, { comment: 'once ' }, { comment: 'oncE' }, { name: 'Bob' }, { name: undefined }]) {
    const answer = await keyed(system, 'k', { ...named, ...change });
    checkError(answer, 422);
    assert.equal(answer.json.code, 'key_reused');
  }
  // The parsed fields count, not the bytes of the body.
  const sameText = '{"name":"\\u0041nn", "comment":"x","extra":[1],"videoid":"v","comment":"\\u006fnce","userid":"u"}';
  const again = await call('POST', `${system.comment}/comment`, { body: sameText, headers: { 'content-type': 'application/json', 'idempotency-key': 'k' } });
  assert.deepEqual([again.status, again.json], [201, first.json]);
  assert.match((await post(system, 'v', 'next')).id, /-2$/, 'no number was used up');
});

scenario('a repeat gets the first response even when the entry is no longer kept', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 5, 'log-min-age-ms': 0 } });
  const first = await keyed(system, 'k', comment);
  await postMany(system, 'v', 300);
  const again = await keyed(system, 'k', comment);
  assert.deepEqual([again.status, again.json], [201, first.json]);
  checkError(await keyed(system, 'k', { ...comment, comment: 'other' }), 422);
});

scenario('twenty at once with one Idempotency-Key are one comment', async (t) => {
  const system = await t.system();
  const answers = await Promise.all(Array.from({ length: 20 }, () => keyed(system, 'k', comment)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
  assert.match((await post(system, 'v', 'next')).id, /-2$/);
});

scenario('an Idempotency-Key holds through kill -9', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const first = await keyed(system, 'k', comment);
  await system.restart('SIGKILL');
  const again = await keyed(system, 'k', comment);
  assert.deepEqual([again.status, again.json], [201, first.json]);
});

scenario('a key of one user or video does not affect another', async (t) => {
  const system = await t.system();
  const first = (await keyed(system, '1', comment)).json.comment;
  for (const change of [{ userid: 'other' }, { videoid: 'other' }]) {
    const json = { ...comment, ...change, comment: 'mine' };
    const answer = await keyed(system, '1', json);
    if (answer.status === 201) {
      assert.equal(answer.json.comment.comment, 'mine', 'never 2xx for something not done');
      assert.equal(answer.json.comment.userid, json.userid);
      assert.notDeepEqual(answer.json.comment, first);
    } else {
      checkError(answer, [400, 409, 422]);
    }
  }
});

scenario('a key that is too long is refused, an empty one ignored', async (t) => {
  const system = await t.system();
  for (const key of ['', 'x'.repeat(10_000), 'é"\\', "'; drop table log; --"]) {
    const answer = await keyed(system, key, comment);
    if (answer.status !== 201) checkError(answer, [400, 431], key.slice(0, 10));
  }
  await post(system, 'v', 'well');
});
