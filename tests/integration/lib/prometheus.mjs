// A real Prometheus with the configuration of deploy/prometheus, which scrapes what a test names.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call } from './api.mjs';
import { top } from './monitoring.mjs';
import { freePorts } from './ports.mjs';
import { Program } from './process.mjs';
import { until } from './time.mjs';

class Prometheus {
  constructor({ targets, everyMs = 500 }) {
    this.folder = mkdtempSync(join(tmpdir(), 'chorus-prometheus-'));
    cpSync(join(top, 'deploy/prometheus'), this.folder, { recursive: true });
    const config = join(this.folder, 'prometheus.yml');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/_interval: 15s/g, `_interval: ${everyMs}ms`));
    const hosts = targets.map((url) => `"${new URL(url).host}"`);
    writeFileSync(join(this.folder, 'targets.yml'), `- targets: [${hosts}]\n`);
  }

  async start() {
    const [port] = await freePorts(1);
    this.url = `http://127.0.0.1:${port}`;
    this.program = new Program([
      '--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn',
    ], { file: 'prometheus', cwd: this.folder });
    await until(async () => {
      if (this.program.end) throw Object.assign(new Error(this.program.end.stderr), { final: true });
      return (await call('GET', `${this.url}/-/ready`)).status === 200;
    }, () => `Prometheus to be ready:\n${this.program.stderr}`, 30_000);
    return this;
  }

  async #api(path) {
    const { json, text } = await call('GET', `${this.url}/api/v1/${path}`);
    if (json?.status !== 'success') throw Object.assign(new Error(`${path}: ${text}`), { final: json?.errorType === 'bad_data' });
    return json.data;
  }

  // The series of an instant query: [{labels, value}].
  async query(expr) {
    const { result } = await this.#api(`query?query=${encodeURIComponent(expr)}`);
    return result.map(({ metric: labels, value }) => ({ labels, value: Number(value[1]) }));
  }

  // Waits until a query returns at least one series with a number.
  returnsData(expr, ms = 30_000) {
    return until(async () => {
      const found = (await this.query(expr)).filter(({ value }) => !Number.isNaN(value));
      return found.length > 0 && found;
    }, `data for ${expr}`, ms);
  }

  // The alerts that are pending or firing, by name.
  async alerts() {
    const { alerts } = await this.#api('alerts');
    return new Set(alerts.map(({ labels }) => labels.alertname));
  }
  // Waits until exactly these are.
  alertsAre(...names) {
    const wanted = names.sort().join(' ');
    return until(async () => [...(await this.alerts())].sort().join(' ') === wanted, `the alerts to be: ${wanted}`, 20_000);
  }
  has(alert, ms = 30_000) {
    return until(async () => (await this.alerts()).has(alert), `the alert ${alert}`, ms);
  }
  hasNot(alert, ms = 30_000) {
    return until(async () => !(await this.alerts()).has(alert), `the end of the alert ${alert}`, ms);
  }

  // [{name, health, lastError}] of the rules, once each has been evaluated.
  async rules() {
    return until(async () => {
      const { groups } = await this.#api('rules');
      const found = groups.flatMap(({ rules }) => rules);
      return found.length > 0 && found.every(({ health }) => health !== 'unknown') && found;
    }, 'the rules to be evaluated', 30_000);
  }

  async release() {
    if (!this.program.end) await this.program.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// targets: addresses of which it scrapes /metrics. everyMs: how often it scrapes and evaluates the rules.
export async function startPrometheus(t, options) {
  const prometheus = new Prometheus(options);
  t.after(() => prometheus.release());
  return prometheus.start();
}
