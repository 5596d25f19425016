// CI also: up-redis, asan. Each engine reads its log in its own way.
// Also on: cluster. Its parts are in different slots.
import assert from 'node:assert/strict';
import { call, post, postMany } from '../lib/api.mjs';
import { checkCors } from '../lib/checks.mjs';
import { parseId } from '../lib/journal.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const list = (system, video, query = {}) => call('GET', `${system.comment}/videos/${video}/comments?${new URLSearchParams(query)}`);

// The page, after a look at what every answer has.
async function page(system, video, query) {
  const { status, headers, json, text } = await list(system, video, query);
  assert.equal(status, 200, text);
  assert.deepEqual(Object.keys(json), ['videoid', 'comments', 'more']);
  assert.equal(json.videoid, video);
  assert.equal(headers['cache-control'], 'no-store');
  return json;
}

scenario('the newest comments, oldest first, as in the stream and as they were posted', async (t) => {
  const system = await t.system();
  const stored = await postMany(system, 'v', 60);
  stored.push(await post(system, 'v', 'a "quoted" \u00e9\n\u2028 text', { name: 'Zo\u00eb' }));
  assert.deepEqual(await page(system, 'v'), { videoid: 'v', comments: stored.slice(-50), more: true });
  assert.deepEqual(await page(system, 'v', { limit: 3 }), { videoid: 'v', comments: stored.slice(-3), more: true });
  assert.deepEqual(await page(system, 'v', { limit: 61 }), { videoid: 'v', comments: stored, more: false });
  assert.deepEqual(await page(system, 'v', { limit: 200 }), { videoid: 'v', comments: stored, more: false });
});

scenario('page by page, backwards to the first comment and forwards to the last, across epochs', { disk: true }, async (t) => {
  const system = await t.system({ stable: true, redis: { fsync: 'always' } });
  const stored = await postMany(system, 'v', 20);
  await system.restartAll('SIGKILL');
  stored.push(...await postMany(system, 'v', 20));
  for (const limit of [1, 7, 20, 39, 40]) {
    const back = [];
    for (let query = { limit }; ;) {
      const { comments, more } = await page(system, 'v', query);
      back.unshift(...comments);
      if (!more) break;
      assert.equal(comments.length, limit);
      query = { limit, before: comments[0].id };
    }
    assert.deepEqual(back, stored);
    const forth = [];
    for (let after = `${parseId(stored[0].id).epoch}-0`; ;) {
      const { comments, more } = await page(system, 'v', { limit, after });
      forth.push(...comments);
      if (!more) break;
      assert.equal(comments.length, limit);
      after = comments.at(-1).id;
    }
    assert.deepEqual(forth, stored);
  }
});

scenario('before and after: any position will do, and both bound the page', async (t) => {
  const system = await t.system();
  const stored = await postMany(system, 'v', 20);
  const { epoch } = parseId(stored[0].id);
  const ids = async (query) => {
    const { comments, more } = await page(system, 'v', query);
    return [comments.map(({ id }) => parseId(id).seq), more];
  };
  assert.deepEqual(await ids({ after: stored[15].id }), [[17, 18, 19, 20], false]);
  assert.deepEqual(await ids({ after: stored[15].id, before: stored[18].id }), [[17, 18], false]);
  assert.deepEqual(await ids({ after: stored[4].id, before: stored[18].id, limit: 3 }), [[6, 7, 8], true]);
  assert.deepEqual(await ids({ after: stored[4].id, before: stored[8].id, limit: 3 }), [[6, 7, 8], false]);
  assert.deepEqual(await ids({ after: stored[8].id, before: stored[4].id }), [[], false]);
  assert.deepEqual(await ids({ before: `${epoch}-1` }), [[], false]);
  assert.deepEqual(await ids({ before: '1-0' }), [[], false]);
  assert.deepEqual(await ids({ before: `${epoch + 1}-0`, limit: 2 }), [[19, 20], true]);
  assert.deepEqual(await ids({ before: '9223372036854775807-9223372036854775807', limit: 1 }), [[20], true]);
  assert.deepEqual(await ids({ after: `${epoch}-20` }), [[], false]);
  assert.deepEqual(await ids({ after: `${epoch + 1}-5` }), [[], false]);
  assert.deepEqual(await ids({ after: '1-0', limit: 1 }), [[1], true]);
});

scenario('a video without comments lists none, and is not created by asking', async (t) => {
  const system = await t.system();
  for (const query of [{}, { before: '5-5' }, { after: '5-5' }])
    assert.deepEqual(await page(system, 'none', query), { videoid: 'none', comments: [], more: false });
  assert.equal((await call('GET', `${system.comment}/resolve/none`)).status, 404);
});

scenario('what is malformed gets 400 with a code', async (t) => {
  const system = await t.system();
  await post(system, 'v', 'one');
  const bad = [];
  for (const limit of ['0', '201', '-1', '1.5', '5x', '', ' 5', 'all', '99999999999999999999']) bad.push({ limit });
  for (const id of ['x', '', '1', '1-', '-1', '0-5', '1-2-3', ' 1-2', '1-99999999999999999999']) bad.push({ before: id }, { after: id });
  for (const query of bad) {
    const { status, json } = await list(system, 'v', query);
    assert.deepEqual([status, json?.code], [400, 'invalid_field'], JSON.stringify(query));
    assert.match(json.error, new RegExp(`^${Object.keys(query)[0]} must be `));
  }
  for (const video of ['a%20b', 'a%2Fb', 'x'.repeat(129)]) assert.equal((await list(system, video)).status, 400, video);
  for (const path of ['/videos/v/comment', '/videos/v/comments/5/6', '/videos/v/w/comments'])
    assert.equal((await call('GET', system.comment + path)).status, 404, path);
  assert.equal((await call('GET', `${system.comment}/videos/v/comments/5`)).status, 405, 'which can only be deleted');
  const posted = await call('POST', `${system.comment}/videos/v/comments`, { json: {} });
  assert.deepEqual([posted.status, posted.headers.allow], [405, 'GET, HEAD, OPTIONS']);
});

scenario('browsers may ask: CORS, HEAD, and slashes are forgiven', async (t) => {
  const system = await t.system();
  await postMany(system, 'v', 3);
  const answer = await list(system, 'v');
  checkCors(answer, 'a listing');
  assert.equal((await call('GET', `${system.comment}//videos/v/comments/`)).text, answer.text);
  const client = await RawClient.connect(system.comment);
  client.send(requestBytes('HEAD', '/videos/v/comments'));
  const head = await client.answer({ head: true });
  assert.deepEqual([head.status, head.headers['content-length']], [200, answer.headers['content-length']]);
  client.destroy();
});

scenario('a page of the longest comments has a bound', async (t) => {
  const system = await t.system();
  const stored = await postMany(system, 'v', 200, { text: () => '"'.repeat(2_000), atOnce: 32 });
  const { comments, more } = await page(system, 'v', { limit: 200 });
  assert.deepEqual(comments, stored);
  assert.equal(more, false);
});

scenario('what has expired is not listed', async (t) => {
  const system = await t.system({ flags: { 'log-age-ms': 1_000 } });
  await postMany(system, 'v', 3);
  await until(async () => !(await page(system, 'v')).comments.length, 'comments to expire', 20_000);
  const next = await post(system, 'v', 'next');
  assert.deepEqual(await page(system, 'v', { limit: 1 }), { videoid: 'v', comments: [next], more: false });
});

scenario('503 while the store is away', { setups: ['up-redis', 'processes'] }, async (t) => {
  const system = await t.system();
  const [stored] = await postMany(system, 'v', 1);
  await system.redis.stop();
  const { status, headers, json } = await until(async () => {
    const answer = await list(system, 'v');
    return answer.status !== 200 && answer;
  }, 'a refusal');
  assert.deepEqual([status, json.code], [503, 'store_unavailable']);
  assert.match(headers['retry-after'], /^[1-9]\d*$/);
  await system.redis.start();
  const again = await until(async () => {
    const answer = await list(system, 'v');
    return answer.status === 200 && answer;
  }, 'an answer', 20_000);
  assert.ok(again.json.comments.every(({ id }) => id === stored.id));
});
