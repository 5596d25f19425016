// `chorus bench` and the files it writes.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './process.mjs';
import { until, within } from './time.mjs';

export const words = (flags) => Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);

export const at = (system) => ({ 'manager-url': system.manager, 'comment-url': system.comment });

// Waits until comments arrive at the viewers of a run.
export const delivers = (program) => until(() => /posting .*deliveries=[1-9]/.test(program.stdout), 'deliveries', 20_000);

// A run with these flags until its end: {code, stdout, stderr, figures, file(name)}.
// `written`: files to write besides the JSON one: ['html', 'hdr'].
export async function bench(t, flags, { written = [], ms = 40_000, during } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'chorus-bench-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = (name) => join(folder, name);
  const files = Object.fromEntries(['json', ...written].map((name) => [name, path(name)]));
  const program = new Program(['bench', ...words({ ...flags, ...files })]);
  t.after(() => program.end ?? program.kill('SIGKILL'));
  await during?.(program);
  const end = await within(program.ended, ms, () => `the end of the bench; so far:\n${program.stdout}${program.stderr}`);
  const file = (name) => readFile(path(name), 'utf8');
  const figures = await file('json').then(JSON.parse).catch(() => undefined);
  return { ...end, figures, file };
}
