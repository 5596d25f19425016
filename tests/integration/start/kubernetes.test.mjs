// deploy/kubernetes: each container's arguments and environment start the real program, and the objects fit together. (Its form was
// checked against the schemas of Kubernetes 1.25 to 1.37 with kubernetes-validate, which is not in Debian.)
// Set-ups: processes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { call } from '../lib/api.mjs';
import { top } from '../lib/monitoring.mjs';
import { freePorts } from '../lib/ports.mjs';
import { Program } from '../lib/process.mjs';
import { RedisServer } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['processes'];
const READ = 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))';
const { stdout, stderr } = spawnSync('python3', ['-c', READ], { input: readFileSync(`${top}/deploy/kubernetes/chorus.yaml`), encoding: 'utf8' });
assert.ok(stdout, stderr);
const objects = JSON.parse(stdout);
const kind = (...names) => objects.filter((each) => names.includes(each.kind));
const workloads = kind('Deployment', 'StatefulSet');
const containerOf = ({ spec }) => spec.template.spec.containers[0];
const named = (list, name) => list.find((each) => each.metadata.name === name);

// What a pod of this name has in its environment. Only what the cluster gives is put in: the Secret and the pod's name.
function environmentOf(workload, { redis }) {
  const { envFrom, env } = containerOf(workload);
  const all = {};
  for (const { configMapRef } of envFrom) Object.assign(all, named(kind('ConfigMap'), configMapRef.name).data);
  for (const { name, value, valueFrom } of env) {
    all[name] = value?.replace(/\$\((\w+)\)/g, (_, other) => all[other]) ?? (valueFrom.secretKeyRef ? redis : `${workload.metadata.name}-0`);
  }
  return all;
}

// Its arguments, with a folder in place of what is mounted there.
const argumentsOf = (workload, folder) => {
  const { args, volumeMounts = [] } = containerOf(workload);
  return args.map((arg) => volumeMounts.reduce((path, { mountPath }) => path.replace(mountPath, folder), arg));
};

scenario('each container of the manifests starts the program, which becomes ready', { setups, ms: 60_000 }, async (t) => {
  const redis = new RedisServer();
  t.after(() => redis.release());
  await redis.start();
  const ports = await freePorts(2 * workloads.length);
  await Promise.all(workloads.map(async (workload, i) => {
    const env = environmentOf(workload, { redis: redis.url });
    for (const name of Object.keys(env)) assert.match(name, /^[A-Z][A-Z_]*$/);
    const admin = ports[workloads.length + i];
    const own = { PORT: String(ports[i]), CHORUS_ADMIN_BIND: env.CHORUS_ADMIN_BIND.replace('0.0.0.0:9000', `127.0.0.1:${admin}`) };
    const program = new Program(argumentsOf(workload, t.folder()), { env: { ...env, ...own } });
    t.after(() => program.end ?? program.kill('SIGTERM'));
    await until(async () => {
      if (program.end) throw Object.assign(new Error(program.end.stderr), { final: true });
      return (await call('GET', `http://127.0.0.1:${admin}/ready`)).status === 200;
    }, () => `${workload.metadata.name} to be ready:\n${program.stderr}`);
    assert.equal((await call('GET', `http://127.0.0.1:${admin}/health`)).status, 200);
    const { json } = await call('GET', `http://127.0.0.1:${ports[i]}/health`);
    assert.equal(json.instanceId, `${workload.metadata.name}-0`);
    assert.equal(json.role, workload.spec.template.metadata.labels.role);
    assert.doesNotMatch(program.stderr, /level=(warn|error)/);
  }));
});

scenario('every pod has its probes, its limits and no rights, and no variables of Services', { setups }, async () => {
  assert.equal(workloads.length, 4);
  for (const { metadata, spec } of workloads) {
    const pod = spec.template.spec;
    const [container] = pod.containers;
    const { name } = metadata;
    assert.equal(pod.enableServiceLinks, false, name);
    assert.ok(pod.terminationGracePeriodSeconds > 10, name);
    const probes = [container.readinessProbe, container.livenessProbe].map(({ httpGet: { path, port } }) => [path, port]);
    assert.deepEqual(probes, [['/ready', 'admin'], ['/health', 'admin']], `${name}: at a port that strangers cannot fill`);
    assert.deepEqual(container.ports.slice(1), [{ name: 'admin', containerPort: 9000 }], name);
    assert.ok(container.livenessProbe.periodSeconds * container.livenessProbe.failureThreshold >= 60, `${name}: a slow minute is no reason to kill it`);
    assert.ok(container.resources.limits.memory && !container.resources.limits.cpu, name);
    assert.ok(pod.securityContext.runAsNonRoot && container.securityContext.readOnlyRootFilesystem, name);
    assert.deepEqual(container.securityContext.capabilities.drop, ['ALL'], name);
  }
});

scenario('every Service finds pods and their port, and every address names a Service', { setups }, async () => {
  const services = kind('Service');
  const has = (labels, wanted) => Object.entries(wanted).every(([key, value]) => labels[key] === value);
  for (const { metadata, spec } of services) {
    const pods = workloads.filter((each) => has(each.spec.template.metadata.labels, spec.selector));
    assert.equal(pods.length, 1, metadata.name);
    const { ports } = containerOf(pods[0]);
    assert.deepEqual(spec.ports.map(({ port, targetPort }) => [port, targetPort]), [[ports[0].containerPort, ports[0].name]], metadata.name);
  }
  const served = new Set(services.map(({ metadata, spec }) => `${metadata.name}:${spec.ports[0].port}`));
  const text = JSON.stringify([kind('ConfigMap'), workloads]);
  const asked = Array.from(text.matchAll(/http:\/\/(?:\$\(POD_NAME\)\.)?([a-z-]+:\d+)/g), ([, address]) => address);
  assert.deepEqual(new Set(asked), new Set(['chorus-manager:6000', 'chorus-statistics:5000', 'chorus-reader:4001']));
  for (const address of asked) assert.ok(served.has(address), address);
  const { serviceName } = named(workloads, 'chorus-reader').spec;
  assert.equal(named(services, serviceName).spec.clusterIP, 'None', 'each reader has a name');
  for (const { backend } of kind('Ingress')[0].spec.rules[0].http.paths) assert.ok(named(services, backend.service.name), backend.service.name);
});
