// Posters that keep posting and viewers that keep watching whatever happens, and the proof at the end: every comment
// acknowledged was delivered to every viewer exactly once, in order, or is covered by a gap.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Agent, request } from './undici.mjs';
import { owner } from './api.mjs';
import { compareIds } from './journal.mjs';
import { pause, scaled, until } from './time.mjs';
import { Viewer } from './viewer.mjs';

// Sends each comment until it is acknowledged, with one Idempotency-Key, so that repeats must not duplicate it.
class Poster {
  acknowledged = [];
  refused = 0; // answers 503
  unreachable = 0; // no answer
  constructor(load, video, number) {
    Object.assign(this, { load, video, number });
    this.dispatcher = new Agent({ connections: 1, headersTimeout: scaled(12_000), connect: load.connect });
    this.done = this.#run();
  }

  async #run() {
    for (let i = 0; !this.load.stopping; i++) {
      const comment = `${this.video} ${this.number} ${i}`;
      const key = randomUUID();
      for (;;) {
        const stored = await this.#send(comment, key);
        if (stored) {
          this.acknowledged.push(stored);
          this.load.lastAt = performance.now();
          break;
        }
        if (this.load.gaveUp) return;
        await pause(20);
      }
      await pause(this.load.everyMs);
    }
  }

  async #send(comment, key) {
    const { comments, comment: only } = this.load.system;
    const url = comments[this.number % comments.length] ?? only;
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const body = JSON.stringify({ userid: `u${this.number}`, videoid: this.video, comment });
    let response, text;
    const { dispatcher } = this;
    try {
      response = await request(`${url}/comment`, { method: 'POST', headers, body, dispatcher });
      text = await response.body.text();
    } catch {
      this.unreachable++;
      return undefined;
    }
    if (response.statusCode === 201) return JSON.parse(text).comment;
    if (this.load.gateways && [502, 503, 504].includes(response.statusCode)) return undefined;
    assert.equal(response.statusCode, 503, text);
    assert.match(response.headers['retry-after'] ?? '', /^[1-9]\d*$/, 'Retry-After');
    this.refused++;
    return undefined;
  }
}

// A viewer that reconnects whenever it is cut, to any reader.
class Follower {
  cuts = 0;
  constructor(load, video, number) {
    Object.assign(this, { load, video, number });
    this.viewer = new Viewer({ video, user: `viewer${number}`, ...load.viewer(number) });
  }

  async start(reader) {
    await this.viewer.connect(reader);
    assert.equal(this.viewer.status, 200, this.viewer.text);
    await this.viewer.wait(() => this.viewer.connected, 'the first event');
    this.done = this.#run();
    return this;
  }

  async #run() {
    for (let tries = this.number; ; tries++) {
      const { viewer } = this;
      if (viewer.status === 200) await until(() => viewer.ended || viewer.fault || this.load.closed, 'the end of a stream', 400_000);
      if (viewer.fault) throw viewer.fault;
      if (this.load.closed) return viewer.close();
      this.cuts++;
      this.viewer = viewer.again();
      const { readers } = this.load.system;
      await this.viewer.connect(readers[tries % readers.length]).catch(() => pause(20));
    }
  }
}

// What one viewer got of what was acknowledged. Order, duplicates and holes within an epoch have been checked at each event
// (journal.mjs).
export function checkDelivered(viewer, acknowledged, { gaps = [], lossy = false } = {}) {
  for (const gap of viewer.gaps) assert.ok(gaps.includes(gap.reason), `no reason for a gap: ${JSON.stringify(gap)}`);
  const seen = new Map(viewer.comments.map((comment) => [comment.id, comment]));
  const announced = ({ id }) => viewer.gaps.some(({ from, to }) => compareIds(from, id) <= 0 && compareIds(id, to) <= 0);
  for (const comment of acknowledged) {
    if (seen.has(comment.id)) assert.deepEqual(seen.get(comment.id), comment);
    else assert.ok(announced(comment), `${comment.id} was acknowledged, and neither delivered nor in a gap: ${JSON.stringify(viewer.gaps)}`);
  }
  const texts = viewer.comments.map(({ comment }) => comment);
  if (!lossy) assert.equal(new Set(texts).size, texts.length, 'no comment is there twice, however often it was sent');
}

class Load {
  stopping = false;
  gaveUp = false;
  closed = false;
  lastAt = 0;

  constructor(system, { everyMs = 4, viewer = () => ({}), everywhere = false, connect, gateways = false } = {}) {
    Object.assign(this, { system, everyMs, viewer, everywhere, connect, gateways });
  }

  async start({ videos, posters, viewers }) {
    this.videos = videos;
    this.followers = [];
    for (const video of videos) {
      const reader = await owner(this.system, video);
      const { readers } = this.system;
      for (let i = 0; i < viewers; i++) {
        const at = this.everywhere ? readers[i % readers.length] : reader;
        this.followers.push(await new Follower(this, video, this.followers.length).start(at));
      }
    }
    this.posters = videos.flatMap((video) => Array.from({ length: posters }, (_, i) => new Poster(this, video, i)));
    const first = [...this.followers, ...this.posters].map(({ done }) => done.then(() => new Promise(() => {})));
    this.failed = Promise.race(first);
    this.failed.catch((error) => (this.failure = Object.assign(error, { final: true })));
    return this.more(30);
  }

  get total() {
    return this.posters.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  }
  get refused() {
    return this.posters.reduce((sum, { refused }) => sum + refused, 0);
  }
  get cuts() {
    return this.followers.reduce((sum, { cuts }) => sum + cuts, 0);
  }

  until(probe, what, ms) {
    return until(() => {
      if (this.failure) throw this.failure;
      return probe();
    }, () => `${typeof what === 'function' ? what() : what}; ${this.total} acknowledged, ${this.refused} refused, ${this.cuts} streams cut`, ms);
  }

  // Waits until every poster has `more` further comments acknowledged, and every viewer has seen one posted from now on. Returns
  // how long that took, in ms.
  async more(count = 10, ms = 15_000) {
    const started = performance.now();
    const enough = this.posters.map((poster) => [poster, poster.acknowledged.length + count]);
    await this.until(() => enough.every(([poster, wanted]) => poster.acknowledged.length >= wanted), `${count} more comments each`, ms);
    const newest = new Map(this.posters.map(({ video, acknowledged }) => [video, acknowledged.at(-1).id]));
    const caughtUp = ({ viewer, video }) => viewer.position && compareIds(viewer.position, newest.get(video)) >= 0;
    const lagging = () => this.followers.filter((follower) => !caughtUp(follower))
      .map(({ viewer, video, number }) => `viewer ${number} of ${video} stands at ${viewer.position} before ${newest.get(video)}`);
    await this.until(() => this.followers.every(caughtUp), () => `viewers to catch up: ${lagging()}`, ms);
    return performance.now() - started;
  }

  // gaps: reasons that the scenario makes possible. lossy: Redis has lost writes, so that also its memory of
  // Idempotency-Keys is gone, and a repeat may be another comment.
  async prove({ gaps = [], lossy = false } = {}) {
    this.stopping = true;
    await Promise.race([Promise.all(this.posters.map(({ done }) => done)), this.failed]);
    for (const video of this.videos) {
      const acknowledged = this.posters.filter((poster) => poster.video === video).flatMap((poster) => poster.acknowledged);
      acknowledged.sort((a, b) => compareIds(a.id, b.id));
      assert.equal(new Set(acknowledged.map(({ id }) => id)).size, acknowledged.length, 'no id was given twice');
      const last = acknowledged.at(-1).id;
      for (const follower of this.followers.filter((one) => one.video === video)) {
        await this.until(() => follower.viewer.position && compareIds(follower.viewer.position, last) >= 0,
          () => `viewer ${follower.number} of ${video} at ${follower.viewer.position} to reach ${last}`);
        checkDelivered(follower.viewer, acknowledged, { gaps, lossy });
      }
    }
  }

  // The comments that were acknowledged and that some viewer has not got: after prove().
  lost() {
    return this.followers.flatMap(({ video, viewer }) => {
      const seen = new Set(viewer.comments.map(({ id }) => id));
      return this.posters.filter((poster) => poster.video === video).flatMap(({ acknowledged }) => acknowledged).filter(({ id }) => !seen.has(id));
    });
  }

  async end() {
    this.stopping = this.gaveUp = this.closed = true;
    await Promise.allSettled(this.posters?.map(({ dispatcher }) => dispatcher.destroy()) ?? []);
    for (const { viewer } of this.followers) viewer.body?.destroy();
    await Promise.allSettled([...(this.posters ?? []), ...this.followers].map(({ done }) => done));
  }
}

// options: videos, posters and viewers of each, everyMs between the posts of one poster; viewer(number): options of its own;
// everywhere: they begin at one reader after the other, whose the video may not be; connect: undici's, for servers with TLS; gateways: a proxy
// may answer instead of a server that is away
export async function startLoad(t, system, { videos = ['one', 'two', 'three'], posters = 2, viewers = 2, ...options } = {}) {
  const load = new Load(system, options);
  t.after(() => load.end());
  await load.start({ videos, posters, viewers });
  return load;
}
