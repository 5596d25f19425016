// docs/reliability.md names tests; each of them exists, and so does the title of which it quotes words.
import assert from 'node:assert/strict';
import test from 'node:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tree } from './page.mjs';

const page = readFileSync(join(tree, 'docs', 'reliability.md'), 'utf8');

// `redis/fleet: words of a title`, `unit/test_loss: words`; without words it may also be a path of the tree.
const named = Array.from(page.matchAll(/`((?:[a-z]+\/)+[a-z_-]+)(?:: ([^`]+))?`/g), ([text, name, title]) => ({ text, name, title }))
  .filter(({ name, title }) => title || !/^(tests|src|bench|docs|scripts)\//.test(name));
const simulations = readFileSync(join(tree, 'tests', 'sim', 'CMakeLists.txt'), 'utf8');
const simulates = (name) => name.startsWith('sim/') && simulations.includes(`chorus_sim_test(${name.slice(4)} `);
const fileOf = (name) => simulates(name) ? name : [`integration/${name}.test.mjs`, `${name}.test.mjs`, `${name}.mjs`, `${name}.c`]
  .map((path) => join(tree, 'tests', path)).find(existsSync);

// What the file writes as titles: strings that a test begins with, or names of C functions. Parts of a title that vary are left out.
function titlesOf(file) {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.c')) return Array.from(text.matchAll(/^static void (\w+)\(/gm), ([, name]) => name);
  if (!file.endsWith('.test.mjs')) return Array.from(text.matchAll(/^ {2}(\w+)(?:\(|:)/gm), ([, name]) => name); // a table of faults
  return Array.from(text.matchAll(/\b(?:scenario|test|it)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g), ([, , title]) => title);
}

test('every test that the page names exists', () => {
  assert.ok(named.length > 30, 'the page names tests');
  const missing = [];
  for (const { text, name, title } of named) {
    const file = fileOf(name);
    if (!file) missing.push(`${text}: no such file`);
    else if (title && !titlesOf(file).some((each) => each.includes(title))) missing.push(`${text}: no such title`);
  }
  assert.deepEqual(missing, []);
});

test('each row of the tables of failures and of violations names tests, and nothing else', () => {
  const known = new Set(named.map(({ text }) => text));
  for (const heading of ['When something fails', 'Found on the way']) {
    const section = page.split(/^## /m).find((each) => each.startsWith(heading));
    const rows = section.split('\n').filter((line) => line.startsWith('| ')).slice(2);
    assert.ok(rows.length > 5, heading);
    for (const row of rows) {
      const tests = row.split(/(?<!\\)\|/).at(-2).match(/`[^`]+`/g);
      assert.ok(tests, `names no test: ${row.slice(0, 80)}`);
      for (const each of tests) assert.ok(known.has(each) || existsSync(join(tree, each.slice(1, -1))), `${each} names nothing: ${row.slice(0, 80)}`);
    }
  }
});
