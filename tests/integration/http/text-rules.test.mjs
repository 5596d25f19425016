// What names and comments may hold is decided character by character in tests/unit/test_text_rules.
// CI also: processes. There the configuration is the comment API's own.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scrape, sum } from '../lib/exposition.mjs';
import { scenario } from '../lib/scenario.mjs';

const send = (system, json) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'hi', ...json } });

const broken = [
  ['name_lines', 'name_has_lines', { name: 'Ann\nadmin' }, /name must be one line/],
  ['lines', 'too_many_lines', { comment: 'x\n'.repeat(40) }, /40 lines at most/],
  ['bidi', 'unbalanced_bidi', { comment: '\u202egnorw' }, /direction of writing/],
  ['bidi', 'unbalanced_bidi', { name: '\u2067Ann' }, /direction of writing/],
  ['marks', 'too_many_marks', { comment: `Z${'\u0301'.repeat(9)}` }, /8 marks at most/],
  ['blank', 'blank_comment', { comment: '\u200b \u3000\n' }, /nothing but white space/],
];

scenario('a text that breaks a rule is refused with its code and a sentence, and counted', async (t) => {
  const system = await t.system();
  for (const [, code, fields, sentence] of broken) {
    const answer = await send(system, fields);
    checkError(answer, 400, code);
    assert.equal(answer.json.code, code);
    assert.match(answer.json.error, sentence);
  }
  const metrics = await scrape(system.comment);
  for (const rule of new Set(broken.map(([name]) => name))) {
    assert.equal(sum(metrics, 'chorus_comment_refused_posts_total', { rule }), broken.filter(([name]) => name === rule).length, rule);
  }
  assert.equal(sum(metrics, 'chorus_comment_posts_total', { result: 'invalid' }), broken.length);
});

scenario('honest texts arrive as they were written', async (t) => {
  const system = await t.system();
  const texts = ['น้ำผึ้ง', 'Tie\u0302\u0301ng Vie\u0323\u0302t', 'क्षत्रिय', 'אני \u2066C++\u2069!', 'مرحبا', '👩🏽‍🚀 🏳️‍🌈 1️⃣', 'x\n'.repeat(39)];
  for (const text of texts) {
    const answer = await send(system, { comment: text, name: text.split('\n')[0] });
    assert.equal(answer.status, 201, `${text}: ${answer.text}`);
    assert.equal(answer.json.comment.comment, text);
  }
});

scenario('each rule can be left out', async (t) => {
  const system = await t.system({ flags: { 'text-rules': 'none', 'text-lines': 0, 'text-marks': 0 } });
  for (const [, code, fields] of broken) assert.equal((await send(system, fields)).status, 201, code);
});
