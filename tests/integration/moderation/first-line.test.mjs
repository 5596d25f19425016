// The first line: words, links, capitals, repeats, and the strikes that add up to a time-out. What is a word and what a link is
// decided text by text in tests/unit/test_first_line.
// CI also: processes. There the configuration is the comment API's own.
import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scrape, sum } from '../lib/exposition.mjs';
import { call } from '../lib/api.mjs';
import { asking, newest, refused, send, startHook } from '../lib/hook.mjs';
import { run } from '../lib/process.mjs';
import { ban, lift } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const file = (t, name, text) => {
  const path = join(t.folder(), name);
  writeFileSync(path, text);
  return path;
};

scenario('each finding has its code and a sentence, and is counted; nothing of it is stored', async (t) => {
  const flags = { 'word-list': file(t, 'words', '# ours\nrotter\nbuy followers\n'), links: 'deny', capitals: 70, 'repeat-ms': 60_000 };
  const system = await t.system({ flags });
  const findings = [
    ['word', 'blocked_word', { comment: 'You \uff32otter!' }, /a word that is not allowed/],
    ['word', 'blocked_word', { comment: 'hi', name: 'Buy FOLLOWERS' }, /the name/],
    ['link', 'link_not_allowed', { comment: 'see example.com' }, /Links/],
    ['capitals', 'too_many_capitals', { comment: 'WHY WOULD YOU DO THAT' }, /capitals/],
    ['repeated', 'repeated_comment', { comment: 'FINE, by me' }, /the same/],
  ];
  assert.equal((await send(system, 'Fine by me!')).status, 201);
  for (const [, code, fields, sentence] of findings) {
    const answer = await send(system, undefined, fields);
    refused(answer, 422, code);
    assert.match(answer.json.error, sentence);
  }
  assert.equal((await send(system, 'Fine by me!', { userid: 'bob' })).status, 201);
  assert.deepEqual(await newest(system), ['Fine by me!', 'Fine by me!']);
  const metrics = await scrape(system.comment);
  for (const [finding, count] of Object.entries({ word: 2, link: 1, capitals: 1, repeated: 1 }))
    assert.equal(sum(metrics, 'chorus_comment_filtered_posts_total', { finding }), count, finding);
  assert.equal(sum(metrics, 'chorus_comment_posts_total', { result: 'filtered' }), 5);
});

scenario('a post that is repeated is no repeated text, and one that was not stored may come again', async (t) => {
  const hook = await startHook(t, (question, response) => response.writeHead(500).end());
  const system = await t.system({ flags: { 'repeat-ms': 60_000, ...asking(hook), 'review-fallback': 'deny' } });
  refused(await send(system, 'once'), 503, 'review_unavailable');
  hook.answer = ({ text }) => ({ action: 'replace', text: `${text}!` });
  const headers = { 'idempotency-key': 'k' };
  const first = await send(system, 'once', { headers });
  assert.deepEqual([first.status, first.json.comment?.comment], [201, 'once!']);
  assert.deepEqual((await send(system, 'once', { headers })).json, first.json);
  refused(await send(system, 'once'), 422, 'repeated_comment');
  assert.equal(hook.asked.filter(({ text }) => text === 'once').length, 3); // the hook comes last
});

scenario('the list is read again when it changes and at SIGHUP; while it cannot be read the words before remain', { ms: 60_000 }, async (t) => {
  const words = file(t, 'words', 'one\n');
  const system = await t.system({ flags: { 'word-list': words } });
  const isRefused = async (text) => (await send(system, text)).status === 422;
  assert.deepEqual([await isRefused('one'), await isRefused('two')], [true, false]);
  writeFileSync(`${words}.next`, 'two\n');
  renameSync(`${words}.next`, words);
  await until(() => isRefused('two'), 'the new list');
  assert.equal(await isRefused('one'), false);
  rmSync(words);
  system.program.signal('SIGHUP');
  await system.program.says(/event=words_failed .*words=as_before/);
  assert.equal(await isRefused('two'), true);
  const before = readFileSync(new URL(import.meta.url)).length; // a list of another kind of bytes
  writeFileSync(words, Buffer.concat([Buffer.alloc(before, 0xff), Buffer.from('\nthree\n')]));
  system.program.signal('SIGHUP');
  await until(() => isRefused('three'), 'the list of SIGHUP');
  await system.program.says(/event=words_skipped .*lines=1/);
});

scenario('a list that cannot be read keeps the program from starting', { setups: ['embedded'] }, async (t) => {
  for (const path of ['/nowhere/words', t.folder()]) {
    const { code, stderr } = await run(['up', '--data', join(t.folder(), 'data'), '--comment-port', '0', '--manager-port', '0', '--statistics-port', '0', '--reader-ports', '0,0,0', '--word-list', path]);
    assert.notEqual(code, 0);
    assert.match(stderr, /The file of --word-list, /);
  }
});

scenario('strikes add up to a time-out, at all comment APIs', async (t) => {
  const hook = await startHook(t, ({ text }) => ({ action: text === 'rude' ? 'deny' : 'allow' }));
  const flags = { links: 'deny', ...asking(hook), strikes: 3, 'time-out-ms': 3600_000 };
  const system = await t.system({ flags });
  await ban(system, 'v', 'eve');
  refused(await send(system, 'x.com'), 422, 'link_not_allowed');
  refused(await send(system, 'rude'), 422, 'comment_denied');
  assert.equal((await send(system, 'kind')).status, 201);
  refused(await send(system, 'x.com', { videoid: 'w' }), 422, 'link_not_allowed'); // counts there
  refused(await send(system, 'y.com'), 422, 'link_not_allowed');
  await until(async () => (await send(system, 'kind')).json.code === 'banned', 'the time-out');
  assert.equal((await send(system, 'kind', { userid: 'bob' })).status, 201);
  assert.equal((await send(system, 'kind', { videoid: 'w' })).status, 201);
  assert.equal(sum(await scrape(system.comment), 'chorus_comment_timed_out_users_total'), 1);
  await lift(system, 'v', 'eve');
  const { json: { audit } } = await call('GET', `${system.comment}/videos/v/audit`);
  assert.deepEqual(audit.map(({ what, userid, automatic = false }) => [what, userid, automatic]), [['lift', 'eve', false], ['ban', 'ann', true], ['ban', 'eve', false]]);
});
