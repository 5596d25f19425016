// Many processes around one Redis: several of a role, and one that dies, stops or is replaced.
// Set-ups: processes.
// CI also: asan. Every role ends and starts again.
// Long: 12.
import assert from 'node:assert/strict';
import { call, owner, post, register, resolve } from '../lib/api.mjs';
import { compareIds } from '../lib/journal.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['processes'];
const flags = { 'log-entries': 100_000 }; // nothing expires while something is away
const LEASE_MS = 3_000;
const nameOf = (system, reader) => `reader-${system.readers.indexOf(reader) + 1}`;

scenario('two managers and two comment APIs agree on one reader for each video', { setups }, async (t) => {
  const system = await t.system({ managers: 2, comments: 2, flags });
  const doors = [...system.managers, ...system.comments];
  for (let round = 0; round < 20; round++) {
    const json = { videoid: `new-${round}` };
    const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => call('POST', `${doors[i % 4]}/register`, { json })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(new Set(answers.map(({ json: { readerUrl } }) => readerUrl)).size, 1);
    const fromManagers = answers.filter((_, i) => i % 4 < 2 && answers[i].json.action === 'registered');
    assert.ok(fromManagers.length <= 1, `${fromManagers.length} times registered`);
    for (const manager of system.managers) {
      assert.equal((await call('GET', `${manager}/resolve/${json.videoid}`)).json.readerUrl, answers[0].json.readerUrl);
    }
  }
});

scenario('comments through two comment APIs share one order, and an Idempotency-Key works across them', { setups }, async (t) => {
  const system = await t.system({ managers: 2, comments: 2, flags });
  const load = await startLoad(t, system, { videos: ['v'], posters: 6, everyMs: 0 });
  await load.more(100);
  await load.prove();
  const json = { userid: 'u', videoid: 'w', comment: 'once' };
  const headers = { 'idempotency-key': 'k' };
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => call('POST', `${system.comments[i % 2]}/comment`, { json, headers })));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201]);
  assert.equal(new Set(answers.map(({ json: { comment } }) => comment.id)).size, 1);
});

scenario('after kill -9 of a reader its videos move once its lease has ended, and viewers resume without loss', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true, flags });
  const load = await startLoad(t, system);
  const gone = await owner(system, 'one');
  const stays = await Promise.all(load.videos.map((video) => resolve(system, video)));
  await system.program.end1(nameOf(system, gone), 'SIGKILL');
  await load.until(async () => (await resolve(system, 'one')).readerUrl !== gone, 'another reader', LEASE_MS + 7_000);
  await load.more(20);
  for (const [i, video] of load.videos.entries()) {
    const now = (await resolve(system, video)).readerUrl;
    if (stays[i].readerUrl !== gone) assert.equal(now, stays[i].readerUrl, 'only the videos of the dead one move');
    assert.notEqual(now, gone);
  }
  assert.equal(load.refused, 0, 'posts do not depend on a reader');
  // It comes back at its address, and redirects viewers that still ask there for a video that has moved.
  await system.program.again(nameOf(system, gone));
  const moved = (await resolve(system, 'one')).readerUrl;
  await load.until(async () => {
    const answer = await call('GET', `${gone}/connect?userid=u&videoid=one`);
    return answer.status === 307 && new URL(answer.headers.location).origin === moved;
  }, 'a redirect');
  await load.more(5);
  await load.prove();
});

scenario('a reader stopped for longer than its lease notices when it continues, and its viewers move without loss', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true, flags });
  const load = await startLoad(t, system, { videos: ['one'] });
  const stopped = await owner(system, 'one');
  const { child } = system.program.part(nameOf(system, stopped));
  t.after(() => child.kill('SIGCONT'));
  child.kill('SIGSTOP');
  const moved = await load.until(async () => {
    const { readerUrl } = await resolve(system, 'one');
    return readerUrl !== stopped && readerUrl;
  }, 'another reader', LEASE_MS + 7_000);
  const late = await t.watch(moved, { video: 'one' });
  const { id } = await post(system, 'one', 'at the other one');
  await late.wait(() => compareIds(late.position, id) >= 0, 'what is posted now');
  child.kill('SIGCONT');
  await load.until(async () => {
    const answer = await call('GET', `${stopped}/connect?userid=u&videoid=one`);
    return answer.status === 307 && new URL(answer.headers.location).origin === moved;
  }, 'the one that was stopped to redirect');
  await load.until(() => load.followers.every(({ viewer }) => viewer.url.origin === moved), 'its viewers to move', 15_000);
  await load.more(10);
  await load.prove();
});

scenario('a reader stopped for less than its lease continues as if nothing had happened', { setups }, async (t) => {
  const system = await t.system({ stable: true, flags });
  const load = await startLoad(t, system, { videos: ['one'] });
  const reader = await owner(system, 'one');
  const { child } = system.program.part(nameOf(system, reader));
  t.after(() => child.kill('SIGCONT'));
  child.kill('SIGSTOP');
  const enough = load.total + 50;
  await load.until(() => load.total > enough, 'comments while it is stopped');
  child.kill('SIGCONT');
  await load.more(10);
  assert.equal((await resolve(system, 'one')).readerUrl, reader);
  await load.prove();
  assert.equal(load.cuts, 0, 'streams stay open');
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
  scenario(`every process is restarted in turn by ${signal}: mappings stay, nothing is lost`, { setups, ms: 60_000 }, async (t) => {
    const system = await t.system({ stable: true, flags });
    const load = await startLoad(t, system);
    const videos = [...load.videos, ...Array.from({ length: 20 }, (_, i) => `quiet-${i}`)];
    const owners = [];
    for (const video of videos) owners.push((await register(system, video)).readerUrl);
    for (const name of system.program.names) {
      await system.program.end1(name, signal);
      await system.program.again(name);
      await load.more(1);
    }
    const now = await Promise.all(videos.map((video) => resolve(system, video)));
    assert.deepEqual(now.map(({ readerUrl }) => readerUrl), owners);
    await load.prove();
  });
}

scenario('streams and comments continue without manager or statistics', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true, flags });
  const load = await startLoad(t, system);
  for (const name of ['manager', 'statistics']) await system.program.end1(name, 'SIGKILL');
  await load.more(20);
  const { id } = await post(system, 'never-registered', 'hello');
  const viewer = await t.watch(system.readers[0], { video: 'never-registered' });
  assert.ok(compareIds(viewer.position, id) >= 0);
  await viewer.reaches((await post(system, 'never-registered', 'again')).id);
  for (const name of ['statistics', 'manager']) await system.program.again(name);
  const { readerUrl } = await until(() => resolve(system, 'never-registered'), 'the manager to know it');
  assert.ok(system.readers.includes(readerUrl));
  await load.prove();
  assert.deepEqual([load.cuts, load.refused], [0, 0], 'streams cut, posts refused');
});
