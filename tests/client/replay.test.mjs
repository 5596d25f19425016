// A replay beside the clock of a recording: what it shows when, what it asks for, and how much of it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { lengthOf, Replay } from '../../web/replay.js';
import { Clock } from './lib/clock.mjs';
import { Random, forSeeds } from './lib/random.mjs';

const BATCH = 2_000;

// The log of a video, as GET /videos/v/replay answers it.
class Archive {
  lines = [];
  requests = [];
  number = 0;
  down = 0; // how many requests are refused
  latency = 0;

  add(t, fields = {}) {
    const id = `5-${++this.number}`;
    const line = { t, id, ...(fields.type ? fields : { userid: 'someone', videoid: 'v', comment: `at ${t}`, ...fields }) };
    this.lines.push(line);
    return line;
  }
  fetch = async (url, { signal }) => {
    const { pathname, searchParams } = new URL(url);
    const number = (name) => (searchParams.has(name) ? Number(searchParams.get(name)) : undefined);
    const query = { from: number('from_ms'), to: number('to_ms'), after: searchParams.get('after'), limit: number('limit') };
    this.requests.push({ url, ms: this.clock.ms, ...query });
    assert.equal(pathname, '/videos/v/replay');
    if (this.down-- > 0) return { ok: false, status: 503, headers: new Headers({ 'retry-after': '1' }), json: async () => ({ error: 'away', code: 'store_unavailable' }) };
    assert.equal(this.open, undefined, 'one at a time');
    this.open = url;
    await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason, (this.open = undefined)));
      this.clock.setTimeout(resolve, this.latency);
    });
    this.open = undefined;
    const first = query.after ? this.lines.findIndex(({ id }) => id === query.after) + 1 : 0;
    const fits = ({ t }) => !(t < query.from) && !(t > query.to);
    let left = query.limit;
    const some = this.lines.slice(first).filter(fits).filter(({ type }) => (type === 'gap' ? left > 0 : left-- > 0));
    return { ok: true, status: 200, headers: new Headers(), text: async () => some.map((line) => `${JSON.stringify(line)}\n`).join('') };
  };
}

// A recording that plays as long as the test lets time pass.
function begin(archive, options = {}) {
  const clock = new Clock(), shown = [], states = [], seeks = [];
  archive.clock = clock;
  const recording = {
    base: 0, since: 0, rate: 1, paused: false,
    get currentTime() { return this.base + (this.paused ? 0 : ((clock.ms - this.since) / 1000) * this.rate); },
    set currentTime(seconds) { Object.assign(this, { base: seconds, since: clock.ms }); },
    get playbackRate() { return this.rate; },
    set playbackRate(rate) { this.currentTime = this.currentTime; this.rate = rate; },
    pause() { this.currentTime = this.currentTime; this.paused = true; },
    play() { this.currentTime = this.currentTime; this.paused = false; },
  };
  const replay = new Replay({
    server: 'http://api.test', video: 'v', user: 'u', clock: recording, fetch: archive.fetch,
    onComment: (comment, info) => shown.push({ ...comment, ...info, ms: clock.ms }),
    onEntry: (entry) => shown.push(entry),
    onGap: (gap) => shown.push(gap),
    onState: ({ name }) => states.push(name),
    onSeek: () => { seeks.push(clock.ms); shown.length = 0; },
    ...options,
    env: { now: clock.now, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, random: new Random(1).next },
  });
  return { clock, recording, replay, shown, states, seeks, texts: () => shown.map(({ comment, type }) => comment ?? type) };
}

test('comments come when the recording does, and with the offset of a recording that began later', async () => {
  const archive = new Archive();
  for (const t of [-10_000, -500, 0, 2_000, 5_000, 70_000, 200_000]) archive.add(t, t === 5_000 ? { userid: 'u' } : {});
  archive.add(210_000, { type: 'end' });
  archive.add(210_000, { type: 'retract', target: '5-2' }); // afterwards
  const { clock, recording, replay, shown, states, texts } = begin(archive);
  await clock.pass(1_900);
  assert.deepEqual(texts(), ['at 0']);
  await clock.pass(4_000);
  assert.deepEqual(shown.map(({ comment, own, at, ms }) => [comment, own, at, Math.round(ms / 200) * 0.2]).slice(1), [['at 2000', false, 2, 2], ['at 5000', true, 5, 5]]);
  assert.ok(!('t' in shown[1]));
  await clock.pass(70_000);
  assert.equal(texts().at(-1), 'at 70000');
  await clock.pass(140_000);
  assert.deepEqual(texts().slice(-2), ['at 200000', 'end'], 'and nothing of what moderators did afterwards');
  assert.deepEqual(states, ['replaying', 'ended']);
  const asked = archive.requests.length;
  await clock.pass(600_000);
  recording.currentTime = 5_000;
  await clock.pass(1_000);
  assert.equal(archive.requests.length, asked, 'nothing is asked for after the end');
  replay.close();

  const crowded = new Archive(); // more before the recording than an answer has
  for (let i = 0; i < 2 * BATCH; i++) crowded.add(-60_000 + i);
  crowded.add(1_000);
  const early = begin(crowded, { offsetMs: -3_000 });
  await early.clock.pass(5_000);
  assert.deepEqual(early.texts(), ['at 1000']);
  early.replay.close();

  const quiet = new Archive();
  quiet.add(5_000);
  for (let i = 0; i < 60; i++) quiet.add(3_600_000);
  const again = begin(quiet);
  for (const second of [0, 3_590, 0]) {
    again.recording.currentTime = second;
    await again.clock.pass(12_000);
    assert.deepEqual(again.texts().slice(-1), [second ? 'at 3600000' : 'at 5000'], `from ${second}`);
  }
  again.replay.close();

  for (const [offsetMs, at] of [[1_500, 500], [-3_000, 5_000]]) {
    const late = begin(archive, { offsetMs });
    await late.clock.pass(at + 300);
    const { ms } = late.shown.find(({ comment }) => comment === 'at 2000');
    assert.ok(ms >= at && ms <= at + 150, `${offsetMs}: ${ms}`);
    assert.equal(late.texts().includes('at -500'), offsetMs < 0, 'what came before the start, if the recording has it');
    assert.ok(!late.texts().includes('at -10000'));
    late.replay.close();
  }
});

test('a pause, another rate, and a place before or after: what is shown is what there was up to there', async () => {
  const archive = new Archive();
  for (let t = 0; t < 3_600_000; t += 1_000) archive.add(t);
  const pin = archive.add(3_600_000, { type: 'pin', target: '5-7' });
  const { clock, recording, replay, shown, seeks, texts } = begin(archive, { history: 20 });
  await clock.pass(10_400);
  recording.pause();
  await clock.pass(1_000);
  const paused = texts();
  assert.equal(paused.at(-1), 'at 10000');
  await clock.pass(60_000);
  assert.deepEqual(texts(), paused);
  recording.play();
  recording.playbackRate = 2;
  await clock.pass(10_000);
  assert.equal(texts().at(-1), 'at 30000');
  assert.equal(seeks.length, 1, 'one beginning');

  recording.playbackRate = 1;
  const expected = (second) => Array.from({ length: 20 }, (_, i) => `at ${(second - 19 + i) * 1_000}`);
  for (const second of [1_800, 1_700, 3_000, 1_795, 60]) {
    recording.currentTime = second + 0.1;
    await clock.pass(700);
    assert.deepEqual(texts(), expected(second), `${second}`);
    assert.ok(shown.every(({ replayed }) => replayed));
    await clock.pass(5_000);
    assert.equal(texts().at(-1), `at ${(second + 5) * 1_000}`);
    assert.equal(shown.at(-1).replayed, false);
  }
  recording.currentTime = 3_600.5;
  await clock.pass(1_000);
  assert.deepEqual(texts(), [...Array.from({ length: 20 }, (_, i) => `at ${(3_580 + i) * 1_000}`), 'pin']);
  assert.equal(shown.at(-1).id, pin.id);
  recording.currentTime = 50;
  await clock.pass(1_000);
  assert.ok(!texts().includes('pin'), 'not pinned yet');
  archive.lines[45] = { t: 45_000, id: archive.lines[45].id, type: 'blank' };
  recording.currentTime = 48.5;
  await clock.pass(1_000);
  assert.ok(texts().at(-1) === 'at 49000' && !texts().includes('at 45000'), 'what was deleted meanwhile is gone');
  replay.close();
});

test('what is shown is right wherever the clock goes, at random', async () => {
  await forSeeds(15, async (random) => {
    const archive = new Archive();
    let t = -20_000;
    const numberOf = 50 + random.below(3_000);
    for (let i = 0; i < numberOf; i++) {
      archive.add(t, random.chance(0.05) ? { type: 'blank' } : {});
      t += random.chance(0.01) ? random.below(400_000) : random.below(random.pick([2, 200, 3_000]));
    }
    const { clock, recording, replay, states, texts } = begin(archive, { history: 30 }), fails = random.chance(0.5);
    for (let i = 0; i < 25; i++) {
      for (let jumps = random.below(3); jumps > 0; jumps--) {
        recording.currentTime = (random.next() * t) / 1000;
        await clock.pass(random.pick([50, 250, 1_000]));
      }
      recording.playbackRate = random.pick([1, 1, 2, 4]);
      archive.down = fails && random.chance(0.2) ? 2 : 0;
      archive.latency = random.pick([0, 0, 150, 2_000]);
      await clock.pass(random.pick([50, 1_000, 30_000]));
      archive.down = 0;
      recording.pause();
      await clock.pass(60_000);
      const at = recording.currentTime * 1000;
      const due = archive.lines.filter((line) => !line.type && line.t >= 0 && line.t <= at).map(({ comment }) => comment);
      const is = texts();
      assert.deepEqual(is, due.slice(due.length - is.length), `at ${at}`);
      assert.ok(is.length >= Math.min(30, due.length), `${is.length} of ${due.length}`);
      recording.play();
    }
    assert.ok(fails || !states.includes('reconnecting'), 'a jump is no failure');
    replay.close();
  });
});

test('a flood is read in bounded pieces, in time, and what is far is dropped; nothing is read while it rests', async () => {
  const archive = new Archive();
  for (let i = 0; i < 60_000; i++) archive.add(i * 10); // a hundred a second
  const { clock, recording, replay, shown } = begin(archive);
  let most = 0;
  for (let i = 0; i < 300; i++) {
    await clock.pass(1_000);
    most = Math.max(most, replay._stream.lines.length);
  }
  assert.equal(shown.at(-1).t ?? shown.at(-1).comment, `at ${Math.floor(recording.currentTime * 100) * 10}`);
  assert.ok(shown.every(({ ms, at }) => at < 1 || ms - at * 1000 < 200), 'each in time');
  assert.ok(most <= 3 * BATCH, `${most} lines kept`);
  assert.ok(archive.requests.every(({ limit, to, from, after }) => limit === BATCH && to !== undefined && (from !== undefined || after)));
  assert.ok(archive.requests.length < 40, `${archive.requests.length} requests in 300 s`);
  recording.pause();
  await clock.pass(30_000);
  const asked = archive.requests.length;
  await clock.pass(600_000);
  assert.equal(archive.requests.length, asked);

  recording.currentTime = 10; // a slider that is dragged
  for (let second = 20; second < 300; second += 10) {
    recording.currentTime = second;
    await clock.pass(100);
  }
  assert.ok(archive.requests.length - asked <= 1, 'nothing is asked for on the way');
  replay.close();
  await clock.pass(1_000);
});

test('a place in a burst is reached in pages, of which the newest comments are shown', async () => {
  const archive = new Archive();
  for (let i = 0; i < 20_000; i++) archive.add(i >> 1, { comment: `number ${i}` });
  const { clock, recording, replay, texts } = begin(archive);
  recording.pause();
  recording.currentTime = 9;
  await clock.pass(1_000);
  assert.deepEqual(texts(), Array.from({ length: 50 }, (_, i) => `number ${18_002 - 50 + i}`));
  replay.close();
});

test('an archive that is away is asked again, ever more rarely; one that refuses is not', async () => {
  const archive = new Archive();
  archive.add(0);
  archive.down = 8;
  const { clock, replay, states, texts } = begin(archive);
  await clock.pass(200_000);
  assert.deepEqual([texts(), states.at(0), states.at(-1)], [['at 0'], 'reconnecting', 'replaying']);
  const pauses = archive.requests.slice(1, 9).map(({ ms }, i) => ms - archive.requests[i].ms);
  assert.ok(Math.min(...pauses) >= 1_000 && Math.max(...pauses) > 5_000 && Math.max(...pauses) <= 32_000, pauses.join(', '));
  replay.close();

  const refused = new Archive();
  refused.fetch = async (url) => {
    refused.requests.push(url);
    return { ok: false, status: 404, headers: new Headers(), json: async () => ({ error: 'There is nothing of this video.', code: 'unknown_video' }) };
  };
  const { clock: later, replay: none } = begin(refused);
  await later.pass(60_000);
  assert.deepEqual([none.state.name, none.state.error, refused.requests.length], ['refused', 'There is nothing of this video.', 1]);
});

test('a gap is told, and a pinned comment can be looked up', async () => {
  const archive = new Archive();
  archive.add(0);
  archive.lines.push({ t: 1_000, type: 'gap', from: '5-2', to: '5-9', missed: 8, reason: 'expired' });
  archive.number = 9;
  archive.add(1_000);
  const { clock, replay, shown } = begin(archive);
  await clock.pass(2_000);
  assert.deepEqual(shown[1], { type: 'gap', from: '5-2', to: '5-9', missed: 8, reason: 'expired' });
  archive.clock = globalThis;
  assert.deepEqual((await replay.comments({ after: '5-1', limit: 1 })).comments.map(({ id, t }) => [id, t]), [['5-10', undefined]]);
  replay.close();
});

test('how long it is, is found with few requests, whatever was deleted long afterwards', async () => {
  const measure = async (fill) => {
    const archive = new Archive();
    fill(archive);
    const { replay } = begin(archive);
    replay.close();
    archive.requests = [];
    archive.clock = globalThis; // it is measured without a recording
    const length = await lengthOf(replay);
    assert.ok(archive.requests.length <= 25, `${archive.requests.length} requests`);
    return length;
  };
  assert.equal(await measure(() => {}), 0);
  assert.equal(await measure((archive) => [0, 500, 1_000].forEach((t) => archive.add(t))), 1_000);
  assert.equal(await measure((archive) => {
    for (let t = 0; t < 7_200_000; t += 700) archive.add(t);
    archive.add(7_300_000, { type: 'end' });
    archive.add(200_000_000, { type: 'retract', target: '5-3' });
  }), 7_300_000);
  const open = await measure((archive) => {
    for (let t = 0; t < 7_200_000; t += 700) archive.add(t);
  });
  assert.ok(open <= 7_200_000 && open > 7_198_000, `${open}`);
});
