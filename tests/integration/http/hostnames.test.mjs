// --hostnames: a website whose name has come to mean this server (DNS rebinding) gets nothing from it.
import assert from 'node:assert/strict';
import { everyPort, checkError } from '../lib/checks.mjs';
import { exchange, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

const rebound = ['evil.example', 'evil.example:3000', '127.0.0.1.evil.example', 'live.example.org.evil.example', 'localhost.evil.example'];
const known = ['live.example.org', 'LIVE.example.org:443', 'a.example.net', '127.0.0.1:3000', '[::1]:3000', 'localhost', 'comment:3000', '10.1.2.3'];
const paths = ['/', '/health', '/ready', '/metrics', '/openapi.json', '/none', '/connect?userid=u&videoid=v', '/videos', '/dashboard', '/events'];
const comment = { userid: 'u', videoid: 'v', comment: 'c' };

scenario('every part refuses other names, and none of its own', async (t) => {
  const system = await t.system({ flags: { hostnames: 'live.example.org,*.example.net' } });
  for (const [role, url] of everyPort(system)) {
    for (const [host, path] of [...rebound.map((host) => [host, '/health']), ...paths.map((path) => [rebound[0], path])]) {
      const answer = await exchange(url, requestBytes('GET', path, { host, headers: { Accept: 'text/html' } }));
      checkError(answer, 421, `${role} ${path} for ${host}`);
      assert.equal(answer.json.code, 'unknown_host');
    }
    for (const host of known) assert.equal((await exchange(url, requestBytes('GET', '/health', { host })))?.status, 200, `${role} for ${host}`);
    assert.equal((await exchange(url, requestBytes('GET', '/health', { host: null, version: '1.0' }))).status, 200, `${role} without a name`);
    assert.equal((await exchange(url, requestBytes('GET', 'http://evil.example/health', { host: 'localhost' }))).status, 421, 'a name in the target counts');
  }
  checkError(await exchange(system.comment, jsonBytes('POST', '/comment', comment, { host: 'evil.example' })), 421);
  assert.equal((await exchange(system.comment, jsonBytes('POST', '/comment', comment, { host: 'live.example.org' }))).status, 201);
});

scenario('a name in the list is no website elsewhere: the inside is open to it from this machine', async (t) => {
  const system = await t.system({ flags: { hostnames: 'live.example.org' } });
  const metrics = (host) => exchange(system.statistics, requestBytes('GET', '/metrics', { host }));
  assert.equal((await metrics('live.example.org')).status, 200);
  const other = await t.system();
  assert.equal((await exchange(other.statistics, requestBytes('GET', '/metrics', { host: 'live.example.org' }))).status, 403);
  assert.equal((await exchange(other.comment, requestBytes('GET', '/health', { host: 'any.example' }))).status, 200, 'without the list any name is served');
});

// Its pages have the origin of what they ask, as our own pages do.
scenario('a website whose name has come to mean this machine does not moderate', async (t) => {
  const { comment } = await t.system();
  const ask = (host, method = 'POST', path = '/videos/v/start') =>
    exchange(comment, requestBytes(method, path, { host, headers: { Origin: `http://${host}`, 'Content-Length': '0' } }));
  for (const host of rebound) {
    checkError(await ask(host), 403, host);
    checkError(await ask(host, 'DELETE', '/users/ann/comments'), 403, host);
  }
  assert.equal((await ask('localhost:3000')).status, 204);
});

scenario('the names in its own addresses are known without being listed', { setups: ['embedded'] }, async (t) => {
  const system = await t.system({ flags: { hostnames: 'a.example', 'public-url': 'https://live.example.org/chorus' } });
  const status = async (host) => (await exchange(system.comment, requestBytes('GET', '/health', { host }))).status;
  assert.deepEqual([await status('live.example.org'), await status('a.example'), await status('b.example')], [200, 200, 421]);
});

scenario('a list that is none is refused', { setups: ['embedded'] }, async (t) => {
  await assert.rejects(t.system({ flags: { hostnames: 'https://live.example.org' } }), /--hostnames is .*, but must be names like/);
});
