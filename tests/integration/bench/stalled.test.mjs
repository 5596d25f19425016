// Long: 13.
import assert from 'node:assert/strict';
import { at, bench } from '../lib/bench.mjs';
import { serveStreams, toAll } from '../lib/fake-streams.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const shown = ({ counts: c }) => ({ lost: c.lost, cuts: c.cuts, stalled: c.stalled, open: c.stalled_open, closed: c.stalled_closed });

// Of six viewers the third and the sixth read nothing; the server closes the third.
scenario('stalled viewers are counted separately, and so are those that the server closes', { ms: 60_000 }, async (t) => {
  const flags = await serveStreams(t, (streams, event, n) => {
    toAll(streams.filter((stream) => !stream.destroyed), event);
    if (n === 10) streams.find(({ viewer }) => viewer === 3).socket.resetAndDestroy();
  });
  const { code, stdout, figures } = await bench(t, { ...flags, viewers: 6, stalled: 2, rate: 20, duration: 1, publishers: 1, require: 'lost=0,stalled_closed=1,stalled_open=1' });
  assert.equal(code, 0, stdout);
  assert.deepEqual(shown(figures), { lost: 0, cuts: 0, stalled: 2, open: 1, closed: 1 });
  assert.equal(figures.counts.deliveries, 4 * figures.counts.comments);
  assert.match(stdout, /^stalled +2 viewers that read nothing: 1 still open, 1 closed by the server$/m);
});

scenario('Chorus closes stalled viewers, the others miss nothing, and the bench sees both', { ms: 90_000 }, async (t) => {
  const system = await t.system({ flags: { 'stall-timeout-ms': 1_000 } });
  const { code, stdout, figures } = await bench(t, { ...at(system), viewers: 25, stalled: 5, rate: 200, size: 2000, duration: 10 }, { ms: 60_000 });
  assert.equal(code, 0, stdout);
  assert.deepEqual(shown(figures), { lost: 0, cuts: 0, stalled: 5, open: 0, closed: 5 });
  assert.equal(figures.counts.deliveries, figures.counts.comments * 20);
});

scenario('not all viewers can stall', async () => {
  const { code, stderr } = await run(['bench', '--viewers', '5', '--stalled', '5']);
  assert.equal(code, 2);
  assert.match(stderr, /^chorus bench: --stalled is 5, but must be less than --viewers \(5\)\..*\n$/);
});
