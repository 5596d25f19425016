// Set-ups: embedded.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { post } from '../lib/api.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { startSystem } from '../lib/system.mjs';

const up = (dataDir) =>
  run(['up', '--data', dataDir, '--manager-port', '0', '--comment-port', '0', '--statistics-port', '0', '--reader-ports', '0']);

async function checkRefused(dataDir) {
  const { code, stdout, stderr } = await up(dataDir);
  assert.equal(code, 1, stderr);
  const lines = stderr.trim().split('\n').filter((line) => line.includes(dataDir));
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0], /--data|choose|another|stop/, 'with the remedy');
  assert.doesNotMatch(stdout, /http:/);
}

scenario('a --data that is a file is refused', { disk: true, setups: ['embedded'] }, async (t) => {
  const path = join(t.folder(), 'file');
  writeFileSync(path, 'precious');
  await checkRefused(path);
});

scenario('a --data that cannot be created is refused', { disk: true, setups: ['embedded'] }, () => checkRefused('/proc/chorus/data'));

const skip = process.getuid() === 0 && 'the superuser may write anywhere';
scenario('a --data that cannot be written is refused', { disk: true, setups: ['embedded'], skip }, async (t) => {
  const path = join(t.folder(), 'data');
  mkdirSync(path);
  chmodSync(path, 0o500);
  await checkRefused(path);
});

scenario('a missing --data is created', { disk: true, setups: ['embedded'] }, async (t) => {
  const system = await startSystem({ dataDir: join(t.folder(), 'new') });
  t.after(() => system.release());
  await post(system, 'v', 'kept');
});

scenario('a second server on the same --data is refused, and the first continues', { disk: true, setups: ['embedded'] }, async (t) => {
  const system = await t.system();
  await checkRefused(system.dataDir);
  await post(system, 'v', 'still here');
});
