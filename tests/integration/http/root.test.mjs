import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkCors, checkError, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { run } from '../lib/process.mjs';

scenario('GET / is 200 on every port, with role and version or a page; POST / is 404', async (t) => {
  const system = await t.system();
  const version = (await run(['--version'])).stdout.match(/\d+\.\d+\.\d+\S*/)[0];
  for (const [role, url] of everyPort(system)) {
    const answer = await call('GET', `${url}/`);
    assert.equal(answer.status, 200, role);
    checkCors(answer, role);
    if (!/^text\/html/.test(answer.headers['content-type'])) {
      assert.ok(answer.text.includes(role) && answer.text.includes(version), `${role} ${version}: ${answer.text}`);
    }
    checkError(await call('POST', `${url}/`, { json: {} }), 404, role);
    checkError(await call('POST', `${url}/`), 404, role);
  }
});

scenario('GET / is role and version to a client that accepts only JSON, and the page to browsers and tools', async (t) => {
  const system = await t.system();
  const at = (url, accept) => call('GET', `${url}/`, { headers: accept ? { accept } : {} });
  for (const [role, url] of everyPort(system)) {
    for (const accept of ['application/json', 'application/json, text/plain, */*']) {
      const { json, headers } = await at(url, accept);
      assert.equal(json?.role, role, `${role}, ${accept}`);
      assert.match(headers.vary, /\bAccept\b(?!-)/, role);
    }
  }
  for (const accept of [undefined, '*/*', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8']) {
    const { headers } = await at(system.comment, accept);
    assert.match(headers['content-type'], /^text\/html\b/, accept);
    assert.match(headers.vary, /\bAccept\b(?!-)/, accept);
  }
});
