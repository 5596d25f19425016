// Tests of the bench's checks on Chorus: they use the server's own numbers, which here are wrong in known ways.
// Set-ups: embedded.
// Long: 10.
import assert from 'node:assert/strict';
import { bench } from '../lib/bench.mjs';
import { gap, serveChorus } from '../lib/fake-chorus.mjs';
import { toAll } from '../lib/fake-streams.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded']; // the bench is the same for every set-up

// Five viewers, 20 comments by one publisher, so that their order is known. The last of them may stay unposted on a machine
// that is busy, so what is expected follows from how many there were.
async function judge(t, send, expected, position) {
  const urls = await serveChorus(t, send, position);
  const { stdout, figures } = await bench(t, { ...urls, viewers: 5, rate: 20, duration: 1, publishers: 1 });
  const { deliveries, lost, duplicated, out_of_order: late, gaps, missed, comments, left_out: leftOut } = figures.counts;
  assert.ok(comments > 12, `${comments} comments`);
  const wanted = { lost: 0, duplicated: 0, late: 0, gaps: 0, missed: 0, leftOut: 0, ...expected(comments) };
  assert.deepEqual({ deliveries, lost, duplicated, late, gaps, missed, leftOut }, wanted);
  return stdout;
}

const others = (streams, viewer) => streams.filter((stream) => stream.viewer !== viewer);
const only = (streams, ...viewers) => streams.filter((stream) => viewers.includes(stream.viewer));

scenario('losses, duplicates and late comments are found by the numbers', { ms: 60_000, setups }, async (t) => {
  let held;
  const send = (streams, event, n) => {
    if (n === 8) held = event;
    else toAll(n === 1 ? others(streams, 1) : streams, event);
    if (n === 5) toAll(only(streams, 2, 3), event);
    if (n === 9) toAll(streams, held);
  };
  await judge(t, send, (comments) => ({ deliveries: 5 * comments - 1 + 2, lost: 1, duplicated: 2, late: 5 }));
});

// Of three the last is shown, and says so; once it says too little. What is delivered, left out and lost is all.
scenario('what is left out for a readable rate is no loss, as far as it is said', { ms: 60_000, setups }, async (t) => {
  const more = (event, n) => event.replace(/}\n\n$/, `,"more":${n}}\n\n`);
  const send = (streams, event, n) => {
    if (n > 9) toAll(streams, event);
    else if (n % 3 === 0) toAll(streams, more(event, n === 6 ? 1 : 2));
  };
  await judge(t, send, (comments) => ({ deliveries: 5 * (comments - 6), lost: 5, leftOut: 5 * 5 }));
});

scenario('what a disconnected viewer lacks is found by the numbers in the responses', { ms: 60_000, setups }, async (t) => {
  const send = (streams, event, n) => {
    toAll(n > 10 ? others(streams, 4) : streams, event);
    if (n === 10) only(streams, 4)[0].end();
  };
  await judge(t, send, (comments) => ({ deliveries: 5 * comments - (comments - 10), lost: comments - 10 }));
});

// Instead of the 8th to the 10th comment there is a gap.
const gapAt = (position) => (streams, event, n) => {
  if (n < 8 || n > 10) toAll(streams, event);
  if (n === 10) toAll(streams, gap(position, 3));
};

scenario('what a gap announces counts as lost, and what follows it is in order', { ms: 60_000, setups }, async (t) => {
  const stdout = await judge(t, gapAt('1000-110'), (comments) => ({ deliveries: 5 * (comments - 3), lost: 15, gaps: 5, missed: 15 }));
  assert.match(stdout, /, 15 lost, .*, 5 gaps that announce 15 of the lost$/m);
});

// The 9th comment is the first of another epoch, so positions alone do not show what was missed.
scenario('a gap over the end of an epoch counts what it announces', { ms: 60_000, setups }, async (t) => {
  const position = (n) => (n < 9 ? `1000-${100 + n}` : `2000-${n - 8}`);
  await judge(t, gapAt('2000-2'), (comments) => ({ deliveries: 5 * (comments - 3), lost: 15, gaps: 5, missed: 15 }), position);
});

scenario('a viewer that got nothing but a gap lacks what it announced and what came later', { ms: 60_000, setups }, async (t) => {
  const send = (streams, event, n) => {
    toAll(others(streams, 5), event);
    if (n === 3) only(streams, 5)[0].end(gap('1000-103', 3));
  };
  await judge(t, send, (comments) => ({ deliveries: 4 * comments, lost: comments, gaps: 1, missed: 3 }));
});
