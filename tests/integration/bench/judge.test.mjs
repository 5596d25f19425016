// Tests of the bench's checks: a server of event streams that does things wrong in known ways.
// Set-ups: embedded.
// Long: 15.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { bench } from '../lib/bench.mjs';
import { serveStreams, toAll } from '../lib/fake-streams.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded']; // the bench is the same for every set-up

// One video, five viewers, 20 comments, by one publisher, so that their order is known. The last of them may stay unposted
// on a machine that is busy, so what is expected follows from how many there were.
async function judge(t, send, expected) {
  const urls = await serveStreams(t, send);
  const { code, figures } = await bench(t, { ...urls, viewers: 5, rate: 20, duration: 1, publishers: 1, require: 'lost=0,duplicated=0,out_of_order=0' });
  const { deliveries, lost, duplicated, out_of_order: late, comments, unposted } = figures.counts;
  assert.equal(comments + unposted, 20);
  assert.ok(comments > 10, `${comments} comments`);
  assert.deepEqual({ code, deliveries, lost, duplicated, late }, { lost: 0, duplicated: 0, late: 0, ...expected(comments) });
}

scenario('any event-stream server can be measured', { ms: 60_000, setups }, async (t) => {
  await judge(t, toAll, (comments) => ({ code: 0, deliveries: 5 * comments }));
});

scenario('losses are found, in the middle and at the end', { ms: 60_000, setups }, async (t) => {
  const send = (streams, event, n) => toAll(n === 7 || n >= 10 ? streams.slice(1) : streams, event);
  await judge(t, send, (comments) => ({ code: 1, deliveries: 5 * comments - 1 - (comments - 9), lost: 1 + (comments - 9) }));
});

scenario('duplicates are found', { ms: 60_000, setups }, async (t) => {
  const send = (streams, event, n) => {
    toAll(streams, event);
    if (n === 3) streams[2].write(event);
  };
  await judge(t, send, (comments) => ({ code: 1, deliveries: 5 * comments + 1, duplicated: 1 }));
});

scenario('a wrong order is found, and is not a loss', { ms: 60_000, setups }, async (t) => {
  let held;
  const send = (streams, event, n) => {
    if (n === 5) held = event;
    else toAll(streams, event);
    if (n === 6) toAll(streams, held);
  };
  await judge(t, send, (comments) => ({ code: 1, deliveries: 5 * comments, late: 5 }));
});

scenario('a stream that is cut loses the rest', { ms: 60_000, setups }, async (t) => {
  const send = (streams, event, n) => {
    toAll(streams, event);
    if (n === 10) streams.shift().end();
  };
  await judge(t, send, (comments) => ({ code: 1, deliveries: 5 * comments - (comments - 10), lost: comments - 10 }));
});

scenario('wrong usage is explained in a sentence, exit code 2', async () => {
  const wrong = [
    ['--require', 'p99<250'], ['--require', 'speed>1'], ['--distribution', 'zipf:x'], ['--pid', '12,x'], ['--size', '5'],
    ['--manager-url', 'localhost:6000'], ['--subscribe', 'http://127.0.0.1:1/sub/{video}'], ['--viewers', '0'],
  ];
  for (const [flag, value] of wrong) {
    const { code, stderr } = await run(['bench', flag, value]);
    assert.equal(code, 2, `${flag} ${value}: ${stderr}`);
    assert.match(stderr, new RegExp(`^chorus bench: .*${flag}.*\\n$`));
  }
});

scenario('without a server it explains that, exit code 1', { ms: 60_000, setups }, async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  gone.close();
  await once(gone, 'close');
  const nobody = `http://127.0.0.1:${port}`;
  const { code, stderr } = await run(['bench', '--viewers', '5', '--manager-url', nobody, '--comment-url', nobody]);
  assert.equal(code, 1);
  assert.match(stderr, /^chorus bench: No viewer got a stream\. .*refused.*\n$/);
});
