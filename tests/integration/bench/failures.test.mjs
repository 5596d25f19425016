// What goes wrong in a run is counted and reported.
// Set-ups: embedded.
// CI: no. Half a minute, for a tool that no server depends on.
// Long: 42.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { at, bench, delivers } from '../lib/bench.mjs';
import { serveStreams, toAll } from '../lib/fake-streams.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded']; // the bench is the same for every set-up

const refused = { stream: (viewer) => viewer === 2 && [404, 'no'], post: (n) => n <= 3 && [507, `<b>"no room"\u001b[31m${'é'.repeat(100)}`] };

scenario('why a stream and a post failed, in words and in the files', { ms: 60_000, setups }, async (t) => {
  const urls = await serveStreams(t, toAll, refused);
  const flags = { ...urls, viewers: 5, rate: 20, duration: 1, publishers: 1, require: 'post_failures=3,p99<20s,connects>=5' };
  const { code, stdout, figures, file } = await bench(t, flags, { written: ['html'] });
  assert.equal(code, 1);
  const { counts, errors, required } = figures;
  assert.deepEqual([counts.connects, counts.connect_failures, counts.post_failures, counts.lost], [4, 1, 3, 4 * 3]);
  assert.match(errors.connect, /^A stream at 127\.0\.0\.1:\d+: the response is not an event stream \(status 404\)\.$/);
  assert.equal(errors.post, `A post: status 507: <b>"no room"?[31m${'?'.repeat(143)}`);
  assert.ok(stdout.includes(errors.connect) && stdout.includes(errors.post), stdout);
  assert.match(stdout, /^required +post_failures=3: met \(3\)$/m);
  assert.match(stdout, /^required +p99<20s: met \([\d.]+ ms\)$/m);
  assert.match(stdout, /^required +connects>=5: NOT MET \(4\)$/m);
  assert.deepEqual(required.map(({ condition, name, wanted, met }) => [condition, name, wanted, met]),
    [['post_failures=3', 'post_failures', 3, true], ['p99<20s', 'p99', 20_000, true], ['connects>=5', 'connects', 5, false]]);
  const page = await file('html');
  assert.ok(page.includes('&lt;b&gt;"no room"?[31m') && page.includes('p99&lt;20s: met') && !page.includes('<b>'), page);
});

scenario('viewers that a full reader refuses count as failures, and match its own count', { ms: 60_000, setups }, async (t) => {
  const system = await t.system({ flags: { memory: '64K' } });
  const { code, stdout, figures } = await bench(t, { ...at(system), viewers: 1_000, rate: 0, duration: 1 });
  assert.equal(code, 0);
  const { counts, errors, readers } = figures;
  assert.ok(counts.connect_failures > 0);
  assert.equal(counts.connects + counts.connect_failures, 1_000);
  assert.equal(readers.refused, counts.connect_failures);
  assert.match(errors.connect, /closed without an answer|Connection reset/);
  await system.program.says(/event=shed more=\d+ shed_so_far=\d+/);
  assert.match(stdout, new RegExp(`^readers .* ${counts.connect_failures} refused$`, 'm'));
});

scenario('a file that cannot be written is reported before the run', async () => {
  const { code, stderr } = await run(['bench', '--manager-url', 'http://127.0.0.1:1', '--json', '/nowhere/figures.json']);
  assert.equal(code, 1);
  assert.equal(stderr, 'chorus bench: /nowhere/figures.json cannot be written: No such file or directory.\n');
});

scenario('a run cut short does not meet its requirements', { ms: 60_000, setups }, async (t) => {
  const urls = await serveStreams(t, toAll);
  const during = async (program) => {
    await delivers(program);
    program.child.kill('SIGINT');
  };
  const { code, stdout, figures } = await bench(t, { ...urls, viewers: 5, rate: 20, duration: 600, require: 'lost=0' }, { during });
  assert.equal(code, 1);
  assert.equal(figures.interrupted, true);
  assert.match(stdout, /^required +lost=0: NOT MET, interrupted/m);
  assert.deepEqual(figures.required.map(({ met }) => met), [false]);
});

scenario('comments that no viewer got are lost, even with the numbers of another system', { ms: 60_000, setups }, async (t) => {
  const [one, other] = [await t.system(), await t.system()];
  for (const [comments, viewers] of [[one, other], [other, one]]) {
    const flags = { 'manager-url': viewers.manager, 'comment-url': comments.comment, viewers: 10, rate: 20, duration: 1, require: 'lost=0' };
    const { code, figures: { counts } } = await bench(t, flags);
    assert.equal(code, 1);
    assert.deepEqual([counts.deliveries, counts.lost], [0, 10 * counts.comments]);
    assert.ok(counts.comments > 10);
  }
});

scenario('where no comment was accepted, losses are unknown', { ms: 60_000, setups }, async (t) => {
  const urls = await serveStreams(t, toAll, { post: () => [404, ''] });
  const { code, stdout, figures } = await bench(t, { ...urls, viewers: 5, rate: 20, duration: 1, require: 'lost=0' });
  assert.equal(code, 1);
  assert.equal(figures.counts.lost, null);
  assert.match(stdout, /^required +lost=0: NOT MET \(unknown\)$/m);
});

scenario('interrupting while viewers connect does not report failures', { ms: 60_000, setups }, async (t) => {
  const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const sockets = [];
  silent.on('connection', (socket) => sockets.push(socket));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  const base = `http://127.0.0.1:${silent.address().port}`;
  const during = async (program) => {
    await until(() => sockets.length === 20, 'viewers to be on their way');
    program.child.kill('SIGINT');
  };
  const { code, figures } = await bench(t, { subscribe: `${base}/{video}`, publish: `POST ${base} {body}`, viewers: 20 }, { during });
  assert.equal(code, 0);
  assert.deepEqual([figures.interrupted, figures.counts.connects, figures.counts.connect_failures], [true, 0, 0]);
});

scenario('a server that exits during the run is reported', { ms: 60_000, setups }, async (t) => {
  const system = await t.system();
  const during = async (program) => {
    await delivers(program);
    await system.kill9();
  };
  const { stdout, figures } = await bench(t, { ...at(system), viewers: 20, rate: 20, duration: 7, require: 'cuts=0' }, { during });
  assert.match(stdout, /^server +process \d+ ended during the run$/m);
  assert.match(stdout, /^ +viewers that are cut do not come back in a bench/m);
  assert.match(stdout, /^readers +did not report their own figures/m);
  assert.equal(figures.counts.cuts, 20);
});

scenario('an invalid process id is reported before the run', async () => {
  const { code, stderr } = await run(['bench', '--pid', '999999999']);
  assert.equal(code, 2);
  assert.match(stderr, /^chorus bench: --pid names 999999999, which is no process/);
});
