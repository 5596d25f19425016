// Set-ups: up-redis.
// Several `up --single-port` on one Redis, as behind one balancer: any of them serves any video.
import assert from 'node:assert/strict';
import { call, owner, post, register } from '../lib/api.mjs';
import { Program } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis'];
const PUBLIC = 'https://live.example.org';

async function startSecond(t, system) {
  const program = new Program(['up', '--redis', system.redis.url, '--single-port', '--comment-port', '0', '--instance-id', 'b', '--public-url', PUBLIC]);
  t.after(() => program.kill('SIGTERM'));
  const [, comment] = await until(() => program.stdout.match(/^ *comment +(\S+)/m), () => `its address:\n${program.stdout}${program.stderr}`);
  const second = { comment, manager: comment, statistics: comment, program };
  await until(async () => (await call('GET', `${comment}/ready`)).status === 200, 'the second to be ready');
  return second;
}

scenario('a viewer gets each comment at whichever process it connects to, and is never redirected', { setups }, async (t) => {
  const first = await t.system({ flags: { 'single-port': true, 'instance-id': 'a', 'public-url': PUBLIC } });
  const second = await startSecond(t, first);
  // Until both know all six readers, whose addresses differ.
  const videos = await until(async () => {
    const found = new Map(); // by owner
    for (let i = 0; i < 12; i++) {
      const video = `video-${Math.random()}`;
      found.set(await owner(i % 2 ? first : second, video), video);
    }
    return found.size === 6 && found;
  }, 'videos to be spread over all six readers');
  for (const url of videos.keys()) assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/reader-[123]$/);
  for (const video of videos.values()) assert.equal((await register(second, video)).publicUrl, PUBLIC);

  const viewers = [];
  for (const [reader, video] of videos) {
    for (const { comment } of [first, second]) {
      const viewer = await t.watch(comment, { video, query: { events: 'viewers' } });
      assert.equal(viewer.redirects.length, 0);
      assert.match(viewer.connected.json.instance, comment === first.comment ? /^a-reader-[123]$/ : /^b-reader-[123]$/);
      if (reader.startsWith(`${comment}/`)) assert.equal(viewer.connected.json.instance.slice(2), reader.split('/').at(-1), 'the owner, where it is');
      viewers.push(viewer);
    }
  }
  for (const [i, viewer] of viewers.entries()) {
    const from = i % 2 ? first : second; // posted at the other one
    await viewer.reaches((await post(from, viewer.options.video, 'hello')).id);
  }
  for (const viewer of viewers) await viewer.isOneOf(2); // counted across processes
});

scenario('when a process ends, its viewers go on at the others, with what they missed', { setups }, async (t) => {
  const first = await t.system({ flags: { 'single-port': true, 'instance-id': 'a', 'public-url': PUBLIC } });
  const second = await startSecond(t, first);
  const viewers = [];
  for (let i = 0; i < 6; i++) viewers.push(await t.watch(second.comment, { video: `v-${i}` }));
  for (const [i, viewer] of viewers.entries()) await viewer.reaches((await post(first, `v-${i}`, 'before')).id);
  await second.program.kill('SIGKILL');
  for (const [i, viewer] of viewers.entries()) {
    viewer.fault = undefined;
    const missed = await post(first, `v-${i}`, 'missed');
    const again = viewer.again();
    t.after(() => again.close());
    await again.connect(first.comment);
    await again.reaches(missed.id);
    assert.deepEqual([again.comments.length, again.gaps.length], [2, 0]);
  }
});
