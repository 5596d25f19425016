// clusters:// and sentinels://: every server, and every Sentinel, is spoken to over TLS.
// Set-ups: cluster, sentinel.
// Long: 10.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { owner, post } from '../lib/api.mjs';
import { slotOf } from '../lib/cluster.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { makeAuthority } from '../lib/tls.mjs';

// Their servers and Chorus have certificates of one authority, and ask each other for them.
function authority(t) {
  const dir = mkdtempSync(join(tmpdir(), 'chorus-tls-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const { ca, of: [tls, ours] } = makeAuthority(dir, ['IP:127.0.0.1', 'DNS:chorus']);
  return { tls, flags: { 'redis-ca': ca, 'redis-cert': ours.certificate, 'redis-key': ours.key } };
}

const videos = ['one', 'two', 'three', 'four', 'five', 'six'];

// Posts until it is acknowledged: the server of its slot may just have been lost.
const postAgain = (system, video, text) => until(() => post(system, video, text), `a 201 in ${video}`, 15_000);

scenario('clusters://: comments and streams on each primary, and a slot that moves', { setups: ['cluster'], ms: 60_000 }, async (t) => {
  const { tls, flags } = authority(t);
  const system = await t.system({ flags, redis: { tls, timeoutMs: 5_000 } });
  const { redis } = system;
  assert.match(redis.url, /^clusters:/);
  const owners = new Set(await Promise.all(videos.map((video) => redis.ownerOf(slotOf(`video:${video}`)))));
  assert.equal(owners.size, 3, 'videos on each primary');
  const viewers = await Promise.all(videos.map(async (video) => t.watch(await owner(system, video), { video })));
  for (const [i, video] of videos.entries()) await viewers[i].reaches((await post(system, video, 'hello')).id);
  const slot = slotOf('video:one'), from = await redis.ownerOf(slot);
  await redis.move(slot, from, redis.primaries[(redis.primaries.indexOf(from) + 1) % 3]);
  await viewers[0].reaches((await postAgain(system, 'one', 'there')).id);
});

scenario('sentinels://: the primary that the Sentinels name, and the one that they promote', { setups: ['sentinel'], ms: 60_000 }, async (t) => {
  const { tls, flags } = authority(t);
  const system = await t.system({ flags, redis: { tls, downMs: 500 } });
  const { redis } = system;
  assert.match(redis.url, /^sentinels:/);
  const viewer = await t.watch(await owner(system, 'one'), { video: 'one' });
  await viewer.reaches((await post(system, 'one', 'before')).id);
  await redis.primary.kill9();
  await redis.switched();
  await viewer.reaches((await postAgain(system, 'one', 'after')).id);
});
