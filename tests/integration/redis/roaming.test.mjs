// Failovers of every kind under load, while viewers leave and resume at any reader: a comment that was
// acknowledged is delivered or covered by a gap, whatever happened to it.
// Set-ups: processes.
import assert from 'node:assert/strict';
import { compareIds } from '../lib/journal.mjs';
import { checkDelivered, startLoad } from '../lib/load.mjs';
import { RedisPair } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause } from '../lib/time.mjs';
import { Viewer } from '../lib/viewer.mjs';

const lossy = { gaps: ['epoch'], lossy: true };

class Roamer {
  stopped = false;
  constructor(system, video, number) {
    Object.assign(this, { system, video });
    this.viewer = new Viewer({ video, user: `roamer${number}`, query: { redirect: 'never' } });
  }

  async start() {
    await this.#enter(this.viewer);
    this.first = this.viewer.position;
    this.done = this.#roam();
    this.done.catch(() => {}); // told at the end
    return this;
  }

  async #enter(viewer) {
    for (let tries = 0; viewer.status !== 200; tries++) {
      const { readers } = this.system;
      await viewer.connect(readers[Math.floor(Math.random() * readers.length)]).catch(() => pause(50));
      assert.ok(tries < 100, 'a reader takes it');
    }
    await viewer.wait(() => viewer.connected, 'the first event');
    this.viewer = viewer;
  }

  async #roam() {
    while (!this.stopped) {
      await pause(Math.random() * 1_000);
      const next = this.viewer.again();
      await pause(Math.random() * 1_000); // away, while others see more
      await this.#enter(next);
    }
  }

  async check(acknowledged) {
    this.stopped = true;
    await this.done;
    const last = acknowledged.at(-1).id;
    await this.viewer.wait(({ position }) => compareIds(position, last) >= 0, `${last}`);
    checkDelivered(this.viewer, acknowledged.filter(({ id }) => compareIds(id, this.first) > 0), lossy);
    this.viewer.close();
  }
}

// Each starts with a link that is cut, and returns the servers at its end: the master and the other one.
const failovers = {
  'another takes over': async (redis, a, b) => {
    await b.promote();
    redis.turnTo(b);
    return [b, a];
  },
  'connections to the old master stay for a while': async (redis, a, b, load) => {
    await b.promote();
    redis.front.turnTo(b.port);
    await load.more(2);
    redis.turnTo(b);
    return [b, a];
  },
  'the old master takes the data of the other and leads again': async (redis, a, b) => {
    await b.promote();
    await a.replicaOf(b.port);
    await a.promote();
    return [a, b];
  },
  'the other takes over, and dies': async (redis, a, b) => {
    await b.promote();
    redis.turnTo(b);
    await a.replicaOf(b.port);
    await b.kill9();
    await a.promote();
    redis.turnTo(a);
    await b.start();
    return [a, b];
  },
};

scenario('failovers of every kind, with viewers that resume at any reader', { setups: ['processes'], ms: 90_000 }, async (t) => {
  const redis = new RedisPair();
  const system = await t.system({ flags: { 'log-entries': 100_000 }, redis, comments: 2 });
  const videos = ['one', 'two'];
  const load = await startLoad(t, system, { videos, posters: 4, everyMs: 10 });
  const roamers = await Promise.all(Array.from({ length: 6 }, (_, i) => new Roamer(system, videos[i % 2], i).start()));
  t.after(() => roamers.forEach((one) => (one.stopped = true)));
  let [a, b] = [redis.first, redis.second];
  for (const failOver of Object.values(failovers)) {
    redis.cutLink();
    await load.more(2);
    [a, b] = await failOver(redis, a, b, load);
    await load.more(2);
    redis.link.turnTo(a.port);
    await b.replicaOf(redis.link.port);
    await load.more(2);
  }
  await load.prove(lossy);
  for (const one of roamers) {
    const acknowledged = load.posters.filter(({ video }) => video === one.video).flatMap((poster) => poster.acknowledged);
    await one.check(acknowledged.sort((p, q) => compareIds(p.id, q.id)));
  }
});
