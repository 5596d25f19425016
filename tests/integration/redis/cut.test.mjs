// Redis stays, and connections to it are cut: by hand, or by Redis itself, which loses messages without a word.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, scaled, until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];

for (const [type, what] of [['pubsub', 'the subscription'], ['normal', 'commands under way']]) {
  scenario(`CLIENT KILL TYPE ${type}, 30 times under load: ${what} comes back and nothing is lost`, { setups, ms: 60_000 }, async (t) => {
    const system = await t.system();
    const load = await startLoad(t, system);
    let killed = 0;
    for (let round = 0; round < 30; round++) {
      killed += await system.redis.command('CLIENT', 'KILL', 'TYPE', type);
      if (round % 3) await load.more(1); // else again at once, while it comes back
      else await pause(5);
    }
    assert.ok(killed >= 20, `${killed} connections killed`);
    await load.more(5);
    await load.prove();
    assert.equal(load.cuts, 0, 'streams stay open');
  });
}

scenario('everything is cut again and again at the same time', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  const load = await startLoad(t, system);
  for (let round = 0; round < 15; round++) {
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await load.more(1);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

scenario('SCRIPT FLUSH under load: posts are refused for a moment at most, nothing is lost', { setups }, async (t) => {
  const system = await t.system();
  const load = await startLoad(t, system);
  for (let round = 0; round < 20; round++) {
    await system.redis.command('SCRIPT', 'FLUSH');
    const took = await load.more(2);
    assert.ok(took < scaled(3_000), `posts go on after ${took} ms`);
  }
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

// Small enough for a reader that is a little late.
async function squeeze(system) {
  await system.redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 8kb 4kb 1');
}

scenario('a subscriber that Redis cuts for its backlog misses nothing', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewers = [await t.watch(reader, { video: 'v' }), await t.watch(reader, { video: 'v' })];
  await squeeze(system);
  const big = 'x'.repeat(1_990);
  const stored = [];
  const name = `reader-${system.readers.indexOf(reader) + 1}`;
  const parts = system.program.part ? [system.program.part(name)] : [system.program];
  // Late by being stopped where it is a process of its own; the posts of one process that is stopped would stop, too.
  const alone = Boolean(system.program.part);
  const posting = postMany(system, 'v', alone ? 800 : 6_000, { atOnce: 32, text: (i) => `${i} ${big}` });
  if (alone) {
    await until(() => viewers[0].comments.length > 20, 'comments to flow');
    parts[0].child.kill('SIGSTOP');
    t.after(() => parts[0].child.kill('SIGCONT'));
  }
  stored.push(...(await posting));
  if (alone) {
    assert.ok(viewers[0].comments.length < 800, 'it was stopped in time');
    const subscribers = async () => Number((await system.redis.command('PUBSUB', 'NUMSUB', 'video:v'))[1]);
    // What the kernel buffers is not Redis's backlog: post until Redis has cut it.
    for (let i = 0; (await subscribers()) > 0; i++) {
      assert.ok(i < 40, 'Redis cuts the subscriber');
      stored.push(...(await postMany(system, 'v', 20, { text: (k) => `more ${i} ${k} ${big}` })));
    }
    parts[0].child.kill('SIGCONT');
  }
  stored.push(await post(system, 'v', 'last'));
  for (const viewer of viewers) {
    await viewer.reaches(stored.at(-1).id, 20_000);
    assert.deepEqual(viewer.gaps, []);
    assert.deepEqual(viewer.comments.map(({ id }) => id), stored.map(({ id }) => id));
  }
});

scenario('a video that is quiet hears of a subscription lost, too', { setups }, async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'quiet'), { video: 'quiet' });
  for (let round = 0; round < 5; round++) {
    await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const { id } = await post(system, 'quiet', `after ${round}`); // most likely while nobody listens
    const started = performance.now();
    await viewer.reaches(id);
    assert.ok(performance.now() - started < scaled(3_000), 'within 3 s');
  }
});
