// CI also: processes. There each port has only what its role serves.
import assert from 'node:assert/strict';
import { call, register } from '../lib/api.mjs';
import { checkError, everyPort } from '../lib/checks.mjs';
import { exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';

scenario('unknown paths are 404 on every port', async (t) => {
  const system = await t.system();
  for (const [role, url] of everyPort(system)) {
    for (const path of ['/none', '/health/', '/healthy', '/HEALTH', '/health%00', '/../etc/passwd', '/%2e%2e/', '//', '/resolve', '/%ff']) {
      checkError(await exchange(url, requestBytes('GET', path)), [404, 400], `${role} ${path}`);
    }
    checkError(await call('POST', `${url}/none`, { json: {} }), 404, role);
    checkError(await call('DELETE', `${url}/none`), [404, 405], role);
  }
  // A path of another port is unknown here.
  checkError(await call('POST', `${system.manager}/comment`, { json: {} }), 404);
  checkError(await call('POST', `${system.readers[0]}/comment`, { json: {} }), 404);
  if (setup === 'processes') checkError(await call('GET', `${system.comment}/connect?userid=u&videoid=v`), 404); // that of `up` has it
});

scenario('a known path with a wrong method is 405, and Allow lists the right ones', async (t) => {
  const system = await t.system();
  await register(system, 'v');
  const { manager, comment, statistics, readers: [reader] } = system;
  const taken = [
    [`${manager}/register`, ['POST']], [`${manager}/resolve/v`, ['GET', 'HEAD']], [`${comment}/comment`, ['POST']],
    [`${comment}/register`, ['POST']], [`${comment}/resolve/v`, ['GET', 'HEAD']], [`${comment}/statistics`, ['GET', 'HEAD']],
    [`${statistics}/statistics`, ['GET', 'HEAD']], [`${statistics}/reader-api-statistics`, ['POST']],
    [`${reader}/connect`, ['GET', 'HEAD', 'POST']], [`${reader}/health`, ['GET', 'HEAD']], [`${comment}/ready`, ['GET', 'HEAD']],
  ];
  for (const [url, methods] of taken) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      if (methods.includes(method)) continue;
      const answer = await call(method, url, method === 'POST' ? { json: {} } : {});
      const where = `${method} ${url}`;
      assert.equal(answer.status, 405, where);
      if (method !== 'HEAD') checkError(answer, 405, where);
      const allowed = answer.headers.allow.split(/, ?/);
      for (const name of methods) assert.ok(allowed.includes(name), `${where}: Allow: ${answer.headers.allow}`);
      assert.ok(!allowed.includes(method), `${where}: Allow: ${answer.headers.allow}`);
    }
  }
});

scenario('unknown methods are refused', async (t) => {
  const system = await t.system();
  for (const [role, url] of everyPort(system)) {
    for (const method of ['BREW', 'get', 'CONNECT', 'TRACE', 'PRI', 'G'.repeat(5_000), '\u0001']) {
      const answer = await exchange(url, requestBytes(method, method === 'CONNECT' ? 'x:1' : '/health'));
      if (answer) checkError(answer, [400, 404, 405, 431], `${role} ${method.slice(0, 10)}`);
    }
  }
});
