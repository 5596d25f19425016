// A viewer is redirected twice at most, and only to the reader that the store names at that moment.
// Set-ups: processes, up-redis.
// CI also: up-redis. One process with several readers trusts its cache in the same way.
import assert from 'node:assert/strict';
import { call, owner, post, register, resolve } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const give = (system, video, reader) => system.redis.command('SET', `video:${video}:reader`, reader);
const at = (reader, video, target = `/connect?userid=u&videoid=${video}`) => call('HEAD', reader + target);

scenario('a cached mapping redirects no viewer', { setups }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const [other] = system.others(reader);
  assert.equal((await at(other, 'v')).status, 307);
  await give(system, 'v', other);
  assert.equal((await at(other, 'v')).status, 200, 'it has the video now');
});

scenario('two hops at most, whether the video moves on between them or moves back', { setups: ['processes'] }, async (t) => {
  const system = await t.system();
  const [a, b, c] = system.readers;
  for (const path of [[a, b, c], [a, b, a]]) {
    const video = `v${path.indexOf(c)}`;
    const steps = [b, path[2], b];
    await register(system, video);
    let url = `${a}/connect?userid=u&videoid=${video}`;
    let hops = 0;
    for (; ; hops++) {
      await give(system, video, steps[Math.min(hops, 2)]);
      const answer = await fetchOnce(url);
      if (answer.status === 200) break;
      assert.equal(answer.status, 307);
      url = answer.location;
      assert.equal(new URL(url).origin, path[hops + 1], 'where the store says');
      assert.ok(hops < 2, `a third redirect, to ${url}`);
    }
    assert.equal(hops, 2);
    // The URL at which it ended, used again, leads to the owner.
    const later = await fetchOnce(url);
    assert.equal(later.status, 307);
    assert.equal(new URL(later.location).origin, b);
    assert.equal((await fetchOnce(later.location)).status, 200);
  }
});

// GET, closed once its head is there: {status, location}.
async function fetchOnce(url) {
  const abort = new AbortController();
  const answer = await fetch(url, { redirect: 'manual', signal: abort.signal });
  abort.abort();
  return { status: answer.status, location: answer.headers.get('location') };
}

// The owner is stopped until another reader has its video, and continued: for a moment both redirect viewers.
scenario('a reader that returns just after its lease has ended: no viewer is redirected in circles', { setups: ['processes'], ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const old = await owner(system, 'v');
  const { child } = system.program.part(`reader-${system.readers.indexOf(old) + 1}`);
  t.after(() => child.kill('SIGCONT'));
  child.kill('SIGSTOP');
  const moved = await until(async () => {
    const { readerUrl } = await resolve(system, 'v');
    return readerUrl !== old && readerUrl;
  }, 'another reader');
  child.kill('SIGCONT');
  for (let round = 0; round < 30; round++) {
    let url = `${round % 2 ? old : moved}/connect?userid=u&videoid=v`;
    let hops = 0;
    for (let answer; (answer = await fetchOnce(url)).status === 307; hops++) {
      assert.ok(hops < 2, `a third redirect, to ${answer.location}`);
      url = answer.location;
    }
  }
  const viewer = await t.watch(old, { video: 'v' });
  assert.equal(viewer.url.origin, moved);
  await viewer.reaches((await post(system, 'v', 'hello')).id);
});
