// Set-ups: embedded, up-redis. Those that are one process.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { demoToken, tryToKill } from '../lib/demo.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis'];
const NAMES = ['comment-1', 'manager-1', 'reader-1', 'reader-2', 'reader-3', 'statistics-1'];

for (const flags of [{}, { 'single-port': true }]) {
  scenario(`/health and /ready at ${flags['single-port'] ? 'the single port' : 'the comment port of up'} speak for all parts`, { setups }, async (t) => {
    const system = await t.system({ flags });
    const { json } = await call('GET', `${system.comment}/health`);
    assert.deepEqual([json.status, json.role], ['ready', 'comment']);
    assert.deepEqual(json.parts.map(({ instanceId }) => instanceId).sort(), NAMES);
    assert.ok(json.parts.every(({ status }) => status === 'ready'));
    assert.equal((await call('GET', `${system.comment}/ready`)).status, 200);
    assert.equal((await call('GET', `${system.readers[0]}/health`)).json.parts, undefined, 'a reader speaks for itself');
  });
}

scenario('a part that cannot do its work makes the single port not ready, with its reason', { setups }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true, demo: true, 'demo-restart-ms': 600_000, 'log-level': 'warn' } });
  const token = await demoToken(system);
  for (const name of ['reader-1', 'reader-2', 'reader-3']) assert.equal((await tryToKill(system, name, { token })).status, 202);
  await until(async () => (await call('GET', `${system.comment}/ready`)).status === 503, 'a system without readers not to be ready');
  const { status, json } = await call('GET', `${system.comment}/health`);
  assert.deepEqual([status, json.status, json.why], [200, 'degraded', 'No reader is alive.']);
  assert.deepEqual(json.parts.find(({ role }) => role === 'manager'), { role: 'manager', instanceId: 'manager-1', status: 'degraded', why: json.why });
});
