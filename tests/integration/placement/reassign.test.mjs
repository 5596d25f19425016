// CI also: processes. A reader that is gone is a process that is gone.
// Long: 10.
import assert from 'node:assert/strict';
import { call, owner, post, resolve } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { Viewer } from '../lib/viewer.mjs';

async function videoOf(system, reader) {
  for (let i = 0; ; i++) if ((await owner(system, `v${i}`)) === reader) return `v${i}`;
}

scenario('a video whose reader is gone is reassigned, and the old reader redirects when it is back', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const gone = system.readers[2];
  const video = await videoOf(system, gone);
  const viewer = await t.watch(gone, { video });
  await viewer.reaches((await post(system, video, 'one')).id);
  const stays = await owner(system, 'stays').then((url) => (url === gone ? owner(system, 'stays-2') : url));

  await system.restart('SIGKILL', { readers: 2 });
  const missed = await post(system, video, 'while its reader was away');
  const now = await until(async () => {
    const { readerUrl } = await resolve(system, video);
    return readerUrl !== gone && readerUrl;
  }, 'another reader');
  assert.ok(system.readers.includes(now));
  assert.ok(system.readers.includes(stays));
  const again = await viewer.again().connect(system.readers[0]);
  t.after(() => again.close());
  await again.reaches(missed.id);
  assert.equal(again.gaps.length, 0);

  await system.restart('SIGTERM', { readers: 3 });
  assert.equal((await resolve(system, video)).readerUrl, now, 'nothing moves back by itself');
  const back = await call('GET', `${gone}/connect?userid=u&videoid=${video}`);
  assert.equal(back.status, 307);
  assert.equal(new URL(back.headers.location).origin, now);
});

scenario('a misdirected viewer causes its video to be reassigned, too, when the owner is gone', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const gone = system.readers[2];
  const video = await videoOf(system, gone);
  await system.restart('SIGKILL', { readers: 2 });
  await until(async () => {
    const asking = await new Viewer({ video, follow: false }).connect(system.readers[0]);
    asking.close();
    return asking.headers.location !== undefined ? !asking.headers.location.startsWith(gone) : asking.status === 200;
  }, 'a reader that is there');
  const viewer = await t.watch(system.readers[0], { video });
  await viewer.reaches((await post(system, video, 'hello')).id);
});

scenario('readers that come back on other ports keep their videos or leave them to others: all are served', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const old = system.readers;
  for (let i = 0; i < 6; i++) await owner(system, `v${i}`);
  await system.stop('SIGKILL');
  system.ports.clear();
  await system.restart();
  assert.ok(system.readers.every((url) => !old.includes(url)));
  for (let i = 0; i < 6; i++) {
    const url = await until(async () => {
      const { readerUrl } = await resolve(system, `v${i}`);
      return system.readers.includes(readerUrl) && readerUrl;
    }, `a living reader for v${i}`);
    const viewer = await t.watch(url, { video: `v${i}` });
    await viewer.reaches((await post(system, `v${i}`, 'hello')).id);
  }
});
