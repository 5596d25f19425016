// Needs no Docker engine: what the Dockerfile builds has to build from the files that .dockerignore lets in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { buildFirstStage, firstStage, isLetIn, patternsOf } from './context.mjs';

test('.dockerignore: the last pattern that names a path or a folder above it decides', () => {
  const patterns = patternsOf('# all\n*\n!src\n!web/\nsrc/**/*.o\n!/src/keep/a.o\n');
  const letIn = ['src/main.c', 'src/a/b.c', 'web/index.html', 'src/keep/a.o', 'README.md', 'src/a/b.o', 'src/b.o', 'srcs/a.c', 'a/src/b.c'];
  assert.deepEqual(letIn.filter((path) => isLetIn(patterns, path)), letIn.slice(0, 4));
});

test('a Dockerfile: one instruction a line, of the first stage only', () => {
  const text = 'FROM a AS b\n# why\nRUN one \\\n && two\nCOPY x y ./\nFROM c\nRUN three\n';
  assert.deepEqual(firstStage(text).map((row) => row.join(' ').replace(/\s+/g, ' ')), ['FROM a AS b', 'RUN one && two', 'COPY x y ./']);
});

test('the image builds from what .dockerignore lets in', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chorus-context-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const built = await buildFirstStage(folder);
  const program = join(built, 'build/chorus');
  assert.match(execFileSync(program, ['--version'], { encoding: 'utf8' }), /^chorus \d/);
  const elf = execFileSync('readelf', ['-dlW', '--dyn-syms', program], { encoding: 'utf8' });
  for (const hardened of [/FLAGS_1.*NOW PIE/, /GNU_RELRO/, /__stack_chk_fail/, /__snprintf_chk/]) assert.match(elf, hardened, 'as any other build');
});
