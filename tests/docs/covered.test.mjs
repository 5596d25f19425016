// Every command of the documentation is run: by commands.test.mjs, or by the test that the comment before it names.
import assert from 'node:assert/strict';
import test from 'node:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { commandsOf, hiddenCommand, noteOf } from './markdown.mjs';
import { tree } from './page.mjs';
import { pages } from './pages.mjs';

const read = (path) => readFileSync(join(tree, path), 'utf8');
const isFile = (path) => existsSync(join(tree, path)) && statSync(join(tree, path)).isFile();
const squeezed = (text) => text.trim().replace(/\s+/g, ' ');

// A file and what it imports of the tree.
function withImports(path, seen = new Map()) {
  if (seen.has(path) || !isFile(path)) return seen;
  const text = read(path);
  seen.set(path, text);
  for (const [, other] of text.matchAll(/from '(\.[^']+)'/g)) withImports(normalize(join(dirname(path), other)), seen);
  return seen;
}

// What of a block has to occur in a test: the names of its programs, and its long options.
function essence(block) {
  const text = hiddenCommand(block) ? block.text : commandsOf(block).map((each) => each.text).join('\n');
  const lines = text.replace(/\\\n/g, ' ').split('\n').map((line) => line.replace(/(^|\s)#.*/, '').trim()).filter(Boolean);
  const programs = lines.map((line) => line.replace(/^(sudo |[A-Z_]+=\S* )+/, '').split(/\s/)[0].split('/').at(-1)).filter((word) => /^[a-z]/.test(word));
  return new Set([...programs, ...(text.match(/(?<=\s)--[a-z][a-z-]+/g) ?? [])]);
}

const failed = { 'run by': (block, paths) => {
  const files = paths.split(/, */).map((path) => [path, [`tests/${path}`, `tests/integration/${path}`, path].find(isFile)]);
  const none = files.find(([, file]) => !file);
  if (none) return `no such test: ${none[0]}`;
  const text = files.flatMap(([, file]) => [...withImports(file).values()]).join('\n');
  const missing = [...essence(block)].filter((word) => !text.includes(word) && !text.includes(word.replace(/^--/, '')));
  return missing.length ? `${paths} has no ${missing.join(', ')}` : undefined;
}, from: (block, path) => {
  if (!isFile(path)) return `no such file: ${path}`;
  const text = read(path).split('\n').map(squeezed);
  for (const line of block.text.split('\n').map(squeezed).filter((each) => each && each !== '...')) {
    const at = text.indexOf(line);
    if (at < 0) return `not in ${path}, or not in this order: ${line}`;
    text.splice(0, at + 1);
  }
  return undefined;
}, 'not run': (block, why) => (why.length < 10 ? 'say why' : undefined) };

for (const { name, blocks } of pages) {
  test(name, () => {
    const wrong = [];
    for (const block of blocks.filter(({ kind }) => kind !== 'set-up')) {
      const notes = Object.keys(failed).filter((note) => noteOf(block, note) !== undefined);
      const command = notes.length ? undefined : hiddenCommand(block);
      if (command !== undefined) wrong.push(`${name}:${block.line}: looks like a command, and is not run: ${command}`);
      for (const note of notes) {
        const why = failed[note](block, noteOf(block, note));
        if (why) wrong.push(`${name}:${block.line}: ${why}`);
      }
    }
    assert.equal(wrong.join('\n'), '', 'see tests/docs/markdown.mjs');
  });
}
