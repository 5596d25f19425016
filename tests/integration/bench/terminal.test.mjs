// Set-ups: embedded.
import assert from 'node:assert/strict';
import { serveStreams, toAll } from '../lib/fake-streams.mjs';
import { Program, binary } from '../lib/process.mjs';
import { words } from '../lib/bench.mjs';
import { scenario } from '../lib/scenario.mjs';
import { within } from '../lib/time.mjs';

const setups = ['embedded']; // the bench is the same for every set-up

const COLUMNS = 40;
const BEGIN = '\r\x1b[K'; // back to the first column, the line is emptied

// A pseudo-terminal of util-linux's script(1).
async function onTerminal(t, args) {
  const quoted = [binary, ...args].map((word) => `'${word}'`).join(' ');
  const program = new Program(['-qec', `stty cols ${COLUMNS} && exec ${quoted}`, '/dev/null'], { file: 'script' });
  t.after(() => program.end ?? program.kill('SIGKILL'));
  return within(program.ended, 40_000, () => `the end of the bench; so far:\n${program.stdout}${program.stderr}`);
}

scenario('on a terminal there is one live line, cut to its width, and the report takes its place', { ms: 60_000, setups }, async (t) => {
  const urls = await serveStreams(t, toAll);
  const { code, stdout } = await onTerminal(t, ['bench', ...words({ ...urls, viewers: 5, rate: 20, duration: 2 })]);
  assert.equal(code, 0, stdout);
  const [before, ...shown] = stdout.split(BEGIN);
  const report = shown.pop();
  assert.equal(before, '');
  assert.match(report, /^connects +5 on 1 video /);
  assert.ok(shown.some((line) => /^posting comments=\d+ deliveries=\d+ per_s=/.test(line)), stdout);
  for (const line of shown) assert.ok(line.length < COLUMNS && !line.includes('\n'), JSON.stringify(line));
});
