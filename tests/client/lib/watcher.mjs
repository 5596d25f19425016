// A client of a fake world, and what it must have shown.
import assert from 'node:assert/strict';
import { LiveComments } from '../../../web/chorus.js';
import { compare } from './fake-world.mjs';

export class Watcher {
  shown = []; // comments and gaps, as they came
  states = [];

  constructor(world, options = {}, env = {}) {
    const { clock, random } = world;
    this.world = world;
    this.live = new LiveComments({
      server: 'http://api.test', video: 'v', user: 'u', share: false,
      fetch: options.fetch ?? world.fetchFor(options.name ?? 'client'),
      onComment: (comment, info) => this.show({ ...comment, ...info }, comment.id),
      onGap: (gap) => this.show(gap, gap.to),
      onState: (state) => {
        this.states.push({ ms: clock.ms, ...state });
        if (state.name === 'live') this.start ??= this.live?.position;
      },
      ...options,
      env: { now: clock.now, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, random: random.next, ...env },
    });
  }

  show(what, id) {
    this.start ??= id;
    this.shown.push(what);
  }
  get comments() {
    return this.shown.filter(({ type }) => !type);
  }
  get gaps() {
    return this.shown.filter(({ type }) => type);
  }

  // It is at the head, and has shown each comment since its start once and in order, unless a gap covers it. Comments that
  // the store has lost may have been shown before.
  check() {
    const { start } = this, { log, lost, head } = this.world, { comments, gaps } = this;
    assert.equal(this.live.state.name, 'live');
    if (compare(this.live.position, head)) assert.equal(this.live.position, log.at(-1)?.id ?? head, 'at the head');
    for (let i = 1; i < comments.length; i++) assert.ok(compare(comments[i].id, comments[i - 1].id) > 0, `${comments[i].id} after ${comments[i - 1].id}`);
    const truth = new Map(log.map(({ id, data }) => [id, data]));
    for (const { own, replayed, ...comment } of comments) if (!lost.has(comment.id)) assert.deepEqual(comment, truth.get(comment.id));
    const shown = new Set(comments.map(({ id }) => id));
    const covers = (gap, id) => compare(id, gap.from) >= 0 && compare(id, gap.to) <= 0;
    for (const { id, data } of log) {
      if (!data || compare(id, start) <= 0 || shown.has(id)) continue;
      assert.ok(gaps.some((gap) => covers(gap, id)), `${id} was never shown; shown ${comments.length}, gaps ${JSON.stringify(gaps)}`);
    }
    for (const gap of gaps) if (gap.reason !== 'order') for (const id of shown) if (!lost.has(id)) assert.ok(!covers(gap, id), `${id} was shown, but is in ${JSON.stringify(gap)}`);
  }
}
