// Redis stays up, and connections to it are cut: by hand, or by Redis itself, which loses messages silently.
// Set-ups: up-redis, processes.
// CI also: processes, tsan. A comment API and a reader lose their connections at different times.
// Long: 20.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const flags = { 'log-entries': 100_000 }; // nothing expires while something is away

for (const [type, what] of [['pubsub', 'the subscription'], ['normal', 'commands under way']]) {
  scenario(`CLIENT KILL TYPE ${type}, 30 times under load: ${what} comes back and nothing is lost`, { setups, ms: 60_000 }, async (t) => {
    const system = await t.system({ flags });
    const load = await startLoad(t, system);
    for (let round = 0, killed = 0; killed < 30; round++) {
      assert.ok(round < 1_000, `${killed} connections killed`);
      killed += await system.redis.command('CLIENT', 'KILL', 'TYPE', type);
      if (round % 3) await load.more(1); // else again at once, while it comes back
      else await pause(5);
    }
    await load.more(5);
    await load.prove();
    assert.equal(load.cuts, 0, 'streams stay open');
  });
}

scenario('all connections are cut again and again', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  for (let round = 0; round < 15; round++) {
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await load.more(1);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

scenario('SCRIPT FLUSH under load: posts continue, and nothing is lost', { setups }, async (t) => {
  const system = await t.system({ flags });
  const load = await startLoad(t, system);
  for (let round = 0; round < 20; round++) {
    await system.redis.command('SCRIPT', 'FLUSH');
    await load.more(2);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

const big = 'x'.repeat(1_990);
const flood = (system, count) => postMany(system, 'v', count, { atOnce: 32, text: (i) => `${i} ${big}` });

// Small enough that a slightly slow subscriber exceeds it. Redis logs how often it has cut one.
const squeeze = (system) => system.redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 8kb 4kb 1');
const cuts = (system) => system.redis.program.stdout.match(/overcoming of output buffer limits/g)?.length ?? 0;

async function checkSaw(viewers, stored) {
  for (const viewer of viewers) {
    await viewer.reaches(stored.at(-1).id, 20_000);
    assert.deepEqual(viewer.gaps, []);
    assert.deepEqual(viewer.comments.map(({ id }) => id), stored.map(({ id }) => id));
  }
}

scenario('a subscriber that Redis cuts for its backlog, under a flood, misses nothing', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const reader = await owner(system, 'v');
  const viewers = [await t.watch(reader, { video: 'v' }), await t.watch(reader, { video: 'v' })];
  await squeeze(system);
  const stored = await flood(system, 3_000);
  stored.push(await post(system, 'v', 'last'));
  await checkSaw(viewers, stored);
  assert.ok(cuts(system) > 0, 'Redis has cut it');
});

// Then it gets megabytes at once, from the kernel and from the log: more than a socket accepts, but not more than the ring.
scenario('a reader stopped until Redis cuts it: viewers get everything that it missed', { setups: ['processes'], ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const reader = await owner(system, 'v');
  const viewers = [await t.watch(reader, { video: 'v' }), await t.watch(reader, { video: 'v' })];
  await system.redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 64kb 32kb 1');
  const { child } = system.program.part(`reader-${system.readers.indexOf(reader) + 1}`);
  t.after(() => child.kill('SIGCONT'));
  child.kill('SIGSTOP');
  const stored = [];
  // The kernel's buffers come first.
  for (let round = 0; cuts(system) === 0; round++) {
    assert.ok(round < 40, 'Redis cuts the reader');
    stored.push(...(await flood(system, 500)));
  }
  child.kill('SIGCONT');
  stored.push(await post(system, 'v', 'last'));
  for (const viewer of viewers) {
    await viewer.reaches(stored.at(-1).id, 20_000);
    assert.deepEqual(viewer.gaps, []);
    assert.equal(viewer.comments.length, stored.length);
  }
});

scenario('a quiet video is notified of a lost subscription too', { setups }, async (t) => {
  const system = await t.system({ flags });
  const viewer = await t.watch(await owner(system, 'quiet'), { video: 'quiet' });
  for (let round = 0; round < 5; round++) {
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const { id } = await post(system, 'quiet', `after ${round}`); // most likely while nothing is subscribed
    await viewer.reaches(id);
  }
});
