// Set-ups: embedded.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
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

scenario('where nothing is built, it says what to do', { setups: ['embedded'] }, async (t) => {
  const copy = join(t.folder(), 'simulation', 'simulation.js');
  mkdirSync(dirname(copy));
  copyFileSync(script, copy);
  const { status, stderr } = node(copy, [], { CHORUS_BIN: '', PATH: '' });
  assert.equal(status, 1);
  assert.match(stderr, /^There is no chorus yet\. scripts\/run builds it/);
});
