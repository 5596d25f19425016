// docs/http-api.md explains what /openapi.json describes: each operation, its errors, and each error code with its status.
import assert from 'node:assert/strict';
import test from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Description } from '../integration/lib/openapi.mjs';
import { tree } from './page.mjs';

const page = readFileSync(join(tree, 'docs', 'http-api.md'), 'utf8');
const description = new Description(JSON.parse(readFileSync(join(tree, 'src', 'service', 'openapi.json'), 'utf8')));
const operations = new Map(description.operations().map((each) => [`${each.method} ${each.path}`, each]));

test('each error code is explained, with its status', () => {
  const rows = Array.from(page.matchAll(/^\| `(\w+)` \| (\d{3}) \| (.*?) \|/gm), ([, code, status]) => [code, Number(status)]);
  const expected = Object.entries(description.document['x-error-codes']).map(([code, { status }]) => [code, status]);
  assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(expected));
});

test('those that any request may get are marked so', () => {
  const marked = Array.from(page.matchAll(/^\| `(\w+)` \| \d{3} \| any: /gm), ([, code]) => code);
  const [first] = operations.values();
  assert.deepEqual(new Set(marked), new Set(description.codes(first, ['default']).map(({ code }) => code)));
});

// Each operation that may ask for a token has all of these.
const ofTokens = Object.keys(description.document['x-error-codes']).filter((code) => /^token_|^keys_unavailable$|^not_allowed$|^other_user$/.test(code));

test('each operation has a section, with the errors that it adds', () => {
  const any = new Set(description.codes([...operations.values()][0], ['default']).map(({ code }) => code));
  const sections = new Map(page.split(/^#{2,3} /m).map((section) => [section.match(/^`([A-Z]+ [^`]+)`$/m)?.[1], section]));
  sections.delete(undefined);
  assert.deepEqual([...sections.keys()].sort(), [...operations.keys()].sort());
  for (const [name, section] of sections) {
    const errors = section.match(/Errors: ([^.]*)\./)?.[1] ?? '';
    const listed = Array.from(errors.matchAll(/`(\w+)`/g), ([, code]) => code).filter((word) => word in description.document['x-error-codes']);
    const described = description.codes(operations.get(name)).filter(({ code, status }) => status !== 'default' && (!any.has(code) || code === 'not_found'));
    const awaitsKeys = described.some(({ code }) => code === 'keys_unavailable'); // /connect is cut instead
    if (errors.includes('those of tokens')) listed.push(...ofTokens.filter((code) => awaitsKeys || code !== 'keys_unavailable'));
    assert.deepEqual(listed.sort(), described.map(({ code }) => code).sort(), name);
  }
});
