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
// What stands around the function in Go.
const program = (text) => `package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

${text}
func main() {
	var set struct{ Keys []struct{ Kid, K string } }
	file, _ := os.ReadFile("keys.json")
	_ = json.Unmarshal(file, &set)
	secret, _ := base64.RawURLEncoding.DecodeString(set.Keys[0].K)
	fmt.Println(token("ann", set.Keys[0].Kid, secret))
}
`;
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
    writeFileSync(join(folder, file), language === 'go' ? program(example(language)) : example(language));
    const token = execFileSync(command, words, { cwd: folder, encoding: 'utf8' }).trim();
    const { code, stdout } = await run(['token', 'check', token, '--jwt-keys', keys, '--video', 'launch', '--can', 'read,post', '--user', 'ann']);
    assert.equal(code, 0, stdout);
  });

scenario('each example has ten lines at most', async () => {
  for (const [language] of languages) assert.ok(example(language).split('\n').filter((line) => line.trim()).length <= 10, language);
});
