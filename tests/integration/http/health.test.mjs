import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkCors, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('/health and /ready are 200 on every port from the first moment', async (t) => {
  const system = await t.system();
  for (const [role, url] of everyPort(system)) {
    const health = await call('GET', `${url}/health`);
    assert.equal(health.status, 200, role);
    checkCors(health, role);
    assert.equal(health.json.status, 'ready', `${role}: ${health.text}`);
    const ready = await call('GET', `${url}/ready`);
    assert.equal(ready.status, 200, role);
    checkCors(ready, role);
    assert.ok(ready.json, `${role}: JSON`);
  }
});
