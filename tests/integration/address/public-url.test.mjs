// CI also: processes. There each reader is a process.
import assert from 'node:assert/strict';
import { call, owner, register, resolve } from '../lib/api.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('a public address may have a path: it is what is resolved, and redirects go below it', async (t) => {
  const system = await t.system({ flags: { 'public-url': 'https://live.example.org/r1/' } });
  const reader = await owner(system, 'v');
  for (const answer of [await register(system, 'v'), await resolve(system, 'v')]) assert.equal(answer.publicUrl, 'https://live.example.org/r1');
  const [other] = system.others(reader);
  const headers = { host: 'live.example.org' };
  // In its first half second a reader may not know of the other one.
  await until(async () => (await call('HEAD', `${other}/connect?userid=u&videoid=v`, { headers })).status === 307, 'a redirect');
  for (const [method, options] of [['GET', {}], ['HEAD', {}], ['POST', { json: { userid: 'u', videoid: 'v' } }]]) {
    const answer = await call(method, `${other}/connect?userid=u&videoid=v`, { ...options, headers });
    assert.equal(answer.status, 307, method);
    assert.match(answer.headers.location, /^https:\/\/live\.example\.org\/r1\/connect\?userid=u&videoid=v&/);
  }
});

scenario('an address to which no path can be added is refused at the start', { setups: ['embedded'] }, async () => {
  for (const url of ['live.example.org', 'https://live.example.org/?x=1', 'https://live.example.org/#top', 'ftp://live.example.org', 'https://a b']) {
    const { code, stderr } = await run(['up', '--public-url', url]);
    assert.equal(code, 2, url);
    assert.match(stderr, /--public-url is ".*", but must be an address like https:\/\/live\.example\.org/);
  }
});
