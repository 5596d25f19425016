// One moderator for each video, who deletes comments that were acknowledged, bans users, and changes the room, while all else fails.
// Each deed is repeated until it is acknowledged, at one comment API after the other; the next one comes after it. What was
// acknowledged is looked at soon afterwards, at any comment API: by the text of the comment, by posts of the banned user.
import { Agent, request } from 'undici';
import { parseId } from '../integration/lib/journal.mjs';
import { pause } from '../integration/lib/time.mjs';
import { Dice } from './dice.mjs';
import { canonical } from './viewers.mjs';

const before = (id) => {
  const { epoch, seq } = parseId(id);
  return `${epoch}-${seq - 1}`;
};

class Moderator {
  deletes = []; // {video, id, text, sentMs, ackMs}: as far as they have come
  bans = []; // {video, userid, sentMs, ackMs}
  rooms = []; // {video, max_length, sentMs, ackMs}
  looks = []; // {video, id, askedMs, shown}: whether a comment that was deleted is listed
  tries = []; // posts of users that were banned before
  faults = [];

  // writers: of the video
  constructor(world, { video, writers, everyMs, seed }) {
    Object.assign(this, { world, video, writers, everyMs, dice: new Dice(seed), at: seed });
    this.dispatcher = new Agent({ connections: 1, connect: { timeout: 2_000 }, headersTimeout: 8_000, bodyTimeout: 8_000 });
    this.done = this.#run();
  }

  async #run() {
    for (let nth = 1; !this.stopping; nth++) {
      await pause(this.everyMs * (0.5 + this.dice.next()));
      const share = this.dice.next();
      if (share < 0.6) await this.#delete();
      else if (share < 0.8) await this.#ban(`guest-${nth}`);
      else await this.#setRoom(500 + nth % 1_500); // 2,000 is the most
    }
  }

  // The answer, {status, text}; undefined if there is none.
  async #ask(method, path, json) {
    const { comments } = this.world;
    try {
      const answer = await request(`${comments[this.at++ % comments.length]}${path}`, {
        method, dispatcher: this.dispatcher, ...(json && { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } }),
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch {
      return undefined;
    }
  }

  // Asks until one of the statuses is the answer, and takes a note of when that was.
  async #do(deed, method, path, json, wanted) {
    deed.sentMs = this.world.nowMs;
    while (!this.givenUp) {
      const answer = await this.#ask(method, path, json);
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

  async #delete() {
    const posts = this.dice.pick(this.writers).posts, recent = posts.slice(-30).filter(({ comment }) => comment);
    const post = recent.length && this.dice.pick(recent), id = post?.comment?.id;
    if (!id || this.deletes.some((deed) => deed.id === id)) return;
    const deed = { video: this.video, id, text: post.text };
    this.deletes.push(deed);
    const answer = await this.#do(deed, 'DELETE', `/videos/${this.video}/comments/${id}`, undefined, [204, 404]);
    if (answer?.status === 404) deed.gone = true; // the store has lost it
    else if (answer) for (const { id: one } of [deed, this.dice.pick(this.deletes)]) await this.#look(one);
  }
  async #look(id) {
    const askedMs = this.world.nowMs;
    const answer = await this.#ask('GET', `/videos/${this.video}/comments?limit=1&after=${before(id)}`);
    if (answer?.status === 200) this.looks.push({ video: this.video, id, askedMs, shown: JSON.parse(answer.text).comments[0]?.id === id });
  }

  async #ban(userid) {
    const deed = { video: this.video, userid };
    this.bans.push(deed);
    if (!(await this.#do(deed, 'PUT', `/videos/${this.video}/bans/${userid}`, {}, [200]))) return;
    for (const { userid: one } of [deed, deed, this.dice.pick(this.bans)]) await this.#try(one);
  }
  async #try(userid) {
    const post = { video: this.video, userid, text: `${userid} ${this.tries.length}`, keyed: false, sentMs: this.world.nowMs };
    this.tries.push(post);
    const answer = await this.#ask('POST', '/comment', { userid, videoid: this.video, comment: post.text });
    post.status = answer?.status;
    if (answer?.status === 201) {
      post.comment = JSON.parse(answer.text).comment;
      post.whole = canonical(post.comment);
    } else if (answer && answer.status !== 503 && !(answer.status === 403 && /"banned"/.test(answer.text))) this.faults.push(`a banned user was answered ${answer.status} ${answer.text}`);
  }

  async #setRoom(max_length) {
    const deed = { video: this.video, max_length };
    this.rooms.push(deed);
    await this.#do(deed, 'PATCH', `/videos/${this.video}/room`, { max_length }, [200]);
  }

  // What it has set, as the system has it once all is healed: {video, maxLength, banned, statuses}.
  async audit() {
    const { json: { max_length: maxLength } } = await this.#json(`/videos/${this.video}/room`);
    const { json: { bans } } = await this.#json(`/videos/${this.video}/bans`);
    return { video: this.video, maxLength, banned: bans.map(({ userid }) => userid) };
  }
  async #json(path) {
    const answer = await this.#do({}, 'GET', path, undefined, [200]);
    return { json: JSON.parse(answer.text) };
  }

  stop() {
    this.stopping = true;
    return this.done;
  }
  close() {
    this.stopping = this.givenUp = true;
    return this.dispatcher.destroy().catch(() => {});
  }
}

export const startModerators = (world, videos, writers, everyMs) => videos.map((video, i) =>
  new Moderator(world, { video, everyMs, seed: i, writers: writers.filter((writer) => writer.video === video) }));
