// The examples of docs/tokens.md, which make tokens in a server's language.
// Set-ups: embedded.
// CI: no. Compiling the one in Go takes long.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const page = readFileSync(new URL('../../../docs/tokens.md', import.meta.url), 'utf8');
const example = (language) => page.match(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``))[1];
const languages = [
  ['js', 'make.mjs', ['node', 'make.mjs']],
  ['python', 'make.py', ['python3', 'make.py']],
  ['go', 'make.go', ['go', 'run', 'make.go']],
];

for (const [language, file, [command, ...words]] of languages)
  scenario(`the example in ${language} makes a valid token`, { ms: 120_000 }, async (t) => {
    if (spawnSync(command, [language === 'go' ? 'version' : '--version']).error) return t.skip(`${command} is not installed`);
    const folder = t.folder(), keys = join(folder, 'keys.json');
    assert.equal((await run(['token', 'keys', keys, '--algorithm', 'HS256'])).code, 0);
    writeFileSync(join(folder, file), example(language));
    const token = execFileSync(command, words, { cwd: folder, encoding: 'utf8' }).trim();
    const { code, stdout } = await run(['token', 'check', token, '--jwt-keys', keys, '--video', 'launch', '--can', 'read,post', '--user', 'ann']);
    assert.equal(code, 0, stdout);
  });
