// The scripts that a new user starts: help has no effect, and where nothing can be installed they say what is missing.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded'];
const scripts = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'scripts');
const TOOLS = ['bash', 'sh', 'env', 'dirname', 'basename', 'nproc', 'sed', 'cat', 'grep', 'head', 'tail', 'awk', 'mktemp', 'rm', 'mkdir', 'sha256sum', 'cut', 'find'];

// A copy of the scripts, on a machine that has these tools and no others, and a user other than root.
function bareMachine(t) {
  const folder = t.folder();
  const bin = join(folder, 'bin');
  cpSync(scripts, join(folder, 'tree', 'scripts'), { recursive: true });
  mkdirSync(bin);
  const at = (tool) => process.env.PATH.split(':').map((path) => join(path, tool)).find((path) => spawnSync('test', ['-x', path]).status === 0);
  for (const tool of TOOLS) symlinkSync(at(tool), join(bin, tool));
  const fake = (tool, text) => {
    writeFileSync(join(bin, tool), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, tool), 0o755);
  };
  fake('id', 'echo 1000');
  for (const tool of ['apt-get', 'cmake', 'npm', 'docker']) fake(tool, `echo ${tool} "$@" >>${folder}/called; exit 1`);
  const run = (script, ...args) => spawnSync(join(folder, 'tree', 'scripts', script), args, { env: { PATH: bin }, encoding: 'utf8' });
  const called = () => readdirSync(folder).includes('called') && readFileSync(join(folder, 'called'), 'utf8');
  return { folder, run, called };
}

scenario('every script prints its help for --help, and does nothing else', { setups }, async (t) => {
  const machine = bareMachine(t);
  const names = readdirSync(scripts).filter((name) => name !== 'lib.sh');
  assert.ok(names.includes('run') && names.includes('test'));
  for (const name of names) {
    for (const args of [['--help'], ['-h'], ['run', '--help']]) {
      const { status, stdout, stderr } = machine.run(name, ...args);
      assert.equal(status, 0, `${name}: ${stderr}`);
      assert.match(stdout, /\w+ \w+/, name);
      assert.equal(stderr, '', name);
    }
  }
  assert.equal(machine.called(), false);
  assert.deepEqual(readdirSync(join(machine.folder, 'tree')), ['scripts'], 'nothing is built');
});

scenario('without root or sudo it says what is missing and how to install it', { setups }, async (t) => {
  const machine = bareMachine(t);
  for (const [script, ...args] of [['run'], ['install-deps', 'run'], ['test', 'unit']]) {
    const { status, stderr } = machine.run(script, ...args);
    assert.equal(status, 1, script);
    assert.match(stderr, /missing:.*\bninja-build\b.*not root.*no sudo.*apt-get install .*\bninja-build\b/, script);
  }
  assert.equal(machine.called(), false);
});
