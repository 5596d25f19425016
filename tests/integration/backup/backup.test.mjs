// A backup is taken while comments are posted: it is whole, has all that was acknowledged before, and disturbs nobody.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { owner, post, postMany } from '../lib/api.mjs';
import { Program, run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { startSystem } from '../lib/system.mjs';

const setups = ['embedded'];

scenario('a backup beside running posts has all that was acknowledged before', { disk: true, setups }, async (t) => {
  const system = await t.system();
  const file = join(t.folder(), 'backup.db');
  const early = await postMany(system, 'v', 200);
  let over = false;
  const stream = (async () => {
    const stored = [];
    while (!over) stored.push(await post(system, 'v', `later ${stored.length}`));
    return stored;
  })();
  const { code, stdout, stderr } = await run(['backup', file, '--data', system.dataDir]);
  over = true;
  const later = await stream;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /backup\.db is written and checked: 1 video, \d+ entries/);
  assert.equal(statSync(file).mode & 0o777, 0o600, 'nobody else may read it');
  assert.equal((await run(['check', file])).code, 0);

  const folder = t.folder();
  assert.equal((await run(['restore', file, '--data', folder])).code, 0);
  const copy = await startSystem({ dataDir: folder });
  t.after(() => copy.release());
  const viewer = await t.watch(await owner(copy, 'v'), { video: 'v', from: early[0].id });
  await viewer.sees(early.length - 1);
  const all = [...early, ...later].map(({ id }) => id);
  assert.deepEqual(viewer.comments.map(({ id }) => id), all.slice(1, viewer.comments.length + 1));
});

scenario('a backup never replaces a file unless told to, and is never there in part', { disk: true, setups }, async (t) => {
  const system = await t.system();
  await postMany(system, 'v', 100, { text: () => 'x'.repeat(1_000) });
  const folder = t.folder();
  const file = join(folder, 'backup.db');
  writeFileSync(file, 'precious');
  mkdirSync(join(folder, 'sub'));
  const data = ['--data', system.dataDir];
  const cases = [
    [[file, ...data], /backup\.db exists; choose another file, or replace it with --force/],
    [[join(folder, 'sub'), ...data], /is a folder; name a file in it/],
    [[join(folder, 'none', 'backup.db'), ...data], /No such file or directory/],
    [[join(system.dataDir, 'chorus.db'), '--force', ...data], /name of the database's own files/],
    [[join(system.dataDir, 'chorus.db-wal2'), ...data], /name of the database's own files/],
    [[join(folder, 'new.db'), '--data', folder], /there is no .*chorus\.db/],
  ];
  for (const [words, pattern] of cases) {
    const { code, stderr } = await run(['backup', ...words]);
    assert.equal(code, 1, String(words));
    assert.match(stderr, pattern);
  }
  // As on a disk that is full.
  const full = new Program(['backup', join(folder, 'new.db'), ...data], { limits: { fsize: 65_536 } });
  const { code, stderr } = await full.ended;
  assert.equal(code, 1);
  assert.match(stderr, /cannot (write|use) .*new\.db/);
  assert.deepEqual(readdirSync(folder).sort(), ['backup.db', 'sub'], 'nothing is left behind');
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.equal((await run(['backup', '--force', ...data, file])).code, 0);
  assert.equal((await run(['check', file])).code, 0);
  assert.deepEqual(readdirSync(folder).sort(), ['backup.db', 'sub']);
  await post(system, 'v', 'it runs on');
});

scenario('a backup is made where one of the same pid was killed, and replaces no pipe or device', { disk: true, setups }, async (t) => {
  const system = await t.system();
  const file = join(t.folder(), 'backup.db');
  const words = ['-c', 'echo unfinished > "$2.part-$$" && exec "$0" "$@"', process.env.CHORUS_BIN, 'backup', file, '--data', system.dataDir];
  const { code, stderr } = await run(words, { file: 'sh' });
  assert.equal(code, 0, stderr);
  assert.deepEqual(readdirSync(join(file, '..')), ['backup.db']);
  const device = await run(['backup', '/dev/null', '--force', '--data', join(t.folder(), 'none')]);
  assert.match(device.stderr, /\/dev\/null is not a file/);
});

scenario('a damaged database is found by check, and is not backed up', { disk: true, setups }, async (t) => {
  const system = await t.system({ stable: true });
  await postMany(system, 'v', 20, { atOnce: 1 });
  await system.stop();
  const path = join(system.dataDir, 'chorus.db');
  const bytes = readFileSync(path);
  bytes[bytes.indexOf('"comment":"comment 7"') + 12] ^= 1;
  writeFileSync(path, bytes);
  const check = await run(['check', '--data', system.dataDir]);
  assert.equal(check.code, 1);
  assert.match(check.stdout, /^entry 8 is not as it was written\n$/);
  assert.match(check.stderr, /chorus\.db is damaged: 1 problem\.\n$/);
  const folder = t.folder();
  const backup = await run(['backup', join(folder, 'b.db'), '--data', system.dataDir]);
  assert.equal(backup.code, 1);
  assert.match(backup.stderr, /is damaged: entry 8 is not as it was written/);
  assert.deepEqual(readdirSync(folder), []);
});
