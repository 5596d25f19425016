import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

const json = { 'Content-Type': 'application/json' };
const escaped = (text) => Array.from(text, (c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('');

scenario('a comment of 2,000 bytes is accepted with every byte escaped', async (t) => {
  const system = await t.system();
  const members = { userid: 'u'.repeat(128), videoid: 'v'.repeat(128), comment: 'c'.repeat(2_000), name: 'n'.repeat(64) };
  const body = `{${Object.entries(members).map(([name, value]) => `\n  "${escaped(name)}" : "${escaped(value)}"`)}\n}`;
  const answer = await call('POST', `${system.comment}/comment`, { body, headers: json });
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.json.comment.comment, members.comment);
  assert.equal(answer.json.comment.name, members.name);
});

scenario('a body larger than its route allows is refused by its length, before any of it is sent', async (t) => {
  const system = await t.system();
  for (const [url, path, most] of [[system.comment, '/comment', 16_384], [system.comment, '/register', 8_192], [system.manager, '/register', 8_192],
    [system.readers[0], '/connect', 8_192]]) {
    const head = requestBytes('POST', path, { headers: { ...json, 'Content-Length': String(most + 1) } });
    checkError(await exchange(url, head), 413, path);
    const chunk = requestBytes('POST', path, { headers: { ...json, 'Transfer-Encoding': 'chunked' } }) + `${(most + 1).toString(16)}\r\n`;
    checkError(await exchange(url, chunk), 413, `${path}, chunked`);
    const body = `{"extra":"${'x'.repeat(most - 12)}"}`;
    checkError(await call('POST', url + path, { body, headers: json }), 400, `${path}, the largest`);
  }
});

scenario('a body is accepted however it is cut into chunks', async (t) => {
  const system = await t.system();
  const body = JSON.stringify({ userid: 'u', videoid: 'v', comment: 'c' }).padEnd(16_384);
  for (const most of [1, 2, 3, 1_000, 16_384]) {
    const chunks = body.match(new RegExp(`.{1,${most}}`, 'g')).map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    const head = requestBytes('POST', '/comment', { headers: { ...json, 'Transfer-Encoding': 'chunked' } });
    const answer = await exchange(system.comment, `${head}${chunks.join('')}0\r\n\r\n`);
    assert.equal(answer.status, 201, `in chunks of ${most}`);
  }
});
