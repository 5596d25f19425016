import assert from 'node:assert/strict';
import { call, owner } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { RawClient } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const json = { 'content-type': 'application/json' };

const values = [
  '18446744073709551615', '-9223372036854775809', '1e400', '-1e400', '1e-400', '1'.repeat(400), `0.${'3'.repeat(400)}`, '"\\u0000"', '"\\ud800"',
  '"\\udc00\\ud800"', '{"\\u0000":1}', '{"\\ud800":1}', '{"a":1,"a":[2]}', `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
  `${'{"a":'.repeat(1_000)}null${'}'.repeat(1_000)}`, `[${'[]'.repeat(500).replaceAll('][', '],[')}]`,
];

const takers = (system) => [
  [`${system.comment}/comment`, '"userid":"u","videoid":"v","comment":"hi"', 201],
  [`${system.comment}/register`, '"videoid":"v"', 200],
  [`${system.manager}/register`, '"videoid":"v"', 200],
  ...['comment-api', 'reader-api', 'reader-api-manager'].map((part) => [`${system.statistics}/${part}-statistics`, '"instanceId":"i"', 200]),
  [`${system.statistics}/client-statistics`, '"clientId":"i"', 200],
];

scenario('an unknown member may hold anything that the grammar allows, on every port', async (t) => {
  const system = await t.system();
  for (const [url, members, status] of takers(system)) {
    for (const value of values) {
      for (const body of [`{${members},"extra":${value}}`, `{"extra":${value},${members}}`]) {
        const answer = await call('POST', url, { body, headers: json });
        assert.equal(answer.status, status, `${url} ${value.slice(0, 40)}: ${answer.text}`);
      }
    }
    checkError(await call('POST', url, { body: `{"\\u0000":1,"\\ud800":2,${members},"extra":01}`, headers: json }), 400, url);
  }
});

scenario('the same for a stream requested by POST', async (t) => {
  const system = await t.system();
  const url = await owner(system, 'v');
  for (const value of values) {
    const viewer = await RawClient.connect(url);
    const body = `{"extra":${value},"userid":"u","videoid":"v"}`;
    viewer.send(`POST /connect HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await until(() => viewer.received.includes('"connected"'), () => `a stream for ${value.slice(0, 40)}; got ${viewer.received}`);
    viewer.destroy();
  }
});

scenario('the last of a repeated member counts, whatever the others hold', async (t) => {
  const system = await t.system();
  const body = '{"comment":7,"comment":"\\ud800","userid":"u","videoid":"v","commen\\u0074":"last"}';
  const answer = await call('POST', `${system.comment}/comment`, { body, headers: json });
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.json.comment.comment, 'last');
  const wrong = '{"comment":"good","userid":"u","videoid":"v","comment":null}';
  checkError(await call('POST', `${system.comment}/comment`, { body: wrong, headers: json }), 400);
});

scenario('a comment itself must not hold a lone surrogate or a control character', async (t) => {
  const system = await t.system();
  for (const text of ['\\ud800', 'a\\udc00b', '\\ud83dx', '\\u0000', 'a\\u0000', '\\u0007', '\\u001f']) {
    for (const member of ['comment', 'name']) {
      const body = `{"userid":"u","videoid":"v","comment":"c","${member}":"${text}"}`;
      checkError(await call('POST', `${system.comment}/comment`, { body, headers: json }), 400, `${member} ${text}`);
    }
  }
});
