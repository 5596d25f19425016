// One moderator for each video, who deletes comments that were acknowledged, pins some, bans users, some with all they wrote, some
// without their notice, reacts, and changes the room, while all else fails.
// Each deed is repeated until it is acknowledged, at one comment API after the other; the next one comes after it. What was
// acknowledged is looked at soon afterwards, at any comment API: by the text of the comment, by posts of the banned user.
import { randomUUID } from 'node:crypto';
import { parseId } from '../integration/lib/journal.mjs';
import { pause } from '../integration/lib/time.mjs';
import { Asking } from './asking.mjs';
import { canonical } from './viewers.mjs';

const before = (id) => {
  const { epoch, seq } = parseId(id);
  return `${epoch}-${seq - 1}`;
};

class Moderator extends Asking {
  deletes = []; // {video, id, text, sentMs, ackMs}: as far as they have come
  purges = []; // {video, userid, ids, sentMs, ackMs}
  pins = []; // {video, id, sentMs, ackMs}; id: null takes it off
  bans = []; // {video, userid, sentMs, ackMs}
  rooms = []; // {video, max_length, sentMs, ackMs}
  looks = []; // {video, id, askedMs, shown}: whether a comment that was deleted is listed
  tries = []; // posts of users that were banned before, or are to be purged
  reactions = 0; // as many as may have been counted

  // writers: of the video. rate: the readable rate that its room is given, 0: none.
  constructor(world, { writers, everyMs, rate, ...options }) {
    super(world, options);
    Object.assign(this, { writers, everyMs, rate });
    this.done = this.#run();
  }

  async #run() {
    for (let nth = 1; !this.stopping; nth++) {
      if (nth > 1) await pause(this.everyMs * (0.5 + this.dice.next()));
      const share = nth > 1 ? this.dice.next() : 1;
      if (share < 0.45) await this.#delete();
      else if (share < 0.6) await this.#ban(`guest-${nth}`);
      else if (share < 0.65) await this.#ban(`shadow-${nth}`, { shadow: true });
      else if (share < 0.75) await this.#purge(`purged-${nth}`);
      else if (share < 0.85) await this.#pin();
      else await this.#setRoom(500 + nth % 1_500); // 2,000 is the most
      await this.react('heart');
    }
  }

  #recent() {
    const posts = this.dice.pick(this.writers).posts.slice(-30).filter(({ comment }) => comment);
    return posts.length ? this.dice.pick(posts) : undefined;
  }

  async #delete() {
    const post = this.#recent(), id = post?.comment.id;
    if (!id || this.deletes.some((deed) => deed.id === id)) return;
    const deed = { video: this.video, id, text: post.text };
    this.deletes.push(deed);
    const answer = await this.doHere(deed, 'DELETE', `comments/${id}`, undefined, [204, 404]);
    if (answer?.status === 404) deed.gone = true; // the store has lost it
    else if (answer) for (const { id: one } of [deed, this.dice.pick(this.deletes)]) await this.#look(one);
  }
  async #look(id) {
    const askedMs = this.world.nowMs;
    const answer = await this.ask('GET', `/videos/${this.video}/comments?limit=1&after=${before(id)}`);
    if (answer?.status === 200) this.looks.push({ video: this.video, id, askedMs, shown: JSON.parse(answer.text).comments[0]?.id === id });
  }

  async #pin() {
    const id = this.dice.chance(0.3) ? null : this.#recent()?.comment.id;
    if (id === undefined) return;
    const deed = { video: this.video, id };
    this.pins.push(deed);
    const answer = id ? await this.doHere(deed, 'PUT', 'pin', { id }, [204, 404]) : await this.doHere(deed, 'DELETE', 'pin', undefined, [204]);
    if (answer?.status === 404) deed.gone = true;
  }

  async #ban(userid, more = {}) {
    const deed = { video: this.video, userid };
    this.bans.push(deed);
    if (!(await this.doHere(deed, 'PUT', `bans/${userid}`, more, [200]))) return undefined;
    for (const { userid: one } of [deed, deed, this.dice.pick(this.bans)]) await this.#try(one);
    return deed;
  }
  async #try(userid) {
    const post = { video: this.video, userid, text: `${userid} ${this.tries.length}`, keyed: false, sentMs: this.world.nowMs };
    this.tries.push(post);
    const answer = await this.ask('POST', '/comment', { userid, videoid: this.video, comment: post.text });
    post.status = answer?.status;
    if (answer?.status === 201) this.#acknowledge(post, answer);
    else if (answer && answer.status !== 503 && !(answer.status === 403 && /"banned"/.test(answer.text))) this.faults.push(`a banned user was answered ${answer.status} ${answer.text}`);
  }
  // Of one that is not to notice the id is none; if the text is shown nevertheless, it is one that was never posted.
  #acknowledge(post, answer) {
    const { comment } = JSON.parse(answer.text);
    if (post.userid.startsWith('shadow-') && comment.id.startsWith('1-')) this.tries.splice(this.tries.indexOf(post), 1);
    else Object.assign(post, { comment, whole: canonical(comment) });
  }

  // One that has written something. (What was not acknowledged could not be told from what was not purged.)
  async #purge(userid) {
    const ids = [], deed = { video: this.video, userid, ids };
    for (let i = this.dice.between(1, 3); i > 0; i--) {
      const post = { video: this.video, userid, text: `${userid} wrote ${i}`, keyed: true };
      this.tries.push(post);
      const answer = await this.do(post, 'POST', '/comment', { userid, videoid: this.video, comment: post.text }, [201], { 'idempotency-key': randomUUID() });
      if (!answer) return;
      this.#acknowledge(post, answer);
      ids.push(post.comment.id);
    }
    this.purges.push(deed);
    Object.assign(deed, await this.#ban(userid, { purge: true }));
    const id = this.dice.pick(ids);
    if (deed.ackMs) await this.#look(id);
  }

  async #setRoom(max_length) {
    const deed = { video: this.video, max_length };
    this.rooms.push(deed);
    await this.doHere(deed, 'PATCH', 'room', { max_length, readable_rate: this.rate }, [200]);
  }

  // Not repeated: nothing is promised of it.
  async react(kind) {
    this.reactions++;
    const answer = await this.ask('POST', `/videos/${this.video}/reactions`, { userid: `fan-${this.reactions % 7}`, kind });
    if (answer && ![202, 503].includes(answer.status)) this.faults.push(`a reaction was answered ${answer.status} ${answer.text}`);
  }

  // What it has set, as the system has it once all is healed: {video, maxLength, rate, banned, notes}.
  async audit() {
    const { max_length: maxLength, readable_rate: rate } = await this.read('room'), { bans } = await this.read('bans'), { audit } = await this.read('audit');
    return { video: this.video, maxLength, rate, wanted: this.rate, banned: bans.map(({ userid }) => userid), notes: audit.map(({ what, target }) => ({ what, target })) };
  }
}

// rates: the readable rates of videos.
export const startModerators = (world, videos, writers, { everyMs, rates }) => videos.map((video, i) =>
  new Moderator(world, { video, everyMs, seed: i, rate: rates[video] ?? 0, writers: writers.filter((writer) => writer.video === video) }));
