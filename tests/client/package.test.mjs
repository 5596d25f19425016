// What a user of the package gets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

// Not 5 KB, because it follows `event: move` as well, keeps its place in a crowd, and replay.js builds on it.
test('the client is at most 5,450 bytes compressed, and imports nothing', () => {
  const source = readFileSync(path('web/chorus.js'), 'utf8');
  const size = gzipSync(source, { level: 9 }).length + 'chorus.js'.length + 1; // as gzip -9 writes it, with its name
  assert.ok(size <= 5450, `${size} bytes`);
  assert.doesNotMatch(source, /\bimport\b(?!\.meta)/);
});

test('the package installs, imports and has types that hold', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chorus-package-'));
  try {
    // Packed from a copy, because packing writes into its folder.
    for (const part of ['web', 'clients/js']) cpSync(path(part), join(folder, 'tree', part), { recursive: true });
    cpSync(path('LICENSE'), join(folder, 'tree/LICENSE'));
    const npm = (args, cwd) => execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--silent'], { cwd, encoding: 'utf8', env: { ...process.env, npm_config_cache: join(folder, 'cache') } });
    npm(['pack', '--pack-destination', folder], join(folder, 'tree/clients/js'));
    const [packed] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    const user = join(folder, 'user');
    cpSync(path('tests/client/user'), user, { recursive: true });
    writeFileSync(join(user, 'package.json'), '{"type":"module","private":true}');
    npm(['install', join(folder, packed)], user);
    const installed = join(user, 'node_modules/chorus-live-comments');
    assert.deepEqual(readFileSync(join(installed, 'chorus.js')), readFileSync(path('web/chorus.js')));
    assert.deepEqual(readFileSync(join(installed, 'LICENSE')), readFileSync(path('LICENSE')));
    assert.equal(execFileSync(process.execPath, ['use.mjs'], { cwd: user, encoding: 'utf8' }), 'LiveComments ChorusError {"name":"connecting"}\n');
    const check = (file) => execFileSync(process.execPath, [path('tests/node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable', file], { cwd: user, encoding: 'utf8' });
    check('right.ts');
    assert.throws(() => check('wrong.ts'), ({ stdout }) => {
      const lines = new Set(Array.from(stdout.matchAll(/^wrong\.ts\((\d+),/gm), ([, line]) => Number(line)));
      const expected = readFileSync(join(user, 'wrong.ts'), 'utf8').split('\n').flatMap((line, i) => (line.includes('// wrong') ? [i + 1] : []));
      assert.deepEqual([...lines], expected, stdout);
      return true;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
