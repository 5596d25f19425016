// CI also: up-redis, processes. Each engine keeps mappings in its own way.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkCors, checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

// Browsers refuse port 6000, so the comment port answers the same.
for (const role of ['manager', 'comment']) {
  scenario(`${role} port: /register registers once, and then reports the existing mapping`, async (t) => {
    const system = await t.system();
    const send = () => call('POST', `${system[role]}/register`, { json: { videoid: 'film:1@a~b_c.d-e' } });
    const [first, second] = [await send(), await send()];
    for (const answer of [first, second]) {
      assert.equal(answer.status, 200);
      assert.match(answer.headers['content-type'], /^application\/json\b/);
      checkCors(answer);
    }
    const { readerUrl } = first.json;
    assert.ok(system.readers.includes(readerUrl), readerUrl);
    assert.deepEqual(first.json, { videoid: 'film:1@a~b_c.d-e', readerUrl, action: 'registered' });
    assert.deepEqual(second.json, { videoid: 'film:1@a~b_c.d-e', readerUrl, action: 'existing' });
  });

  scenario(`${role} port: /resolve finds a registered video, percent-encoded too`, async (t) => {
    const system = await t.system();
    const { readerUrl } = (await call('POST', `${system.manager}/register`, { json: { videoid: 'a:b@c~d' } })).json;
    for (const path of ['a:b@c~d', 'a%3Ab%40c%7Ed', 'a:b@c~d?x=1']) {
      const answer = await call('GET', `${system[role]}/resolve/${path}`);
      assert.equal(answer.status, 200, answer.text);
      checkCors(answer);
      assert.deepEqual(answer.json, { videoid: 'a:b@c~d', readerUrl });
    }
  });

  scenario(`${role} port: /resolve of an unknown video is 404, and registers nothing`, async (t) => {
    const system = await t.system();
    for (let i = 0; i < 2; i++) {
      const answer = await call('GET', `${system[role]}/resolve/nobody`);
      checkError({ ...answer, json: { code: 'not_found', ...answer.json } }, 404); // as in the original: a code may be missing
      assert.equal(answer.json.videoid, 'nobody');
    }
  });
}
