// What `cmake --install` makes of the build under test.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binary } from './process.mjs';

export const build = dirname(binary);
export const UNITS = ['chorus', 'chorus-archive', 'chorus-comment', 'chorus-manager', 'chorus-reader@', 'chorus-statistics'];

// Returns what it printed.
export function install(prefix, { DESTDIR = '' } = {}) {
  return execFileSync('cmake', ['--install', build, '--prefix', prefix], { encoding: 'utf8', env: { ...process.env, DESTDIR } });
}

// All files below a folder, by their paths in it.
export function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name)).map((file) => `${entry.name}/${file}`) : [entry.name]);
}

export const unitFile = (prefix, name) => join(prefix, 'lib/systemd/system', `${name}.service`);

// {status, output} of systemd-analyze.
export function analyze(...args) {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
