// All tabs of a browser share one stream, whatever happens to the tabs, at random with a seed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Clock } from './lib/clock.mjs';
import { FakeBrowser } from './lib/fake-browser.mjs';
import { FakeWorld } from './lib/fake-world.mjs';
import { Random, forSeeds } from './lib/random.mjs';
import { Watcher } from './lib/watcher.mjs';

class Story {
  clock = new Clock();
  tabs = [];
  opened = 0;

  constructor(random, withLocks, faults) {
    this.random = random;
    this.world = new FakeWorld(this.clock, random, faults);
    this.browser = new FakeBrowser(this.clock, random, withLocks);
  }
  open(options) {
    const tab = this.browser.open(), name = `tab ${++this.opened}`;
    tab.name = name;
    tab.watcher = new Watcher(this.world, { name, share: true, viewers: true, fetch: this.world.fetchFor(name, tab.enter), ...options }, tab.env);
    this.tabs.push(tab);
    return tab;
  }
  get leaders() {
    return [...this.world.connections].map(({ client }) => client);
  }
  remove(tab) {
    this.tabs.splice(this.tabs.indexOf(tab), 1);
  }
  close(tab) {
    tab.happens('pagehide', { persisted: false });
    this.crash(tab);
  }
  crash(tab) {
    tab.crash();
    this.remove(tab);
    this.world.leave(tab.name);
  }
  async end() {
    const { clock, world } = this;
    world.faults = {};
    for (const tab of this.tabs) {
      if (tab.frozen) tab.thaw();
      if (tab.hidden) tab.happens('pageshow', { persisted: true });
    }
    await clock.pass(90_000);
    world.append('the last');
    await clock.pass(90_000);
    for (const { watcher } of this.tabs) watcher.check();
    assert.equal(world.connections.size, Math.min(this.tabs.length, 1), 'one stream');
    for (const { watcher } of this.tabs) watcher.live.close();
    await clock.pass(5_000);
    assert.equal(world.connections.size, 0);
  }
}

const kinds = [['with Web Locks', true], ['without Web Locks', false]];

for (const [how, withLocks] of kinds) {
  test(`tabs open, close, crash, freeze and come back; each shows everything, ${how}`, async () => {
    await forSeeds(25, async (random) => {
      const faults = random.chance(0.5) ? {} : { cut: 0.2, refuse: 0.1, stall: 0.05, silence: 0.05, redirect: 0.2, tombstone: 0.05, repeat: 0.05 };
      const story = new Story(random, withLocks, faults), { world, clock, tabs } = story;
      for (let i = random.below(50); i > 0; i--) world.append();
      for (let i = 0; i < 120; i++) {
        const tab = tabs.length && random.pick(tabs);
        if (tabs.length < 8 && random.chance(0.3)) story.open({ history: random.pick([0, 0, 10]) });
        else if (tab && !tab.frozen && !tab.hidden) {
          if (random.chance(0.1)) story.close(tab);
          else if (random.chance(0.1)) story.crash(tab);
          else if (random.chance(0.1)) tab.freeze();
          else if (random.chance(0.1)) tab.happens('pagehide', { persisted: (tab.hidden = true) });
        } else if (tab?.hidden && random.chance(0.5)) {
          tab.hidden = false;
          tab.happens('pageshow', { persisted: true });
        } else if (tab?.frozen && random.chance(0.5)) tab.thaw();
        for (let posts = random.below(4); posts > 0; posts--) world.append();
        if (random.chance(0.03)) world.move(random.chance(0.5));
        await clock.pass(random.pick([5, 50, 500, 5_000, 20_000]));
      }
      await story.end();
      for (const { watcher } of tabs) assert.deepEqual(watcher.gaps, []);
    });
  });

  test(`eight tabs have one stream, and the next leads when its tab closes or crashes, ${how}`, async () => {
    const story = new Story(new Random(1), withLocks), { world, clock, tabs } = story;
    for (let i = 0; i < 30; i++) world.append();
    for (let i = 0; i < 8; i++) story.open({ history: 20 });
    await clock.pass(5_000);
    for (const end of ['close', 'crash', 'close']) {
      assert.equal(story.leaders.length, 1);
      const leader = tabs.find(({ name }) => name === story.leaders[0]);
      story[end](leader);
      for (let i = 0; i < 10; i++) {
        world.append();
        await clock.pass(1_000);
        if (end === 'close') assert.equal(story.leaders.length, 1, 'at once, as it says goodbye');
      }
    }
    // One each for its history, and one for each new leader; without locks two may lead for a moment.
    const connects = world.requests.filter(({ path }) => path.endsWith('/connect')).length;
    assert.ok(connects >= 8 + 3 && connects <= 8 + 3 + (withLocks ? 0 : 3), `${connects} streams`);
    await story.end();
    for (const { watcher } of tabs) {
      assert.equal(watcher.comments.length, 20 + 30 + 1);
      assert.deepEqual(watcher.comments.filter(({ replayed }) => replayed).map(({ comment }) => comment).slice(0, 20), Array.from({ length: 20 }, (_, i) => `comment ${i + 10}`));
    }
  });

  test(`the end of a video reaches all tabs, and a tab opened after its next start is live, ${how}`, async () => {
    const story = new Story(new Random(4), withLocks), { world, clock, tabs } = story;
    for (let i = 0; i < 4; i++) story.open();
    await clock.pass(5_000);
    world.over = true;
    for (const connection of world.connections) connection.cut();
    await clock.pass(20_000);
    assert.deepEqual(tabs.map(({ watcher }) => watcher.live.state.name), ['ended', 'ended', 'ended', 'ended']);
    world.over = false;
    const { watcher } = story.open();
    await clock.pass(5_000);
    assert.equal(watcher.live.state.name, 'live', 'whatever the others have heard');
    for (const tab of tabs) tab.watcher.live.close();
  });

  test(`a frozen tab does not keep the others from leading, ${how}`, async () => {
    const story = new Story(new Random(2), withLocks), { world, clock, tabs } = story;
    for (let i = 0; i < 3; i++) story.open();
    await clock.pass(2_000);
    const frozen = tabs.find(({ name }) => name === story.leaders[0]);
    frozen.freeze();
    await clock.pass(10_000);
    world.append('while it is frozen');
    await clock.pass(1_000);
    for (const tab of tabs) if (tab !== frozen) assert.equal(tab.watcher.comments.at(-1)?.comment, 'while it is frozen');
    await story.end();
  });
}

test('a tab that comes when the room has been told shows it, and how many watch, once', async () => {
  const story = new Story(new Random(5), true), { world, clock } = story;
  const tell = (type, fields) => {
    for (const connection of world.connections) connection.event({ event: type, data: { type, ...fields } });
  };
  const open = (options) => {
    const moments = [];
    story.open({ ...options, onRoom: (room) => moments.push(room), onViewers: (viewers) => moments.push(viewers) });
    return moments;
  };
  const first = open();
  await clock.pass(5_000);
  tell('room', { slow_ms: 5_000 });
  tell('viewers', { viewers: 7 });
  tell('reactions', { reactions: { heart: 3 } });
  await clock.pass(1_000);
  const late = [open(), open({ history: 10 })];
  await clock.pass(5_000);
  assert.equal(world.connections.size, 1);
  assert.deepEqual(first, [{ type: 'room', slow_ms: 5_000 }, 7, { type: 'reactions', reactions: { heart: 3 } }]);
  for (const moments of late) assert.deepEqual(moments, [{ type: 'room', slow_ms: 5_000 }, 7], 'not the hearts of before');
  tell('room', { slow_ms: 0 });
  await clock.pass(1_000);
  for (const moments of [first, ...late]) assert.deepEqual(moments.slice(-1), [{ type: 'room', slow_ms: 0 }]);
  for (const { watcher } of story.tabs) watcher.live.close();
});

test('tabs of another video, with a token those of another user, and those that want everything, have a stream of their own', async () => {
  const story = new Story(new Random(3), true), { world, clock } = story;
  for (const options of [{}, { user: 'other' }, { video: 'w' }, { token: 't' }, { token: 't', user: 'other' }, { share: false }, { everything: true }]) story.open(options);
  await clock.pass(5_000);
  assert.equal(world.connections.size, 6);
  for (const { watcher } of story.tabs) watcher.live.close();
});
