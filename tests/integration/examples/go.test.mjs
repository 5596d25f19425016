// Set-ups: embedded, up-redis.
// CI: no. Newer versions of Go compile their own library the first time.
// Long: 30.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exampleScenarios, top } from '../lib/examples.mjs';
import { binary } from '../lib/process.mjs';

let built;

// The cache is beside the program under test. The example needs nothing but Go's own library, and so no network.
function build() {
  if (built) return built;
  const file = join(mkdtempSync(join(tmpdir(), 'chorus-test-')), 'example');
  const env = { ...process.env, GO111MODULE: 'off', CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '', GOCACHE: join(dirname(binary), 'go-cache') };
  execFileSync('go', ['build', '-o', file, 'main.go'], { cwd: join(top, 'clients/go'), env, stdio: ['ignore', 'ignore', 'pipe'] });
  return (built = { file, args: [] });
}

exampleScenarios('go', build);
