// Set-ups: embedded.
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { postMany } from '../lib/api.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

// The SQLite file that a server left behind, with some comments in it.
async function leftBehind(t) {
  const system = await t.system();
  await postMany(system, 'v', 200, { text: (i) => `${i} `.repeat(100) });
  assert.equal((await system.stop()).code, 0);
  const files = readdirSync(system.dataDir).map((name) => join(system.dataDir, name));
  const [database] = files.filter((file) => readFileSync(file).subarray(0, 15).toString() === 'SQLite format 3');
  assert.ok(database, `a database among ${files}`);
  return { system, database };
}

function overwrite(file, offset, bytes) {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

async function checkRefused({ system, database }, says) {
  const before = readFileSync(database);
  const { code, stdout, stderr } = await run([
    'up', '--data', system.dataDir, '--manager-port', '0', '--comment-port', '0', '--statistics-port', '0', '--reader-ports', '0',
  ]);
  assert.equal(code, 1, stderr);
  const lines = stderr.trim().split('\n').filter((line) => line.includes(database));
  assert.equal(lines.length, 1, `one sentence that names ${database}: ${stderr}`);
  assert.match(lines[0], says);
  assert.match(lines[0], /--data|move|restore|choose/i, 'it says what to do');
  assert.doesNotMatch(stdout, /http:/);
  assert.ok(readFileSync(database).equals(before), 'the file is left as it was');
}

scenario('a database of a newer version is refused with an explanation', { disk: true, setups: ['embedded'] }, async (t) => {
  const left = await leftBehind(t);
  overwrite(left.database, 60, Buffer.from([0x7f, 0, 0, 0])); // user_version, in SQLite's file header
  await checkRefused(left, /newer/i);
});

scenario('a file that is not a database is refused with an explanation', { disk: true, setups: ['embedded'] }, async (t) => {
  const left = await leftBehind(t);
  overwrite(left.database, 0, Buffer.from('Dear diary, today'));
  await checkRefused(left, /damaged|not a database|not a chorus/i);
});

scenario('a damaged database is refused with an explanation', { disk: true, setups: ['embedded'] }, async (t) => {
  const left = await leftBehind(t);
  const { size } = statSync(left.database);
  overwrite(left.database, 4096, Buffer.alloc(size - 4096, 0xa5)); // all pages but the first
  await checkRefused(left, /damaged/i);
});
