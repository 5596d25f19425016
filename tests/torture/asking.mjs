// One that asks comment APIs for something, at one after the other, until it is done.
import { Agent, request } from '../integration/lib/undici.mjs';
import { pause } from '../integration/lib/time.mjs';
import { Dice } from './dice.mjs';

export class Asking {
  faults = []; // answers that should not be

  constructor(world, { video, seed }) {
    Object.assign(this, { world, video, dice: new Dice(seed), at: seed });
    this.dispatcher = new Agent({ connections: 1, connect: { timeout: 2_000 }, headersTimeout: 8_000, bodyTimeout: 8_000 });
  }

  // The answer, {status, text}; undefined if there is none.
  async ask(method, path, json, headers = {}) {
    const { comments } = this.world;
    try {
      const answer = await request(`${comments[this.at++ % comments.length]}${path}`, {
        method, dispatcher: this.dispatcher, headers: { ...headers, ...(json && { 'content-type': 'application/json' }) }, ...(json && { body: JSON.stringify(json) }),
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch {
      return undefined;
    }
  }

  // Asks until one of the statuses is the answer, and takes a note of when that was.
  async do(deed, method, path, json, wanted, headers) {
    deed.sentMs = this.world.nowMs;
    while (!this.givenUp) {
      const answer = await this.ask(method, path, json, headers);
      if (wanted.includes(answer?.status)) {
        deed.ackMs = this.world.nowMs;
        return answer;
      }
      deed.unsure ||= !answer; // that request may still be carried out
      if (answer && answer.status !== 503) this.faults.push(`${method} ${path} was answered ${answer.status} ${answer.text}`);
      await pause(50 + this.dice.below(100));
    }
    return undefined;
  }
  // At the video.
  doHere(deed, method, path, json, wanted) {
    return this.do(deed, method, `/videos/${this.video}/${path}`, json, wanted);
  }
  async read(path) {
    const answer = await this.doHere({}, 'GET', path, undefined, [200]);
    return JSON.parse(answer.text);
  }

  // It finishes what it is doing.
  stop() {
    this.stopping = true;
    return this.done;
  }
  close() {
    this.stopping = this.givenUp = true;
    return this.dispatcher.destroy().catch(() => {});
  }
}
