// The scripts in bench/ with their smallest arguments: they run, and write their sections without touching the rest.
// Set-ups: embedded.
// CI: no. Long, for scripts that no server depends on.
// Long: 20.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binary } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow } from '../lib/time.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../../bench');
const skip = slow && 'what they measure is not a sanitizer build';
const smallest = { limit: ['1', '1', '50'], limits: ['1', '50'], 'long-tail': ['1', '1', '60', '5'], idle: ['1', '60'] };

for (const [name, args] of Object.entries(smallest)) {
  scenario(`bench/${name} writes its section in its place`, { ms: 60_000, setups: ['embedded'], skip }, async (t) => {
    const docs = join(t.folder(), 'benchmarks.md');
    writeFileSync(docs, `before\n\n<!-- bench:${name} -->\n\nold\n\n<!-- /bench:${name} -->\n\nafter\n`);
    await promisify(execFile)(join(folder, name), args, { env: { ...process.env, CHORUS_BIN: binary, DOCS: docs } });
    const text = readFileSync(docs, 'utf8');
    assert.match(text, new RegExp(`^before\n\n<!-- bench:${name} -->\n\n### [^]*\n\n<!-- /bench:${name} -->\n\nafter\n$`));
    assert.doesNotMatch(text, /old/);
    const rows = text.split('\n').filter((line) => line.startsWith('| ')).slice(2);
    assert.ok(rows.length >= 2 && rows.every((row) => /\| \d[\d.]* \|/.test(row)), text);
  });
}
