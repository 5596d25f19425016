// Set-ups: embedded.
// `chorus top` for scripts.
import assert from 'node:assert/strict';
import { aDashboard, startFakeDashboard } from '../lib/fake-dashboard.mjs';
import { Program, run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded']; // it only sees the statistics service

scenario('--once --json prints the dashboard as it is served', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  const { code, stdout, stderr } = await run(['top', '--once', '--json', '--statistics', `${fake.url}/`]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(stdout, `${JSON.stringify(fake.dashboard)}\n`);
  assert.equal(fake.asked, 1);
});

scenario('--json goes on, a line for each sample', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  const program = new Program(['top', '--json', '--statistics', fake.url]);
  t.after(() => program.end ?? program.kill('SIGKILL'));
  await until(() => program.stdout.split('\n').length > 3, 'three lines');
  const { code, stdout } = await program.kill('SIGINT');
  assert.equal(code, 0);
  for (const line of stdout.trimEnd().split('\n')) assert.equal(JSON.parse(line).viewers, 19);
});

scenario('where the output is no terminal it prints plain text once', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  for (const more of [[], ['--once']]) {
    const { code, stdout } = await run(['top', '--statistics', fake.url, ...more], { env: { LC_ALL: 'C' } });
    assert.equal(code, 0);
    assert.match(stdout, /^[\n\x20-\x7e]*\n$/);
    assert.match(stdout, /^reader-2 +live +6 /m);
  }
  assert.deepEqual(fake.others, [], 'one request has it all');
  const { stdout } = await run(['top'], { env: { STATISTICS_API_URL: fake.url } });
  assert.match(stdout, /reader-2/);
});

scenario('figures that are not known are dashes', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  fake.dashboard = aDashboard({ viewers: null, p99Ms: null, readers: [] });
  const { code, stdout } = await run(['top', '--once', '--statistics', fake.url]);
  assert.equal(code, 0);
  assert.match(stdout, /^ +- +6 +1\.9 +6\.2 +<1 ms +-$/m);
});

scenario('a reader has its name alone, and what was left out is said last', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  const at = Date.now(), readers = { readerUrl: 'http://127.0.0.1:4002', from: 'http://127.0.0.1:4003' };
  fake.dashboard = aDashboard({ notices: [
    { kind: 'reassigned', at, video: 'news', ...readers },
    { kind: 'reassigned', at, video: 'launch', ...readers, more: 3, reader: 'reader-2', fromReader: 'reader-3' },
  ] });
  const { stdout } = await run(['top', '--once', '--statistics', fake.url]);
  assert.match(stdout, /  reassigned  launch  reader-2  from reader-3  \(3 earlier left out\)$/m);
  assert.match(stdout, /  reassigned  news  http:\/\/127\.0\.0\.1:4002  from http:\/\/127\.0\.0\.1:4003$/m);
});

scenario('what goes wrong is one sentence, and exit code 1; wrong usage 2', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  for (const [change, pattern] of [[{ status: 503 }, /answers 503/], [{ status: 200, text: '<html>' }, /not with a dashboard/], [{ text: '{"readers":1}' }, /not with a dashboard/]]) {
    Object.assign(fake, change);
    const { code, stdout, stderr } = await run(['top', '--once', '--json', '--statistics', fake.url]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, pattern);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
  await fake.stop();
  const gone = await run(['top', '--once', '--statistics', fake.url]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /^chorus top: http:\/\/127\.0\.0\.1:\d+ cannot be reached: Connection refused\.\n$/);
  const wrong = await run(['top', '--statistics', 'localhost']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--statistics is "localhost"/);
});
