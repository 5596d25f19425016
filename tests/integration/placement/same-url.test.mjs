// Two readers with the same --url.
// Set-ups: processes.
import assert from 'node:assert/strict';
import { call, owner, post, resolve } from '../lib/api.mjs';
import { freePorts } from '../lib/ports.mjs';
import { Program } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const options = { setups: ['processes'], ms: 60_000 };

async function startSecond(t, system, url, name) {
  const [port] = await freePorts(1);
  const program = new Program(['reader', '--redis', system.redis.url, '--port', String(port), '--url', url, '--instance-id', name]);
  t.after(() => program.end ?? program.kill('SIGTERM'));
  return { program, url: `http://127.0.0.1:${port}` };
}
const isReady = async (url) => (await call('GET', `${url}/ready`).catch(() => ({}))).status === 200;

for (const name of ['the-second', 'reader-1']) { // another instance, and one with the same name
  scenario(`the second of two readers with one --url, called ${name}, says so once, is not ready and gets no videos`, options, async (t) => {
    const system = await t.system({ readers: 2 });
    const [url] = system.readers;
    const videos = [];
    for (let i = 0; videos.length < 3; i++) if ((await owner(system, `v${i}`)) === url) videos.push(`v${i}`);
    const watching = await t.watch(url, { video: videos[0] });

    const second = await startSecond(t, system, url, name);
    const [line] = await second.program.says(/level=error role=\S+ event=url_in_use .*/);
    assert.ok(line.includes(`url=${url}`) && line.includes('holder=reader-1') && line.includes('--url'), line);
    const ready = await call('GET', `${second.url}/ready`);
    assert.equal(ready.status, 503);
    assert.match(ready.json.why, /--url/);
    for (const video of videos) {
      const viewer = await t.watch(second.url, { video });
      assert.equal(viewer.url.origin, url, 'a viewer that comes to the second is sent to the first');
    }
    await watching.reaches((await post(system, videos[0], 'the first goes on')).id);
    assert.ok(!watching.ended);
    for (const video of videos) assert.equal((await resolve(system, video)).readerUrl, url);
    assert.ok(await isReady(url), 'the first stays ready');
    assert.equal(second.program.stderr.match(/url_in_use/g).length, 1);
    await system.program.says(/level=warn role=reader-1 event=lease_lost why="another process has started with this --url/);
    assert.doesNotMatch(system.stderr, /lease_lapsed/, 'it was renewed in time');

    await second.program.kill('SIGTERM'); // must not drop a lease that is not its own
    for (let i = 0; i < 6; i++) await owner(system, `new-${i}`);
    assert.ok((await Promise.all(Array.from({ length: 6 }, (_, i) => owner(system, `new-${i}`)))).includes(url));
  });
}

scenario('the second reader with one --url takes over from one that is silent; which goes on counting in its ledger when the second has gone', options, async (t) => {
  const system = await t.system({ readers: 1, flags: { 'statistics-interval-ms': 500 } });
  const [url] = system.readers;
  const watching = await t.watch(url, { video: 'v' });
  const ledgerHas = (due) => until(async () => {
    const { json } = await call('GET', `${system.statistics}/videos/v/ledger`);
    assert.deepEqual([json.due, json.delivered, json.readers?.length], [due, due, 1], JSON.stringify(json));
    return true;
  }, `${due} due, of one life`);
  await watching.reaches((await post(system, 'v', 'before')).id);
  await ledgerHas(1);

  const second = await startSecond(t, system, url, 'the-second');
  await second.program.says(/url_in_use/);
  system.program.part('reader-1').signal('SIGSTOP');
  await second.program.says(/level=info role=the-second event=url_free/);
  await until(() => isReady(second.url), 'the second to be ready');
  system.program.part('reader-1').signal('SIGCONT');
  await system.program.says(/role=reader-1 event=url_in_use/);
  await second.program.kill('SIGTERM'); // it drops the lease
  await system.program.says(/role=reader-1 event=url_free/);
  // While it has no lease yet, it closes instead of answering.
  const back = watching.ended ? await until(() => watching.again().connect(url), 'a stream') : watching;
  await back.reaches((await post(system, 'v', 'after')).id);
  await ledgerHas(2);
});
