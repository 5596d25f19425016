// A real Prometheus scrapes a loaded Chorus: every query of the dashboard and of the alert rules is answered, and alerts appear
// and end as things break and are mended.
// Set-ups: embedded, processes.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { startClients } from '../lib/clients.mjs';
import { dashboardQueries, ruleQueries, rules } from '../lib/monitoring.mjs';
import { freePorts } from '../lib/ports.mjs';
import { startPrometheus } from '../lib/prometheus.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { until } from '../lib/time.mjs';

// One address for each process.
const processesOf = (system) => (setup === 'processes' ? everyPort(system).map(([, url]) => url) : [system.comment]);

scenario('each query of the dashboard and of the alerts returns data of a loaded system', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  startClients(t, system, { rate: 20 });
  // One process is down, so that there is an alert to be shown.
  const [down] = await freePorts(1);
  const prometheus = await startPrometheus(t, { targets: [...processesOf(system), `http://127.0.0.1:${down}`] });
  const found = await prometheus.rules();
  assert.deepEqual(new Set(found.map(({ name }) => name)), new Set(rules().map(({ name }) => name)));
  for (const { name, health, lastError } of found) assert.equal(health, 'ok', `${name}: ${lastError}`);

  // There is no archive here: those of its rules are in tests/monitoring.
  const queries = [...dashboardQueries('10s'), ...ruleQueries()].filter(({ expr }) => !expr.includes('chorus_archive_'));
  assert.ok(queries.length > 70, `${queries.length} queries`);
  const failures = [];
  await Promise.all(queries.map(({ where, expr }) => prometheus.returnsData(expr).catch((error) => failures.push(`${where}: ${error.message}`))));
  assert.deepEqual(failures, []);
  await prometheus.alertsAre('ChorusTargetDown'); // and nothing else is wrong
});

scenario('alerts appear when readers and Redis die, and end when they are back', { setups: ['processes'], ms: 120_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const prometheus = await startPrometheus(t, { targets: processesOf(system) });
  await prometheus.returnsData('chorus_manager_live_readers == 3');
  await prometheus.alertsAre();

  await system.program.end1('reader-2', 'SIGKILL');
  await prometheus.has('ChorusTargetDown');
  await prometheus.has('ChorusReaderAway');
  await system.program.again('reader-2');
  await prometheus.hasNot('ChorusTargetDown');
  await prometheus.hasNot('ChorusReaderAway');

  await system.redis.kill9();
  await prometheus.has('ChorusStoreUnavailable');
  const refused = async () => (await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'c' } })).status === 503;
  await until(async () => {
    await refused();
    return (await prometheus.alerts()).has('ChorusCommentsRefused');
  }, 'the alert ChorusCommentsRefused', 30_000);
  await system.redis.start();
  await prometheus.hasNot('ChorusStoreUnavailable');
  assert.ok(!(await prometheus.alerts()).has('ChorusPartNotReady'), 'as long as the store is away, only that is said');
});
