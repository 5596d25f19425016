// CI also: asan, tsan. Viewers that fall off on a worker.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { owner, post, postMany, statistics } from '../lib/api.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { scaled, slow, until } from '../lib/time.mjs';

const BIG = 'x'.repeat(1_990);

// What the kernel at most keeps to be sent, what a viewer's socket accepts at first, and 1 MB beyond them and --memory=1M.
const held = Number(readFileSync('/proc/sys/net/ipv4/tcp_wmem', 'utf8').trim().split(/\s+/)[2]) + 2 ** 18 + 2 ** 20;
const COMMENTS = Math.ceil((held + 2 ** 20) / BIG.length / 100) * 100;

// Posts more than the kernel's buffers hold for a viewer that does not read; returns the last comment. After each 100 it waits
// for the quick viewer, because this process both posts and reads: it may read more slowly than it posts.
async function flood(system, quick, comments = COMMENTS) {
  for (let posted = 0; ; ) {
    const last = (await postMany(system, 'v', 100, { atOnce: 32, text: (i) => `${posted + i} ${BIG}` })).at(-1);
    await quick.reaches(last.id, scaled(20_000));
    if ((posted += 100) >= comments) return last;
  }
}

scenario('a viewer that reads nothing is disconnected, and delays no other', async (t) => {
  const system = await t.system({ flags: { 'stall-timeout-ms': 2_000, 'statistics-interval-ms': 200 } });
  const reader = await owner(system, 'v');
  const stuck = [];
  for (let i = 0; i < 5; i++) {
    const client = await RawClient.connect(reader);
    await client.send(requestBytes('GET', `/connect?userid=stuck${i}&videoid=v`));
    await until(() => client.received.includes('\n\n'), 'the stream');
    client.socket.pause();
    stuck.push(client);
  }
  const viewer = await t.watch(reader, { video: 'v' });
  const arrivals = [];
  await flood(system, viewer);
  for (let i = 0; i < 20; i++) {
    const sent = performance.now();
    const { id } = await post(system, 'v', `quick ${i}`);
    await viewer.reaches(id);
    arrivals.push(viewer.events.at(-1).at - sent);
  }
  arrivals.sort((a, b) => a - b);
  if (!slow) assert.ok(arrivals[10] < 300, `a comment took ${arrivals[10]} ms (median)`);
  assert.equal(viewer.gaps.length, 0);
  const viewers = async () => (await statistics(system)).readerApis.totalActiveConnections;
  await until(async () => (await viewers()) === 1, 'the stuck viewers to be closed', 15_000);
  for (const client of stuck) {
    client.socket.resume(); // a socket notices its end only when it is read
    await client.ends();
    client.destroy();
  }
  assert.equal(viewer.ended, false);
});

for (const transport of ['http', 'http/1.0'])
scenario(`a viewer (${transport}) that falls off what is kept in memory gets a gap 'slow', and goes on with the newest`, async (t) => {
  const system = await t.system({ flags: { memory: '1M', 'stall-timeout-ms': 60_000, 'log-entries': 100, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const quick = await t.watch(reader, { video: 'v', transport: 'http' });
  const lazy = await t.watch(reader, { video: 'v', user: 'lazy', transport });
  lazy.body.pause();
  const last = await flood(system, quick);
  assert.equal(quick.gaps.length, 0, 'the quick one missed nothing');
  lazy.body.resume();
  await lazy.reaches(last.id, 20_000);
  assert.ok(lazy.gaps.length >= 1, 'more than the kernel and 1 MB can hold');
  assert.ok(lazy.gaps.every(({ reason }) => reason === 'slow'), JSON.stringify(lazy.gaps));
  const missed = lazy.gaps.reduce((sum, gap) => sum + gap.missed, 0);
  assert.equal(lazy.comments.length + missed, COMMENTS, 'seen and announced make up the whole');
  const { id } = await post(system, 'v', 'both');
  await Promise.all([quick.reaches(id), lazy.reaches(id)]);
});

scenario('a hundred viewers that read nothing cost no more memory than one', async (t) => {
  const system = await t.system({ flags: { memory: '4M', 'stall-timeout-ms': 60_000, 'log-entries': 100, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const quick = await t.watch(reader, { video: 'v', transport: 'http' });
  const stuck = [];
  for (let i = 0; i < 100; i++) {
    const viewer = await t.watch(reader, { video: 'v', user: `stuck${i}` });
    viewer.body.pause();
    stuck.push(viewer);
  }
  const before = system.program.memory('VmHWM');
  await flood(system, quick, 3_000);
  const grown = (system.program.memory('VmHWM') - before) / 2 ** 20;
  if (!slow) assert.ok(grown < 40, `grown by ${grown} MB`);
});
