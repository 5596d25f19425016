import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkCors, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('/health is 200 on every port from the start, and soon everything is ready', async (t) => {
  const system = await t.system();
  for (const [role, url] of everyPort(system)) {
    const health = await call('GET', `${url}/health`);
    assert.equal(health.status, 200, role);
    checkCors(health, role);
    assert.match(health.json.status, /^(ready|degraded)$/, `${role}: ${health.text}`);
    if (health.json.status === 'degraded') assert.match(health.json.why, /\S{3}/, `${role}: ${health.text}`);
    const ready = await until(async () => {
      const answer = await call('GET', `${url}/ready`);
      checkCors(answer, role);
      return answer.status === 200 && answer;
    }, `${role} to be ready`, 3_000);
    assert.ok(ready.json, `${role}: JSON`);
    assert.equal((await call('GET', `${url}/health`)).json.status, 'ready');
  }
});
