// The scripts that a new user starts: help has no effect, and where nothing can be installed they say what is missing.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program, run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { Terminal } from '../lib/terminal.mjs';

const setups = ['embedded'];
const scripts = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'scripts');
const TOOLS = ['bash', 'sh', 'env', 'dirname', 'basename', 'nproc', 'sed', 'cat', 'grep', 'head', 'tail', 'awk', 'mktemp', 'rm', 'mkdir', 'sha256sum', 'cut', 'find', 'sleep', 'nice', 'chmod', 'wc'];

// A copy of the scripts, on a machine that has these tools and no others, and a user other than root.
// fakes: further programs, as shell scripts.
function bareMachine(t, fakes = {}) {
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
  for (const [tool, text] of Object.entries(fakes)) fake(tool, text);
  const run = (script, ...args) => spawnSync(join(folder, 'tree', 'scripts', script), args, { env: { PATH: bin }, encoding: 'utf8' });
  const called = () => readdirSync(folder).includes('called') && readFileSync(join(folder, 'called'), 'utf8');
  return { folder, bin, run, called };
}

// Waits until the test lets it go on.
const held = (name) => `while [ ! -e "$HELD/${name}" ]; do sleep 0.1; done`;

// A machine on which everything has to be installed and built, by fakes that go on when the test says so.
function emptyMachine(t) {
  const machine = bareMachine(t, {
    id: 'echo 0',
    'apt-get': `case "$*" in *install*) echo pmstatus:ninja-build:42.1234:Unpacking; ${held('installed')};; esac`,
    cmake: `case "$1" in
      --build) echo "[12/345] Building C object"; ${held('built')}; printf '#!/bin/sh\necho "started $*"\n' >"$2/chorus"; chmod +x "$2/chorus" ;;
      *) mkdir -p "$HELD/tree/build" ;;
    esac`,
  });
  const env = { PATH: machine.bin, HELD: machine.folder };
  const release = (...names) => names.forEach((name) => writeFileSync(join(machine.folder, name), ''));
  return { ...machine, env, script: join(machine.folder, 'tree/scripts/run'), release };
}

scenario('a first run says which step it is at, how far, and for how long', { setups }, async (t) => {
  const { script, env, release } = emptyMachine(t);
  const program = new Program(['--readers', '2'], { file: script, env });
  t.after(() => release('installed', 'built') ?? program.kill('SIGKILL'));
  await program.says(/^\[1\/3\] installing \d+ packages, and what they need: .*\bninja-build\b/m);
  await program.says(/^\[1\/3\] installing \d+ packages: unpacking, 42 %, \d+ s$/m);
  release('installed');
  await program.says(/^\[1\/3\] installing \d+ packages: done after \d+ s$/m);
  await program.says(/^\[2\/3\] building: 12\/345, \d+ s$/m);
  release('built');
  const { code, stdout, stderr } = await program.ended;
  assert.match(stderr, /^\[2\/3\] building: done after \d+ s\n\[3\/3\] starting: chorus up --demo --readers 2\n$/m);
  assert.equal(stdout, 'started up --demo --readers 2\n');
  assert.doesNotMatch(stderr, /[\r\x1b]|pmstatus/, 'plain lines where there is no terminal');
  assert.equal(code, 0);
});

scenario('on a terminal one line goes on counting', { setups }, async (t) => {
  const { script, env, release } = emptyMachine(t);
  const terminal = new Terminal(['env', `PATH=${env.PATH}`, `HELD=${env.HELD}`, script]);
  t.after(() => release('installed', 'built') ?? terminal.release());
  await terminal.shows(/\r\x1b\[K\[1\/3\] installing \d+ packages: unpacking, 42 %, 1 s\r\x1b\[K\[1\/3\] .* 2 s/);
  release('installed');
  await terminal.shows(/\r\x1b\[K\[1\/3\] installing \d+ packages: done after \d+ s\r\n/);
  await terminal.shows(/\r\x1b\[K\[2\/3\] building: 12\/345, 1 s/);
  release('built');
  await terminal.shows(/started up --demo/);
  await terminal.end();
});

scenario('where nothing is to be done it starts at once', { setups }, async (t) => {
  const { script, env, release } = emptyMachine(t);
  release('installed', 'built');
  const { stderr } = await run([], { file: script, env });
  assert.doesNotMatch(stderr, /building|done/);
  assert.match(stderr, /^\[3\/3\] starting/m);
});

scenario('what goes wrong is shown, with what to do', { setups }, async (t) => {
  const apt = bareMachine(t, { id: 'echo 0', 'apt-get': 'echo dlstatus:1:5:x; echo "E: no network" >&2; exit 100' });
  const failed = apt.run('run');
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /E: no network\n.*is the network there.*\n.*could not install .*ninja-build/);
  assert.doesNotMatch(failed.stderr, /dlstatus/);
});

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
