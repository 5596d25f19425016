import assert from 'node:assert/strict';
import { call, statistics } from '../lib/api.mjs';
import { checkError, checkHealthy } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

const good = '"userid":"u","videoid":"v","comment":"hi"';
const bytes = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));

// Not JSON, not UTF-8, or not an object.
const wrong = [
  '', ' ', '{', '}', '{}x', '[]', 'null', '"x"', '7', 'true', `{${good}`, `{${good}}}`, `{${good},}`, `{${good}} {${good}}`, `{'userid':'u'}`,
  `{userid:"u"}`, `{${good},"x":01}`, `{${good},"x":NaN}`, `{${good},"x":.5}`, `{${good},"x":1.}`, `{${good},"x":"\\x"}`, `{${good},"x":"\\u12"}`,
  `{${good},"x":"a\nb"}`, `{${good},"x":"a\tb"}`, `/**/{${good}}`, `{${good}}//`, `\ufeff{${good}}`, `{${good},"x":tru}`,
  bytes('{"userid":"u","videoid":"v","comment":"', [0xff], '"}'), bytes('{"userid":"u","videoid":"v","comment":"', [0xc0, 0x80], '"}'),
  bytes('{"userid":"u","videoid":"v","comment":"', [0xed, 0xa0, 0x80], '"}'), bytes('{"userid":"u","videoid":"v","comment":"', [0xf4, 0x90, 0x80, 0x80], '"}'),
  bytes('{"userid":"u","videoid":"v","comment":"', [0xe2, 0x82], '"}'), bytes('{"userid":"u","videoid":"v","comment":"a', [0], 'b"}'),
  bytes(`{${good}`, [0], '}'), bytes(`{${good}}`, [0]), bytes([0]), Buffer.from(`{${good}}`, 'utf16le'),
  '['.repeat(8_000), `{${good},"x":${'['.repeat(8_000)}}`, '{"x":'.repeat(1_600),
];

scenario('a body that is not a JSON object in UTF-8 is 400 on every port that accepts one', async (t) => {
  const system = await t.system();
  const urls = [
    `${system.comment}/comment`, `${system.comment}/register`, `${system.manager}/register`, `${system.readers[0]}/connect`,
    ...['comment-api', 'reader-api', 'reader-api-manager', 'client'].map((name) => `${system.statistics}/${name}-statistics`),
  ];
  for (const url of urls) {
    for (const body of wrong) {
      const answer = await call('POST', url, { body, headers: { 'content-type': 'application/json' } });
      checkError(answer, 400, `${url} ${JSON.stringify(String(body)).slice(0, 80)}`);
    }
  }
  await checkHealthy(system);
  assert.equal((await statistics(system)).storedComments.total, 0, 'nothing was stored');
});

scenario('100,000 nested brackets are refused', async (t) => {
  const system = await t.system();
  for (const open of ['[', '{"x":']) {
    for (const url of [`${system.comment}/comment`, `${system.manager}/register`, `${system.readers[0]}/connect`, `${system.statistics}/client-statistics`]) {
      const answer = await call('POST', url, { body: open.repeat(100_000), headers: { 'content-type': 'application/json' } });
      checkError(answer, [400, 413], url);
    }
  }
  await checkHealthy(system);
});

scenario('an unknown member may have any JSON value', async (t) => {
  const system = await t.system();
  for (const value of ['-0', '-1.5e-7', '9007199254740993', '"\\ud83d\\ude00\\u2028\\/"', '[[[[{}]]]]', '{"a":{"a":null}}', '" "', '1E+2', '{"":0}']) {
    const body = ` \r\n\t{${good} , "extra" : ${value}}\n`;
    const answer = await call('POST', `${system.comment}/comment`, { body, headers: { 'content-type': 'application/json' } });
    assert.equal(answer.status, 201, `${value}: ${answer.text}`);
  }
});
