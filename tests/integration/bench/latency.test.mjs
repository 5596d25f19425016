// Latency counts from the moment at which a comment was due, without the comments of the warm-up.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { bench } from '../lib/bench.mjs';
import { serveStreams, toAll } from '../lib/fake-streams.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause } from '../lib/time.mjs';

const setups = ['embedded']; // the bench is the same for every set-up

const flags = { viewers: 5, rate: 20, duration: 2, publishers: 1 };

// The 29 comments that are due meanwhile leave at once when the response arrives: half of all are at least 450 ms late.
scenario('a server that does not accept comments in time is late, even if it then accepts them fast', { ms: 60_000, setups }, async (t) => {
  const urls = await serveStreams(t, async (streams, event, n) => {
    toAll(streams, event);
    if (n === 1) await pause(1_500); // the slow response
  });
  const { figures: { counts, latency_ms: latency } } = await bench(t, { ...urls, ...flags });
  assert.ok(counts.comments > 20, `${counts.comments} comments`);
  assert.ok(latency.p50 > 400 && latency.p90 > 1_000, `p50 ${latency.p50}, p90 ${latency.p90} ms`);
  assert.ok(latency.post_p99 > 1_400, `one post was answered in ${latency.post_p99} ms`);
  assert.ok(latency.post_p50 < latency.post_p99 / 2, `half of them in ${latency.post_p50} ms`);
});

// The comments of the first second arrive long after its end.
scenario('comments of the warm-up do not count, however late they arrive', { ms: 60_000, setups }, async (t) => {
  const held = [];
  const urls = await serveStreams(t, (streams, event, n) => {
    if (n <= 20) held.push(event);
    else toAll(streams, event);
    if (n === 30) held.forEach((late) => toAll(streams, late));
  });
  const { figures: { counts }, file } = await bench(t, { ...urls, ...flags, warmup: 1 }, { written: ['hdr'] });
  assert.ok(counts.comments >= 30, `${counts.comments} comments`);
  assert.equal(counts.deliveries, 5 * counts.comments);
  assert.match(await file('hdr'), new RegExp(`Total count += +${5 * (counts.comments - 20)}\\]`));
});
