import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkCors, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

// The preflight that a browser sends before a request of a page of another origin.
async function preflight(url, method) {
  const headers = {
    origin: 'https://page.example',
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,content-type,idempotency-key,last-event-id',
  };
  const answer = await call('OPTIONS', url, { headers });
  assert.ok([200, 204].includes(answer.status), `OPTIONS ${url}: ${answer.status}`);
  checkCors(answer, url);
  const list = (name) => (answer.headers[name] ?? '').toLowerCase().split(/\s*,\s*/);
  for (const name of ['authorization', 'content-type', 'idempotency-key', 'last-event-id']) {
    assert.ok(list('access-control-allow-headers').includes(name), `${name} allowed at ${url}`);
  }
  assert.ok(list('access-control-allow-methods').includes(method.toLowerCase()), `${method} allowed at ${url}`);
  assert.equal(answer.text, '');
}

scenario('OPTIONS is answered for everything a browser may call', async (t) => {
  const system = await t.system();
  for (const url of [system.manager, system.comment]) {
    await preflight(`${url}/register`, 'POST');
    await preflight(`${url}/resolve/v`, 'GET');
  }
  await preflight(`${system.comment}/comment`, 'POST');
  for (const url of system.readers) {
    await preflight(`${url}/connect`, 'POST');
    await preflight(`${url}/connect?userid=u&videoid=v`, 'GET');
  }
  for (const url of [system.comment, system.statistics]) await preflight(`${url}/statistics`, 'GET');
  for (const [, url] of everyPort(system)) await preflight(`${url}/health`, 'GET');
});

scenario('responses and errors can be read by a page of any origin, even of none', async (t) => {
  const system = await t.system();
  for (const origin of ['https://page.example', 'null']) {
    const headers = { origin };
    const json = { userid: 'u', videoid: 'v', comment: 'hello' };
    const { comment, readers: [reader], manager } = system;
    for (const [status, method, url, options] of [
      [201, 'POST', `${comment}/comment`, { json }], [400, 'POST', `${comment}/comment`, { json: {} }],
      [404, 'GET', `${comment}/none`], [405, 'GET', `${comment}/comment`], [200, 'GET', `${comment}/statistics`],
      [413, 'POST', `${comment}/comment`, { json: { ...json, comment: 'x'.repeat(300_000) } }],
      [415, 'POST', `${comment}/comment`, { body: 'hello' }],
      [431, 'GET', `${comment}/health`, { headers: { ...headers, flood: 'x'.repeat(100_000) } }],
      [400, 'GET', `${reader}/connect`], [404, 'GET', `${reader}/none`],
      [200, 'POST', `${manager}/register`, { json: { videoid: 'v' } }], [400, 'POST', `${manager}/register`, { json: {} }],
    ]) {
      const answer = await call(method, url, { headers, ...options });
      assert.equal(answer.status, status, `${method} ${url}: ${answer.text}`);
      checkCors(answer, `${method} ${url}`);
    }
  }
});
