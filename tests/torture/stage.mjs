// A video that begins and ends while all else fails, and whose comments wait for its moderator between: a pass after the other of
// start, comments that are held, and allowed or denied, one that is not, the end, and posts after it.
import { randomUUID } from 'node:crypto';
import { pause } from '../integration/lib/time.mjs';
import { Asking } from './asking.mjs';
import { canonical } from './viewers.mjs';

const UNSURE_MS = 60_000; // for so long a request without an answer may still be carried out

class Stage extends Asking {
  posts = []; // as those of writers
  ends = []; // {video, sentMs, ackMs}
  settings = [];
  escaped = []; // {video, text, sinceMs, sentMs, what}: answered otherwise than what was done before asks for

  constructor(world, options) {
    super(world, options);
    this.everyMs = options.everyMs;
    this.done = this.#run();
  }

  async #run() {
    for (let nth = 1; !this.stopping; nth++) {
      await this.#start();
      await this.#set({ hold: true });
      for (let i = 0; i < 3 && !this.stopping; i++) await this.#submit(`held ${nth} ${i}`, this.dice.chance(0.6));
      await this.#set({ hold: false });
      await this.post(`free ${nth}`);
      await pause(this.everyMs * (0.5 + this.dice.next()));
      await this.#end(nth);
    }
    await this.#start();
    await this.#set({ hold: false });
    await this.post('at last');
  }

  #start() {
    this.started = {};
    return this.doHere(this.started, 'POST', 'start', undefined, [204]);
  }
  #escapes(text, sinceMs, sentMs, what) {
    this.escaped.push({ video: this.video, text, sinceMs, sentMs, what });
  }
  async #set(room) {
    const deed = { ...room };
    this.settings.push(deed);
    await this.doHere(deed, 'PATCH', 'room', room, [200]);
  }
  #mayChange(deeds) {
    return deeds.some(({ unsure, sentMs }) => unsure && sentMs > this.world.nowMs - UNSURE_MS);
  }

  post(text) {
    return this.#submit(text, true);
  }
  // Until it is accepted, or denied.
  async #submit(text, allow) {
    const post = { video: this.video, text, keyed: true }, headers = { 'idempotency-key': randomUUID() }, setting = this.settings.at(-1);
    const body = { userid: 'actor', videoid: this.video, comment: text };
    let waited = false;
    while (!this.givenUp) {
      const answer = await this.do(post, 'POST', '/comment', body, [201, 202, 403], headers);
      if (!answer) return;
      if (answer.status === 201) return this.#acknowledge(post, answer, setting, waited);
      if (answer.status === 202) {
        waited = true;
        await this.doHere({}, 'POST', `held/${JSON.parse(answer.text).held.id}`, { allow }, [200, 404]);
        if (!allow) return;
      } else {
        if (!this.#mayChange(this.ends)) this.#escapes(text, this.started.sentMs, this.world.nowMs, `the video had begun, and it was refused: ${answer.text.trim()}`);
        await this.#start();
      }
    }
  }
  #acknowledge(post, { text }, { hold, sentMs }, waited) {
    const { comment } = JSON.parse(text);
    Object.assign(post, { comment, whole: canonical(comment), answeredMs: post.ackMs });
    this.posts.push(post);
    this.last = post;
    if (hold && !waited && !this.#mayChange(this.settings)) this.#escapes(post.text, sentMs, post.sentMs, 'comments were held, and it was accepted');
  }

  async #end(nth) {
    const deed = { video: this.video };
    this.ends.push(deed);
    if (!(await this.doHere(deed, 'POST', 'end', undefined, [204]))) return;
    for (let i = 0; i < 2; i++) {
      const post = { video: this.video, text: `late ${nth} ${i}`, keyed: false, sentMs: this.world.nowMs };
      const answer = await this.ask('POST', '/comment', { userid: 'actor', videoid: this.video, comment: post.text });
      if (answer?.status === 403 && /"video_ended"/.test(answer.text)) continue;
      this.posts.push(post);
      if (answer?.status === 201) {
        const { comment } = JSON.parse(answer.text);
        Object.assign(post, { comment, whole: canonical(comment) });
      }
      if (answer?.status === 201 || answer?.status === 202) {
        this.#escapes(post.text, deed.sentMs, post.sentMs, 'the video had ended, and it was accepted');
      } else if (answer && answer.status !== 503) {
        this.faults.push(`a post after the end was answered ${answer.status} ${answer.text}`);
      }
    }
  }
}

export const startStage = (world, options) => new Stage(world, options);
