// Writers that number their comments. One with keys posts each comment until it is acknowledged, at one comment API after the
// other; one without posts it once, and what became of it is unknown if there is no answer.
import { randomUUID } from 'node:crypto';
import { request } from '../integration/lib/undici.mjs';
import { pause } from '../integration/lib/time.mjs';
import { Asking } from './asking.mjs';
import { canonical } from './viewers.mjs';

class Writer extends Asking {
  posts = [];
  refused = 0;
  unanswered = 0;

  constructor(world, { name, video, keyed, everyMs, number }) {
    super(world, { video, seed: number });
    Object.assign(this, { name, keyed, everyMs });
    this.done = this.#run();
  }

  async #run() {
    for (let i = 1; !this.stopping; i++) {
      await this.post(i);
      await pause(this.everyMs * (0.5 + Math.random()));
    }
  }

  // nth: what its text says that no other one's does.
  async post(nth) {
    const post = { video: this.video, text: `${this.name} ${nth}`, keyed: this.keyed, sentMs: this.world.nowMs };
    this.posts.push(post);
    const headers = { 'content-type': 'application/json', ...(this.keyed && { 'idempotency-key': randomUUID() }) };
    do {
      await this.#send(post, headers);
      if (!post.comment) await pause(50 + Math.random() * 100);
    } while (this.keyed && !post.comment && !this.givenUp);
  }

  async #send(post, headers) {
    const { comments } = this.world;
    const body = JSON.stringify({ userid: this.name, videoid: this.video, comment: post.text });
    let status, text, retryAfter;
    try {
      const answer = await request(`${comments[this.at % comments.length]}/comment`, { method: 'POST', headers, body, dispatcher: this.dispatcher });
      [status, text, retryAfter] = [answer.statusCode, await answer.body.text(), answer.headers['retry-after']];
    } catch {
      this.unanswered++;
      this.at++;
      return;
    }
    if (status === 201) this.#acknowledge(post, JSON.parse(text).comment);
    else if (status === 503 && /^[1-9]\d*$/.test(retryAfter)) this.refused++;
    else this.faults.push(`${this.name} was answered ${status} ${text}`);
    if (status !== 201) this.at++;
  }

  #acknowledge(post, comment) {
    Object.assign(post, { comment, whole: canonical(comment), answeredMs: this.world.nowMs });
    this.last = post;
    if (comment.comment !== post.text || comment.videoid !== post.video) this.faults.push(`${post.text} was answered with ${post.whole}`);
  }
}

// Two for each video.
export const startWriters = (world, videos, everyMs) => videos.flatMap((video, i) =>
  [true, false].map((keyed, j) => new Writer(world, { name: `${keyed ? 'key' : 'once'}-${video}`, video, keyed, everyMs, number: i + j })));
