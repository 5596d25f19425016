// --review-hook: what the hook answers is what becomes of a comment.
// CI also: processes. There the comment API asks for itself.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../lib/api.mjs';
import { scrape, sum } from '../lib/exposition.mjs';
import { asking, newest, refused, send, startHook } from '../lib/hook.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { RawClient, jsonBytes } from '../lib/raw.mjs';
import { decide, held, waits } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { makeAuthority } from '../lib/tls.mjs';

scenario('allow, deny with a sentence, replace', async (t) => {
  let sentence = 'Please be "kind" \u{1f642}.';
  const hook = await startHook(t, ({ text }) => {
    if (text === 'deny') return { action: 'deny', sentence };
    if (text === 'replace') return { action: 'replace', text: 'r***\n\u{1f642}' };
    return { action: 'allow', more: [{ is: 'ignored' }] };
  });
  const system = await t.system({ flags: asking(hook) });
  const viewer = await t.watch(system.readers[0], { video: 'v' });
  const first = await send(system, 'fine "\u{1f642}"', { name: 'Ann "A"' });
  assert.equal(first.status, 201, first.text);
  const { id, ...asked } = hook.asked[0];
  assert.deepEqual(asked, { video: 'v', user: 'ann', name: 'Ann "A"', text: 'fine "\u{1f642}"' });
  assert.match(id, /^[0-9a-f]{32}$/);

  const denied = await send(system, 'deny');
  refused(denied, 422, 'comment_denied');
  assert.equal(denied.json.error, sentence);
  for (sentence of ['', null, 7, 'two\nlines', `long${'!'.repeat(200)}`, 'bidi \u202e', '\u0000']) {
    const usual = await send(system, 'deny');
    refused(usual, 422, 'comment_denied');
    assert.equal(usual.json.error, 'This comment was refused by the moderation.', sentence);
  }
  const replaced = await send(system, 'replace');
  assert.equal(replaced.status, 201);
  assert.equal(replaced.json.comment.comment, 'r***\n\u{1f642}');
  await viewer.sees(2);
  assert.deepEqual(viewer.comments.map(({ comment }) => comment), ['fine "\u{1f642}"', 'r***\n\u{1f642}']);
  assert.deepEqual(await newest(system), ['fine "\u{1f642}"', 'r***\n\u{1f642}']);
  const metrics = await scrape(system.comment);
  for (const [answer, count] of Object.entries({ allow: 1, deny: 8, replace: 1, failed: 0 }))
    assert.equal(sum(metrics, 'chorus_comment_reviews_total', { answer }), count, answer);
  assert.equal(sum(metrics, 'chorus_comment_posts_total', { result: 'denied' }), 8);
  assert.equal(hook.connections, 1); // which is kept
});

scenario('hold: the comment waits for a moderator', async (t) => {
  const hook = await startHook(t, ({ text }) => ({ action: text === 'hold' ? 'hold' : 'allow' }));
  const system = await t.system({ flags: asking(hook) });
  const { id } = await waits(send(system, 'hold'), 'moderator');
  assert.equal((await send(system, 'fine')).status, 201);
  assert.deepEqual((await held(system, 'v')).map(({ comment }) => comment.comment), ['hold']);
  assert.equal((await decide(system, 'v', id, true)).json.comment.comment, 'hold');
  assert.deepEqual(await newest(system), ['fine', 'hold']);
});

scenario('the comments of one connection keep their order, however late the hook answers', async (t) => {
  const hook = await startHook(t, ({ text }, response) => {
    setTimeout(() => response.end('{"action":"allow"}'), text % 2 ? 0 : 30);
  });
  const system = await t.system({ flags: asking(hook) });
  const client = await RawClient.connect(system.comment);
  client.send(Buffer.concat(Array.from({ length: 20 }, (_, i) => jsonBytes('POST', '/comment', { userid: 'ann', videoid: 'v', comment: `${i}` }))));
  for (let i = 0; i < 20; i++) assert.equal((await client.answer()).status, 201);
  client.socket.destroy();
  assert.deepEqual(await newest(system), Array.from({ length: 20 }, (_, i) => `${i}`));
});

scenario('a repeat is asked about by the same id, and gets the first answer', async (t) => {
  const hook = await startHook(t, () => ({ action: 'replace', text: 'kind' }));
  const system = await t.system({ flags: asking(hook) });
  const key = { headers: { 'idempotency-key': 'k' } };
  const first = await send(system, 'rude', key);
  const repeat = await send(system, 'rude', key);
  assert.deepEqual([first.status, repeat.status], [201, 201]);
  assert.deepEqual(repeat.json, first.json);
  assert.equal(hook.asked[0].id, hook.asked[1].id);
  refused(await send(system, 'ruder', key), 422, 'key_reused');
  await send(system, 'rude', { ...key, userid: 'bob' });
  assert.notEqual(hook.asked[3].id, hook.asked[0].id);
});

scenario('moderators and services are not asked about', async (t) => {
  const hook = await startHook(t, () => ({ action: 'deny' }));
  const key = makeKey('ES256', 'k'), keys = join(t.folder(), 'keys');
  writeFileSync(keys, keySet(key));
  const system = await t.system({ flags: { ...asking(hook), 'jwt-keys': keys, 'internal-token': 'secret' } });
  const as = (token) => send(system, 'hi', { userid: undefined, headers: { authorization: `Bearer ${token}` } });
  const can = (...rights) => makeToken(key, claims({}, { can: rights }));
  refused(await as(can('post')), 422, 'comment_denied');
  assert.equal((await as(can('post', 'moderate'))).status, 201);
  assert.equal((await send(system, 'hi', { headers: { authorization: 'Bearer secret' } })).status, 201);
  assert.equal(hook.asked.length, 1);
});

scenario('the service token counts without keys, too', async (t) => {
  const hook = await startHook(t, () => ({ action: 'deny' }));
  const system = await t.system({ flags: { ...asking(hook), 'internal-token': 'secret' } });
  refused(await send(system, 'hi'), 422, 'comment_denied');
  assert.equal((await send(system, 'hi', { headers: { authorization: 'Bearer secret' } })).status, 201);
});

scenario('over TLS the server has to be the one that the URL names', async (t) => {
  const { of: [good, bad] } = makeAuthority(t.folder(), ['IP:127.0.0.1', 'DNS:other.example']);
  const over = (files) => startHook(t, () => ({ action: 'deny' }), { tls: { key: readFileSync(files.key), cert: readFileSync(files.certificate) } });
  const trusted = await over(good), mistaken = await over(bad);
  const answer = async (url) => {
    const system = await t.system({ flags: { 'review-hook': url, 'review-ca': good.ca, 'review-fallback': 'deny', 'review-timeout-ms': 5000 } });
    return send(system, 'hi');
  };
  refused(await answer(trusted.url), 422, 'comment_denied');
  refused(await answer(mistaken.url), 503, 'review_unavailable');
  assert.deepEqual(mistaken.asked, []);
});
