// What the dashboard makes of its figures: pure modules of web/dashboard, without a browser.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bytes, count, milliseconds, problems, rate, span, tick } from '../../web/dashboard/figures.js';
import { runsOf, scaleOf } from '../../web/dashboard/chart.js';
import { Stream } from '../../web/dashboard/stream.js';

const reader = (more = {}) => ({ instanceId: 'reader-1', state: 'live', viewers: 10, storeAvailable: true, memoryUsed: 1, memoryMax: 100, reportAgeMs: 1_000, ...more });
const sample = (more = {}) => ({ viewers: 100, slowViewers: 0, p99Ms: 20, imbalance: 1, readersLive: 2, storeAvailable: true, readers: [reader()], ...more });
const words = (...args) => problems(...args).map(({ level, text }) => `${level}: ${text}`);

test('nothing is wrong where nothing is', () => {
  assert.deepEqual(words(sample()), []);
  assert.deepEqual(words(sample({ viewers: 0, p99Ms: null, imbalance: null })), []);
});

test('what is wrong is named, the worst first', () => {
  assert.deepEqual(words(sample({ p99Ms: 1_500, readers: [reader(), reader({ instanceId: 'reader-2', state: 'lost' })] })),
    ['bad: reader lost: reader-2', 'warn: deliveries take up to 1.5 s']);
  assert.match(words(sample({ readersLive: 0 }))[0], /no reader is alive/);
  assert.match(words(sample({ storeAvailable: false }))[0], /^bad: the store does not answer/);
  assert.match(words(sample({ readers: [reader({ storeAvailable: false })] }))[0], /answer reader-1/);
  assert.match(words(sample({ readers: [reader({ memoryUsed: 80 })] }))[0], /^warn: memory of reader-1 at 80 %$/);
  assert.match(words(sample({ readers: [reader({ memoryUsed: 90 })] }))[0], /^bad: memory of reader-1 at 90 %, so it takes no viewers/);
  assert.match(words(sample(), [{ droppedViewers: 2 }, { droppedViewers: 1 }])[0], /3 viewers dropped in the last minute/);
  assert.match(words(sample({ slowViewers: 3 }))[0], /3 viewers are behind/);
  assert.match(words(sample({ readers: [reader({ reportAgeMs: 9_000 })] }))[0], /no report of reader-1 for 9 s/);
});

test('imbalance is a matter only where there are viewers', () => {
  assert.deepEqual(words(sample({ imbalance: 2, viewers: 19 })), []);
  assert.match(words(sample({ imbalance: 2, viewers: 100 }))[0], /^warn: viewers are uneven, 2.0 times/);
});

test('figures are short, and say when they are not known', () => {
  assert.deepEqual([count(null), count(12_345), count(1_250_000), rate(1.94), rate(0), rate(345.6)], ['–', '12,345', '1.25M', '1.9', '0', '346']);
  assert.deepEqual([null, 0, 0.9, 1, 39.5, 1_234, 61_000].map((value) => milliseconds(value).join(' ').trim()), ['–', '<1 ms', '<1 ms', '1 ms', '40 ms', '1.2 s', '1.0 min']);
  assert.deepEqual([bytes(null), bytes(500), bytes(268_435_456)], ['–', '500 B', '256 MB']);
  assert.deepEqual([span(8_400), span(120_000), span(7_200_000)], ['8 s', '2 min', '2 h']);
  assert.deepEqual([tick(0.5), tick(2), tick(5_000)], ['0.5', '2', '5,000']);
});

test('a scale is round and has room', () => {
  for (const largest of [0.3, 1, 19, 97, 1_234, 5_000_000]) {
    const { top, step } = scaleOf(largest);
    assert.ok(top >= largest && top <= largest * 2.5 && top / step <= 6, `${largest}: ${top} ${step}`);
  }
  assert.deepEqual(scaleOf(0), { top: 1, step: 1 });
  assert.equal(scaleOf(2, true).step, 1);
});

test('a line has a gap where samples are missing, or unknown', () => {
  const at = (seconds, value) => ({ at: seconds * 1_000, n: value });
  const runs = (...samples) => runsOf(samples, 'n', 2_000).map((run) => run.map(({ value }) => value));
  assert.deepEqual(runs(at(0, 1), at(2, 2), at(4, 3)), [[1, 2, 3]]);
  assert.deepEqual(runs(at(0, 1), at(2, null), at(4, 3)), [[1], [3]]);
  assert.deepEqual(runs(at(0, 1), at(2, 2), at(20, 3), at(22, 4)), [[1, 2], [3, 4]]);
});

test('a server whose clock is set back goes on from there, and nothing is kept for longer than 15 minutes', (t) => {
  let source;
  t.after(() => delete globalThis.EventSource);
  globalThis.EventSource = class extends EventTarget {
    constructor() {
      super();
      source = this;
    }
  };
  const nothing = () => {};
  const stream = new Stream('/events', { onHello: nothing, onHistory: nothing, onSample: nothing, onNotice: nothing, onState: nothing });
  const send = (type, data) => source.dispatchEvent(Object.assign(new Event(type), { data: JSON.stringify(data) }));
  const times = () => stream.samples.map(({ at }) => at);
  const hour = 3_600_000;
  send('history', { fields: ['at'], rows: [[2 * hour - 2_000]], notices: [] });
  send('sample', { at: 2 * hour });
  assert.deepEqual(times(), [2 * hour - 2_000, 2 * hour]);
  for (const at of [hour, hour + 2_000]) send('sample', { at });
  assert.deepEqual(times(), [hour, hour + 2_000]);
  send('history', { fields: ['at'], rows: [[hour - 10], [hour]], notices: [] });
  assert.deepEqual(times(), [hour - 10, hour]);
  for (let i = 1; i <= 1_000; i++) send('sample', { at: hour + i * 2_000 });
  assert.deepEqual([times().length, times()[0]], [451, hour + 1_100_000]);
});
