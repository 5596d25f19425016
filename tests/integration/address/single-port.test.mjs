// Set-ups: embedded, up-redis. Those that are one process.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { call, owner, post, register, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded', 'up-redis'];

// The ports that a process listens on.
function listening(pid) {
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)]$/)?.[1] ?? [];
    } catch {
      return [];
    }
  }));
  const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').trim().split('\n').slice(1));
  return rows.map((row) => row.trim().split(/\s+/)).filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(inode))
    .map(([, local]) => parseInt(local.split(':')[1], 16));
}

scenario('--single-port opens one port, which serves page, API, statistics and dashboard', { setups }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true } });
  assert.deepEqual(listening(system.pid), [Number(new URL(system.comment).port)]);
  assert.deepEqual([system.manager, system.statistics], [system.comment, system.comment]);
  const types = { '/': /html/, '/watch/v': /html/, '/chorus.js': /javascript/, '/openapi.json': /json/, '/health': /json/, '/ready': /json/, '/dashboard/dashboard.js': /javascript/ };
  for (const [path, type] of Object.entries(types)) {
    const answer = await call('GET', `${system.comment}${path}`);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers['content-type'], type, path);
  }
  const page = await call('GET', `${system.comment}/dashboard`, { headers: { accept: 'text/html' } });
  assert.match(page.text, /<title>Chorus dashboard/);
  assert.ok((await call('GET', `${system.comment}/dashboard`)).json.readers, 'JSON for programs');
});

scenario('with --single-port the parts find each other: registered, counted, reported', { setups }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true, 'statistics-interval-ms': 300 } });
  assert.equal((await register(system, 'v')).action, 'registered');
  assert.equal((await register(system, 'v')).publicUrl, system.comment, 'browsers connect to the address itself');
  const viewer = await t.watch(system.comment, { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'hello')).id);
  await post(system, 'unseen', 'registers its video');
  await until(async () => {
    const { commentApi, readerApis, readerApiManager } = await statistics(system);
    assert.equal(commentApi.totalComments, 2);
    assert.equal(readerApis.totalReaders, 3);
    assert.equal(readerApis.totalActiveConnections, 1);
    assert.equal(readerApiManager.registrationCount, 2);
    return true;
  }, 'the reports of all parts');
  assert.doesNotMatch(system.stderr, /reports_failing|manager_unreachable|manager_failing/);
  assert.equal(await owner(system, 'v'), (await register(system, 'v')).readerUrl);
});
