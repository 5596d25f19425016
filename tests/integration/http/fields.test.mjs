import assert from 'node:assert/strict';
import { call, owner, statistics } from '../lib/api.mjs';
import { checkComment, checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

const wrongIds = [
  '', ' ', 'a b', 'a/b', 'ä', 'a\n', 'a\r', '\na', '\ra', 'a\nb', 'a\rb', 'a\r\nb', '\u0000', 'a\u0000', 'a,b', 'a?b', 'a#b', 'a%41', '"', '<b>', 'a\u2028', '😀',
  'x'.repeat(129), 7, true, null, [], {}, ['v'],
];
const goodIds = ['a', '0', '-', '...', '.a', '_', '~', ':', '@', 'x'.repeat(128), 'AZaz09._~-:@'];

scenario('ids outside 1-128 bytes of A-Z a-z 0-9 . _ ~ - : @ are 400 everywhere', async (t) => {
  const system = await t.system();
  const good = { userid: 'u', videoid: 'v', comment: 'hi' };
  const bodies = [
    [`${system.comment}/comment`, ['userid', 'videoid']], [`${system.manager}/register`, ['videoid']],
    [`${system.comment}/register`, ['videoid']], [`${system.readers[0]}/connect`, ['userid', 'videoid']],
  ];
  for (const [url, fields] of bodies) {
    for (const field of fields) {
      for (const value of [undefined, ...wrongIds]) {
        const where = `${url} ${field}=${JSON.stringify(value)?.slice(0, 30)}`;
        const answer = await call('POST', url, { json: { ...good, [field]: value } });
        checkError(answer, 400, where);
        // (NUL is refused before fields are parsed.)
        if (!/\0/.test(value)) assert.ok(answer.json.error.includes(field), `${where}: the sentence names the field: ${answer.json.error}`);
      }
    }
  }
  for (const id of wrongIds.filter((value) => typeof value === 'string' && value !== '')) {
    const encoded = encodeURIComponent(id);
    checkError(await call('GET', `${system.manager}/resolve/${encoded}`), 400, `resolve ${encoded}`);
    checkError(await call('GET', `${system.readers[0]}/connect?userid=u&videoid=${encoded}`), 400, `connect ${encoded}`);
    checkError(await call('GET', `${system.readers[0]}/connect?videoid=v&userid=${encoded}`), 400, `connect ${encoded}`);
  }
  for (const query of [
    '', '?', '?userid=u', '?videoid=v', '?userid=u&videoid=', '?userid=&videoid=v', '?userid=u&videoid=%ff', '?userid=u&videoid=%zz', '?USERID=u&videoid=v',
  ]) {
    checkError(await call('GET', `${system.readers[0]}/connect${query}`), 400, query);
  }
  assert.equal((await statistics(system)).storedComments.total, 0);
});

scenario('ids at the limits of what is allowed work', async (t) => {
  const system = await t.system();
  for (const id of goodIds) {
    const answer = await call('POST', `${system.comment}/comment`, { json: { userid: id, videoid: id, comment: 'hi' } });
    assert.equal(answer.status, 201, `${id}: ${answer.text}`);
    checkComment(answer.json.comment, { user: id, video: id, text: 'hi' });
    const viewer = await t.watch(await owner(system, id), { video: id, user: id, from: answer.json.comment.id, via: 'query' });
    assert.equal(viewer.connected.json.videoid, id);
  }
});

scenario('a comment is 1-2000 bytes of UTF-8, counted after decoding', async (t) => {
  const system = await t.system();
  const send = (body) => call('POST', `${system.comment}/comment`, { body, headers: { 'content-type': 'application/json' } });
  const withText = (json) => send(`{"userid":"u","videoid":"v","comment":${json}}`);
  const euros = '€'.repeat(666); // 1998 bytes
  for (const text of ['x', ' x ', 'x'.repeat(2000), `${euros}xx`, '😀'.repeat(500), 'tab\there', 'x\u007f', 'x\u0080', '\ufeffmark', '\uffff']) {
    const answer = await withText(JSON.stringify(text));
    assert.equal(answer.status, 201, `${text.slice(0, 20)}: ${answer.text}`);
    checkComment(answer.json.comment, { user: 'u', video: 'v', text });
  }
  const escaped = await withText(`"${'\\u0041'.repeat(2000)}"`);
  assert.equal(escaped.status, 201, escaped.text);
  assert.equal(escaped.json.comment.comment, 'A'.repeat(2000));
  const tooLong = ['x'.repeat(2001), `${euros}xxx`, 'x'.repeat(50_000)].map((text) => JSON.stringify(text));
  for (const json of ['""', '"\u007f\u0080"', '7', 'null', 'true', '["x"]', '{"x":1}', ...tooLong]) {
    checkError(await withText(json), json.length > 16_000 ? [400, 413] : 400, json.slice(0, 20));
  }
  checkError(await send('{"userid":"u","videoid":"v"}'), 400, 'no comment');
});

scenario('C0 controls other than tab, CR and LF are refused in a comment', async (t) => {
  const system = await t.system();
  for (let code = 0; code < 32; code++) {
    const text = `a${String.fromCharCode(code)}b`;
    const answer = await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: text } });
    if ([9, 10, 13].includes(code)) assert.equal(answer.json.comment?.comment, text, `U+${code}`);
    else checkError(answer, 400, `U+${code}`);
  }
});

scenario('a name of 1-64 bytes is carried through, others are refused', async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const send = (name) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'hi', name } });
  const names = ['A', 'Zoë 😀', 'x'.repeat(64), 'é'.repeat(32), undefined];
  for (const name of names) {
    const answer = await send(name);
    assert.equal(answer.status, 201, answer.text);
    checkComment(answer.json.comment, { user: 'u', video: 'v', text: 'hi', name });
  }
  await viewer.sees(names.length);
  assert.deepEqual(viewer.comments.map((comment) => comment.name), names);
  for (const name of ['', 'x'.repeat(65), 'é'.repeat(33), 'a\u0000', 'a\u001b[0m', 7, true, [], {}]) {
    checkError(await send(name), 400, JSON.stringify(name));
  }
});

scenario('unknown fields are ignored, and the last of a repeated key counts', async (t) => {
  const system = await t.system();
  const send = (body) => call('POST', `${system.comment}/comment`, { body, headers: { 'content-type': 'application/json' } });
  const answer = await send(
    '{"userid":7,"id":"1-1","timestamp":0,"type":"connected","x":{"userid":"z"},"userid":"a","videoid":"","videoid":"v","comment":"no","comm\\u0065nt":"yes"}',
  );
  assert.equal(answer.status, 201, answer.text);
  checkComment(answer.json.comment, { user: 'a', video: 'v', text: 'yes' });
  checkError(await send('{"userid":"a","userid":7,"videoid":"v","comment":"x"}'), 400, 'the last one is wrong');
});
