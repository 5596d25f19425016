// The alert rules by themselves, with Prometheus's own tool: that they are right, that each fires where it should and not where
// it should not (tests/monitoring/alerts/), and that each has a place in the runbook.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { anchorsOf, rules, top } from '../lib/monitoring.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded'];
const folder = join(top, 'tests/monitoring/alerts');
const promtool = (...args) => promisify(execFile)('promtool', args).catch(({ stdout, stderr }) => assert.fail(`promtool ${args.join(' ')}\n${stdout}${stderr}`));
const read = (path) => readFileSync(path, 'utf8');
const alerts = rules();
const names = alerts.map(({ name }) => name);

scenario('promtool accepts the rules', { setups }, async () => {
  const { stdout } = await promtool('check', 'rules', join(top, 'deploy/prometheus/alerts.yml'));
  assert.match(stdout, new RegExp(`SUCCESS: ${names.length} rules found`));
});

scenario('promtool accepts prometheus.yml, as it is and with what is commented out', { setups }, async (t) => {
  const folder = t.folder();
  cpSync(join(top, 'deploy/prometheus'), folder, { recursive: true });
  const file = join(folder, 'prometheus.yml');
  await promtool('check', 'config', file);
  writeFileSync(join(folder, 'chorus-token'), 'token');
  writeFileSync(file, read(file).replace(/^( *)# (?=( *)(alerting:|alertmanagers:|- static_configs|authorization:|credentials_file))/gm, '$1'));
  assert.match(read(file), /^alerting:\n {2}alertmanagers:\n {4}- static_configs/m);
  assert.match(read(file), /^ {4}authorization:\n {6}credentials_file:/m);
  await promtool('check', 'config', file);
});

// Debian's Prometheus is built without the discovery of pods.
scenario('promtool accepts the job for Kubernetes, but for the discovery', { setups }, async (t) => {
  const file = join(t.folder(), 'prometheus.yml');
  const config = read(join(top, 'deploy/kubernetes/prometheus.yml'));
  const discovery = 'kubernetes_sd_configs: [{role: pod}]';
  assert.ok(config.includes(discovery));
  writeFileSync(file, config.replace(discovery, 'static_configs: []').replace('/etc/prometheus/alerts.yml', join(top, 'deploy/prometheus/alerts.yml')));
  await promtool('check', 'config', file);
  assert.match(config, /job_name: chorus$/m);
});

scenario('the example for Alertmanager names alerts that exist', { setups }, async () => {
  const named = read(join(top, 'deploy/prometheus/alertmanager.yml')).match(/Chorus\w+/g);
  assert.ok(named.length > 5);
  for (const name of named) assert.ok(names.includes(name), name);
});

scenario('each alert fires where it should, with its text, and not where it should not', { setups, ms: 60_000 }, async () => {
  const files = names.map((name) => join(folder, `${name}.yml`));
  for (const file of files) {
    const cases = read(file);
    assert.match(cases, /exp_alerts:/, `${file} has a case in which it fires`);
    assert.match(cases, new RegExp(`\\{eval_time: \\w+, alertname: ${basename(file, '.yml')}\\}`), `${file} has one in which it does not`);
  }
  await promtool('test', 'rules', ...files, join(folder, 'quiet.yml'));
});

scenario('a quiet system with one slow viewer has every figure that an alert needs, and no alert', { setups }, async () => {
  const quiet = read(join(folder, 'quiet.yml'));
  assert.doesNotMatch(quiet, /exp_alerts/);
  for (const { name, expr } of alerts) {
    assert.ok(quiet.includes(`alertname: ${name}}`), name);
    for (const [figure] of expr.matchAll(/\b(chorus|process)_\w+|\bup\b/g)) assert.ok(quiet.includes(`${figure}{`), `${name}: ${figure}`);
  }
});

scenario('each alert says what is the matter, how urgent it is and where the runbook is', { setups }, async () => {
  assert.equal(new Set(names).size, names.length);
  for (const { name, severity, summary, description, runbook } of alerts) {
    assert.match(name, /^Chorus[A-Z]/);
    assert.match(severity, /^(critical|warning|info)$/, name);
    for (const sentence of [summary, description]) assert.match(sentence, /^\S.{15,}\.$/, name);
    const [file, anchor] = runbook.split('#');
    assert.ok(existsSync(join(top, file)), `${name}: ${file}`);
    assert.equal(anchor, name.toLowerCase());
    assert.ok(anchorsOf(join(top, file)).has(anchor), `${name}: ${runbook}`);
  }
});
