// The data folder, or a file in it, is removed under a running server: what was stored then would be lost with the process.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { renameSync, rmSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, owner, post } from '../lib/api.mjs';
import { checkError, checkHealthy, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded'];

async function checkRefused(system) {
  await until(async () => (await call('GET', `${system.comment}/ready`)).status === 503, 'it to be noticed', 10_000);
  for (let i = 0; i < 3; i++)
    checkError(await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'x' } }), 503);
  for (const [role, url] of everyPort(system)) {
    const { status, json } = await call('GET', `${url}/health`);
    assert.equal(status, 200);
    assert.equal(json.status, 'degraded', role);
    assert.match(JSON.stringify(json), /removed, renamed or replaced/, role);
  }
  await system.program.says(/unavailable.*removed, renamed or replaced/);
}

const takings = {
  'the folder removed': ({ dataDir }) => rmSync(dataDir, { recursive: true }),
  'the folder renamed': ({ dataDir }) => renameSync(dataDir, `${dataDir}.away`),
  'the database removed': ({ dataDir }) => rmSync(join(dataDir, 'chorus.db')),
  'its write-ahead log removed': ({ dataDir }) => rmSync(join(dataDir, 'chorus.db-wal')),
  'the database replaced by a copy': ({ dataDir }) => {
    copyFileSync(join(dataDir, 'chorus.db'), join(dataDir, 'copy'));
    renameSync(join(dataDir, 'copy'), join(dataDir, 'chorus.db'));
  },
};
for (const [what, take] of Object.entries(takings)) {
  scenario(`${what} while running: comments are 503, health is degraded, viewers stay`, { disk: true, setups }, async (t) => {
    const system = await t.system({ dataDir: join(t.folder(), 'data') });
    const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
    await viewer.reaches((await post(system, 'v', 'before')).id);
    take(system);
    await checkRefused(system);
    assert.equal(viewer.ended, false);
    const another = await t.watch(await owner(system, 'v'), { video: 'v' });
    assert.equal(another.connected.id, viewer.position);
  });
}

scenario('a data folder that is put back is used again', { disk: true, setups }, async (t) => {
  const system = await t.system({ dataDir: join(t.folder(), 'data') });
  await post(system, 'v', 'before');
  renameSync(system.dataDir, `${system.dataDir}.away`);
  await checkRefused(system);
  renameSync(`${system.dataDir}.away`, system.dataDir);
  await until(async () => (await call('GET', `${system.comment}/ready`)).status === 200, 'readiness', 10_000);
  await checkHealthy(system);
  await post(system, 'v', 'after');
});
