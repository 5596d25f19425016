// Set-ups: embedded.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary, run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const script = fileURLToPath(new URL('../../../simulation/small_in_memory_simulation.js', import.meta.url));
const node = (file, args, env) =>
  spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', timeout: 10_000, env: { ...process.env, ...env } });

scenario("the seed's command starts the simulation", { setups: ['embedded'] }, async () => {
  for (const flags of [[], ['--readers', '3', '--policy', 'hash']]) {
    const { status, stdout, stderr } = node(script, flags, { CHORUS_BIN: binary });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, (await run(['simulate', ...flags])).stdout);
  }
});

scenario("and passes on the exit code and the error message", { setups: ['embedded'] }, async () => {
  const { status, stderr } = node(script, ['--readers', '0'], { CHORUS_BIN: binary });
  assert.equal(status, 2);
  assert.match(stderr, /--readers/);
});

// The script where nothing is built, and a `docker` that has an image of this name; it prints how it was run.
function withoutBuild(t, { image } = {}) {
  const folder = t.folder();
  const copy = join(folder, 'simulation', 'simulation.js');
  mkdirSync(dirname(copy));
  copyFileSync(script, copy);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  if (image) {
    writeFileSync(join(bin, 'docker'), `#!/bin/sh
[ "$1 $2" = "image inspect" ] && { [ "$3" = ${image} ]; exit; }
echo "$@"
exit 2
`, { mode: 0o755 });
  }
  return (args, env) => node(copy, args, { CHORUS_BIN: '', PATH: bin, ...env });
}

scenario('where nothing is built, it says what to do, with Docker too', { setups: ['embedded'] }, async (t) => {
  for (const options of [{}, { image: 'another' }]) {
    const { status, stdout, stderr } = withoutBuild(t, options)(['--readers', '7']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^There is no chorus yet\. scripts\/run builds it/);
    assert.match(stderr, /^ +docker build -t chorus \. && docker run --rm chorus simulate --readers 7$/m);
  }
});

scenario('where only the image is there, it runs in a container, with the same arguments and exit code', { setups: ['embedded'] }, async (t) => {
  const start = withoutBuild(t, { image: 'chorus' });
  const { status, stdout, stderr } = start(['--readers', '7']);
  assert.equal(stdout, 'run --rm chorus simulate --readers 7\n');
  assert.equal(stderr, 'Chorus is not built here, so: docker run --rm chorus simulate --readers 7\n');
  assert.equal(status, 2);
  assert.equal(withoutBuild(t, { image: 'mine' })([], { CHORUS_IMAGE: 'mine' }).stdout, 'run --rm mine simulate\n');

  const here = process.cwd();
  const written = start(['--html', 'page.html']).stdout;
  assert.equal(written, `run --rm -v ${here}:${here} -w ${here} --user ${process.getuid()}:${process.getgid()} chorus simulate --html page.html\n`);
});
