// CI also: up-redis. The engine decides what survives kill -9.
// Long: 9.
import assert from 'node:assert/strict';
import { request, Agent } from '../lib/undici.mjs';
import { randomUUID } from 'node:crypto';
import { owner, register, resolve } from '../lib/api.mjs';
import { compareIds } from '../lib/journal.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { Viewer } from '../lib/viewer.mjs';
import { pause, slow, until } from '../lib/time.mjs';

const most = { embedded: 100, 'up-redis': 50, processes: 20 }[setup]; // bounded by the time of a start
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? (slow ? Math.min(most, 20) : most));
const VIDEOS = ['one', 'two', 'three'];
const POSTERS_EACH = 3;

// A poster that sends each comment until it is acknowledged. Every other one has an Idempotency-Key, so that its
// repeats must not duplicate it; the others give up a comment when its response is lost, and it may or may not be stored.
class Poster {
  acknowledged = [];
  constructor(system, video, number) {
    Object.assign(this, { system, video, number, stopped: false });
    this.keyed = number % 2 === 0;
    this.done = this.#run();
  }

  async #run() {
    for (let i = 0; !this.stopped; i++) {
      const comment = `${this.video} ${this.number} ${i}`;
      const key = this.keyed ? randomUUID() : undefined;
      do {
        const stored = await this.#send(comment, key);
        if (stored) this.acknowledged.push(stored);
        if (stored || !this.keyed) break;
      } while (!this.gaveUp);
    }
  }

  async #send(comment, key) {
    const dispatcher = (this.dispatcher ??= new Agent({ connections: 1 }));
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) };
    const body = JSON.stringify({ userid: `u${this.number}`, videoid: this.video, comment });
    try {
      const response = await request(`${this.system.comment}/comment`, { method: 'POST', headers, body, dispatcher });
      const text = await response.body.text();
      if (response.statusCode === 201) return JSON.parse(text).comment;
      assert.equal(response.statusCode, 503, text);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      await pause(5); // the server is down: not too many tries
    }
  }
}

// A viewer that reconnects whenever it is cut, to any reader.
async function follow(system, video, number, state) {
  let viewer = new Viewer({ video, user: `viewer${number}`, query: number % 2 ? { redirect: 'never' } : {} });
  state.viewers[number] = viewer;
  for (let tries = number; !state.stopped; tries++) {
    try {
      await viewer.connect(system.readers[tries % system.readers.length]);
      if (viewer.status === 200) await until(() => viewer.ended || viewer.fault || state.stopped, 'the end of a stream', 100_000);
    } catch {
      await pause(5); // refused, or cut within the head
    }
    if (viewer.fault) throw viewer.fault;
    if (state.stopped) return;
    viewer = viewer.position ? viewer.again() : new Viewer(viewer.options);
    state.viewers[number] = viewer;
  }
}

scenario(`kill -9 ${ROUNDS} times under load: every acknowledged comment is kept once and in order, and no mapping changes`, { disk: true, ms: 120_000 }, async (t) => {
  const system = await t.system({ stable: true, flags: { 'log-entries': 1_000_000, 'log-level': 'warn' } });
  const mappings = new Map();
  for (const video of VIDEOS) mappings.set(video, await owner(system, video));
  // At the beginning, to read all of each log at the end.
  const starts = new Map();
  for (const video of VIDEOS) starts.set(video, (await t.watch(mappings.get(video), { video })).position);

  const state = { viewers: [], stopped: false };
  const following = VIDEOS.flatMap((video) => [video, video]).map((video, number) => follow(system, video, number, state));
  const posters = VIDEOS.flatMap((video) => Array.from({ length: POSTERS_EACH }, (_, i) => new Poster(system, video, i)));
  let killing;
  t.after(async () => {
    state.stopped = true;
    for (const poster of posters) {
      poster.stopped = poster.gaveUp = true;
      poster.dispatcher?.destroy();
    }
    for (const viewer of state.viewers) viewer?.body?.destroy();
    await killing?.catch(() => {}); // or it would restart the server
  });
  const failed = Promise.race([...following, ...posters.map(({ done }) => done)].map((promise) => promise.then(() => new Promise(() => {}))));
  const total = () => posters.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);

  const rounds = async () => {
    for (let round = 0; round < ROUNDS && !state.stopped; round++) {
      // Killed at a different moment of the work each time: some comments after the restart, and a little later.
      const enough = total() + 1 + (round * 7) % 40;
      await until(() => total() >= enough || state.stopped, 'comments to be acknowledged');
      const video = `round-${round}`;
      const registering = register(system, video).catch(() => undefined);
      if (round % 3) mappings.set(video, (await registering)?.readerUrl);
      await system.kill9();
      const registered = await registering;
      if (registered) mappings.set(video, registered.readerUrl);
      if (!state.stopped) await system.restart();
    }
  };
  killing = rounds();
  await Promise.race([killing, failed]);

  for (const poster of posters) poster.stopped = true;
  await Promise.race([Promise.all(posters.map(({ done }) => done)), failed]);
  for (const [video, readerUrl] of mappings) {
    if (readerUrl) assert.equal((await resolve(system, video)).readerUrl, readerUrl, `the mapping of ${video}`);
  }
  for (const [index, video] of VIDEOS.entries()) {
    const mine = posters.filter((poster) => poster.video === video);
    const acknowledged = mine.flatMap((poster) => poster.acknowledged).sort((a, b) => compareIds(a.id, b.id));
    assert.ok(acknowledged.length >= ROUNDS / 2, `${acknowledged.length} comments acknowledged`);
    const last = acknowledged.at(-1).id;

    const replay = await t.watch(mappings.get(video), { video, from: starts.get(video) });
    await replay.wait(() => compareIds(replay.position, last) >= 0, `${last} from the log`, 20_000);
    assert.equal(replay.gaps.length, 0);
    const stored = new Map(replay.comments.map((comment) => [comment.id, comment]));
    assert.equal(stored.size, replay.comments.length);
    for (const comment of acknowledged) assert.deepEqual(stored.get(comment.id), comment, 'what was acknowledged is in the log');
    const texts = replay.comments.map(({ comment }) => comment);
    assert.equal(new Set(texts).size, texts.length, 'no comment is there twice, however often it was sent');
    for (const poster of mine) {
      const own = poster.acknowledged.map(({ id }) => id);
      assert.deepEqual(own, [...own].sort(compareIds), 'in the order in which it was acknowledged');
    }

    for (const number of [2 * index, 2 * index + 1]) {
      const caughtUp = () => state.viewers[number].position && compareIds(state.viewers[number].position, last) >= 0;
      await Promise.race([until(caughtUp, `viewer ${number} of ${video} to reach ${last}`), failed]);
      const viewer = state.viewers[number];
      // Order, duplicates and unannounced holes have been checked at each event; here: nothing of the log is missing.
      assert.equal(viewer.gaps.length, 0, `a crash of this engine loses nothing: ${JSON.stringify(viewer.gaps)}`);
      const seen = viewer.comments.filter(({ id }) => compareIds(id, last) <= 0).map(({ id }) => id);
      const first = replay.comments.findIndex(({ id }) => id === seen[0]);
      const expected = replay.comments.slice(first).filter(({ id }) => compareIds(id, last) <= 0).map(({ id }) => id);
      assert.deepEqual(seen, expected, `viewer ${number} saw what the log holds`);
    }
  }
});
