// What one viewer has seen of a video over all its connections, and the promise (one order, no duplicate, no silent hole) checked at every event:
// one order, no duplicate, no hole that was not announced. What lies between the end of one epoch and the beginning of
// the next cannot be known from the stream; scenarios with restarts compare with what was acknowledged.
import assert from 'node:assert/strict';

export function parseId(id) {
  const match = /^(\d+)-(\d+)$/.exec(id ?? '');
  if (!match) assert.fail(`not an id: ${JSON.stringify(id)}`);
  return { epoch: Number(match[1]), seq: Number(match[2]) };
}

export function compareIds(a, b) {
  const [left, right] = [parseId(a), parseId(b)];
  return left.epoch - right.epoch || left.seq - right.seq;
}

const FIELDS = new Set(['id', 'userid', 'videoid', 'comment', 'timestamp', 'name', 'badges', 'more']);

export class Journal {
  position; // the id that a reconnect would send
  comments = [];
  gaps = [];
  numbers = []; // of comments that were taken out
  entries = []; // retractions and the like, as {name, ...JSON}
  leftOut = 0; // numbers that a readable rate has left out, as `more` said

  // The first event of a connection. `asked`: the position that this connection resumes from.
  connected(event, asked) {
    if (asked !== undefined) assert.equal(event.id, asked, 'the stream starts where the viewer asked it to');
    this.position = event.id;
  }

  // `more`: so many numbers before this one were left out, of which the viewer may have had some: with its first frames, or
  // because they are its own.
  #moveTo(id, more = 0) {
    const [was, now] = [parseId(this.position), parseId(id)];
    const where = `${id} after ${this.position}`;
    if (now.epoch === was.epoch) {
      const hole = now.seq - was.seq - 1;
      if (!more) assert.equal(hole, 0, `no hole, no duplicate: ${where}`);
      else assert.ok(hole >= 0 && hole <= more, `${more} may be left out: ${where}`);
      this.leftOut += hole;
    } else {
      assert.ok(now.epoch > was.epoch, `epochs only grow: ${where}`);
      assert.ok(now.seq - 1 <= more, `an epoch begins with 1, or ${more} of it may be left out: ${where}`);
      this.leftOut += now.seq - 1;
    }
    this.position = id;
  }

  // id: none, where its author alone gets it.
  comment({ id, json }) {
    for (const name of Object.keys(json)) assert.ok(FIELDS.has(name), `a comment has no field ${name}: ${id}`);
    if (id !== undefined) this.#moveTo(id, json.more);
    this.comments.push(json);
  }

  // What stands for a comment that was taken out, and says how many before it were left out.
  more({ id, json }) {
    assert.equal(json.id, id, 'its id is its number');
    assert.ok(json.more > 0);
    this.#moveTo(id, json.more);
    this.numbers.push(id);
  }

  number({ id }) {
    this.#moveTo(id);
    this.numbers.push(id);
  }

  entry({ type, id, json }) {
    assert.equal(json.type, type, 'its JSON has its name');
    assert.equal(json.id, id, 'its id is its number');
    this.#moveTo(id);
    this.entries.push(json);
  }

  gap({ id, json }) {
    const [was, from, to] = [this.position, json.from, json.to].map(parseId);
    assert.deepEqual(Object.keys(json).sort(), ['from', 'missed', 'reason', 'to', 'type']);
    assert.equal(json.type, 'gap');
    assert.ok(['expired', 'slow', 'epoch'].includes(json.reason), `reason ${json.reason}`);
    assert.equal(id, json.to, 'a gap moves the position to its end');
    if (json.reason === 'epoch') {
      assert.equal(json.missed, null);
    } else {
      assert.deepEqual(from, { epoch: was.epoch, seq: was.seq + 1 }, `the gap begins after ${this.position}`);
      if (from.epoch === to.epoch) assert.equal(json.missed, to.seq - from.seq + 1, 'missed counts from..to inclusive');
      else assert.equal(json.missed, null, 'a count across epochs is not known');
    }
    this.gaps.push(json);
    this.position = id;
  }
}
