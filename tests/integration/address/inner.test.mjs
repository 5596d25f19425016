// Set-ups: embedded, up-redis. Those that are one process.
// What operators and services see at the address of everyone.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded', 'up-redis'];
const json = { instanceId: 'x', clientId: 'x' };
const html = { accept: 'text/html' };
const inner = [
  ...['comment-api', 'reader-api', 'reader-api-manager', 'client'].map((part) => ['POST', `/${part}-statistics`, { json }]),
  ['GET', '/dashboard'], ['GET', '/dashboard', { headers: html }], ['GET', '/dashboard/dashboard.js'], ['HEAD', '/events'],
];
const known = (t, flags) => t.system({ flags: { demo: true, 'log-level': 'warn', 'internal-token': 'secret', ...flags } });

async function statusOf(system, [method, path, options = {}], headers = {}) {
  return (await call(method, `${system.comment}${path}`, { ...options, headers: { ...options.headers, ...headers } })).status;
}

for (const flags of [{}, { 'single-port': true }]) {
  const where = flags['single-port'] ? 'the single port' : 'the comment port of up';

  scenario(`${where} shows dashboard and reports to internal peers, never to what comes through a proxy without the token`, { setups }, async (t) => {
    const system = await known(t, flags);
    for (const request of inner) {
      const what = request.slice(0, 2).join(' ');
      assert.equal(await statusOf(system, request), 200, what);
      for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
        assert.equal(await statusOf(system, request, { [header]: '127.0.0.1' }), 403, `${what} with ${header}`);
        assert.equal(await statusOf(system, request, { [header]: '127.0.0.1', authorization: 'Bearer guess' }), 403, `${what} with ${header} and a wrong token`);
        assert.equal(await statusOf(system, request, { [header]: '127.0.0.1', authorization: 'Bearer secret' }), 200, `${what} with ${header} and the token`);
      }
      // After DNS rebinding a website's page is one of this server's own: the browser sends its name as Host, and no Origin.
      const host = `elsewhere.example:${new URL(system.comment).port}`;
      const rebound = await statusOf(system, request, { host });
      assert.equal(rebound, request[0] === 'POST' ? 200 : 403, `${what} for a name that means this machine`); // with a POST there is an Origin
      assert.equal(await statusOf(system, request, { host, origin: `http://${host}` }), 403, `${what} for it, with its Origin`);
      assert.equal(await statusOf(system, request, { origin: 'http://elsewhere.example' }), 403, `${what} for a website elsewhere`);
    }
    checkError(await call('GET', `${system.comment}/demo`, { headers: { via: '1.1 proxy' } }), 403);
    checkError(await call('POST', `${system.comment}/demo/readers/reader-1/kill`, { headers: { via: '1.1 proxy' } }), 403);
    assert.equal((await call('GET', `${system.comment}/demo`)).status, 200);
  });

  scenario(`${where} refuses peers that are not in --internal-from`, { setups }, async (t) => {
    const system = await known(t, { ...flags, 'internal-from': '192.0.2.0/24' });
    for (const request of inner) {
      assert.equal(await statusOf(system, request), 403, request.join(' '));
      assert.equal(await statusOf(system, request, { authorization: 'Bearer secret' }), 200, request.join(' '));
    }
    for (const path of ['/statistics', '/videos', '/', '/health', '/resolve/video1']) {
      const answer = await call('GET', `${system.comment}${path}`, { headers: { 'x-forwarded-for': '203.0.113.9', origin: 'http://elsewhere.example' } });
      assert.ok([200, 404].includes(answer.status), `${path} is for everyone: ${answer.status}`);
    }
  });
}
