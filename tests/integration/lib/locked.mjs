// A system that demands tokens: a file of keys, and services that read it.
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keySet } from './jwt.mjs';

export const serviceToken = 'between-services';

// write(...keys) replaces the file, as an operator should: by a rename.
export async function lockedSystem(t, keys, { flags, ...options } = {}) {
  const path = join(t.folder(), 'keys.json');
  const write = (...all) => {
    writeFileSync(`${path}.new`, keySet(...all));
    renameSync(`${path}.new`, path);
  };
  write(...keys);
  const system = await t.system({ flags: { 'jwt-keys': path, 'internal-token': serviceToken, ...flags }, ...options });
  return { system, write, path };
}

export async function refused(answer, status, code) {
  const { status: got, json, headers, text } = await answer;
  assert.equal(`${got} ${json?.code}`, `${status} ${code}`, text);
  if (status === 401) assert.match(headers['www-authenticate'], /^Bearer/);
}
