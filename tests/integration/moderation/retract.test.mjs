// Also on: sentinel, cluster. Processes find their Redis in another way.
// CI also: up-redis, processes, memory, asan, tsan. Each engine takes comments out of its log in its own way.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { call, moderate, owner, post, postMany, statistics } from '../lib/api.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const SECRET = 'an address that nobody may read';
const listed = async (system, video) => (await call('GET', `${system.comment}/videos/${video}/comments`)).json.comments;

scenario('a deleted comment: viewers get the entry, those that come later its number alone', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const live = await t.watch(reader, { video: 'v' });
  const source = new EventSourceViewer(reader, { video: 'v' });
  t.after(() => source.close());
  await source.opened();
  const retracted = [];
  source.source.addEventListener('retract', ({ data, lastEventId }) => retracted.push({ ...JSON.parse(data), lastEventId }));
  const before = await post(system, 'v', 'before');
  const away = await t.watch(reader, { video: 'v', from: before.id });
  away.close();
  const secret = await post(system, 'v', SECRET);
  const after = await post(system, 'v', 'after');
  await live.reaches(after.id);

  await moderate(system, 'v', 'DELETE', `comments/${secret.id}`);
  await live.wait(() => live.entries.length, 'the retraction');
  const [entry] = live.entries;
  assert.deepEqual(Object.keys(entry), ['type', 'id', 'target', 'timestamp']);
  assert.equal(entry.target, secret.id);
  await until(() => retracted.length, 'an EventSource to get it');
  assert.deepEqual(retracted, [{ ...entry, lastEventId: entry.id }]);

  const resumed = await away.again().connect(reader);
  t.after(() => resumed.close());
  await resumed.reaches(entry.id);
  assert.deepEqual(resumed.comments, [after]);
  assert.deepEqual(resumed.numbers, [secret.id], 'its number, and no gap');
  assert.equal(resumed.gaps.length, 0);
  const elsewhere = await t.watch(system.others(reader)[0], { video: 'v', from: before.id, query: { redirect: 'never' } });
  await elsewhere.reaches(entry.id);
  assert.deepEqual([elsewhere.comments, elsewhere.numbers], [[after], [secret.id]], 'read from the log');
  const newest = await t.watch(reader, { video: 'v', query: { history: 10 } });
  await newest.reaches(entry.id);
  assert.deepEqual(newest.comments, [before, after]);

  assert.deepEqual(await listed(system, 'v'), [before, after]);
  await until(async () => (await statistics(system)).storedComments.total === 3, 'the total of comments ever logged');
  assert.deepEqual((await statistics(system)).storedComments.comments, [after, before]);
});

scenario('deleting a comment twice is the same; one that is unknown is 404', async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const [comment] = await postMany(system, 'v', 1);
  const remove = (id) => call('DELETE', `${system.comment}/videos/v/comments/${id}`);
  for (let i = 0; i < 2; i++) {
    const { status, text } = await remove(comment.id);
    assert.deepEqual([status, text], [204, '']);
  }
  const next = await post(system, 'v', 'next');
  await viewer.reaches(next.id);
  assert.equal(viewer.entries.length, 1, 'one entry');
  for (const id of [viewer.entries[0].id, next.id.replace(/\d+$/, '99'), '1-1', 'x', '1-0']) {
    const answer = await remove(id);
    assert.deepEqual([answer.status, answer.json?.code], [404, 'unknown_comment'], `${id}: ${answer.text}`);
  }
});

scenario('a deletion against viewers that resume at the same moment: none gets the text without the retraction, nor once the reader knows', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  let from = (await t.watch(reader, { video: 'v' })).position;
  for (let round = 0; round < 15; round++) {
    const at = system.readers[round % 3];
    const join = () => t.watch(at, { video: 'v', from, query: { redirect: 'never' } });
    const secret = await post(system, 'v', SECRET);
    await postMany(system, 'v', round, { atOnce: 4 });
    const live = await join();
    const early = [join(), join()];
    const deleted = moderate(system, 'v', 'DELETE', `comments/${secret.id}`);
    early.push(join(), join());
    await deleted;
    await live.wait(() => live.entries.length, 'the reader to have got it');
    const late = [join(), join()];
    const last = await post(system, 'v', 'last');
    for (const viewer of [live, ...await Promise.all([...early, ...late])]) {
      await viewer.reaches(last.id);
      assert.deepEqual([viewer.entries.map(({ target }) => target), viewer.gaps], [[secret.id], []]);
      const shown = viewer.comments.filter(({ comment }) => comment === SECRET).length;
      assert.equal(shown + viewer.numbers.length, 1, 'the number comes once, with the text or without');
      viewer.close();
    }
    for (const viewer of await Promise.all(late)) assert.deepEqual(viewer.numbers, [secret.id], 'none begins with the text once the reader knows');
    from = last.id;
  }
});

scenario('three comment APIs delete as one', { setups: ['processes'] }, async (t) => {
  const system = await t.system({ comments: 3 });
  const at = (i) => ({ ...system, comment: system.comments[i] });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const secret = await post(at(0), 'v', SECRET), next = await post(at(1), 'v', 'next');
  await Promise.all([0, 1, 2, 0, 1, 2].map((i) => moderate(at(i), 'v', 'DELETE', `comments/${secret.id}`)));
  for (const i of [0, 1, 2]) assert.deepEqual(await listed(at(i), 'v'), [next]);
  const last = await post(at(2), 'v', 'last');
  await viewer.reaches(last.id);
  assert.equal(viewer.entries.length, 1, 'one entry');
});

scenario('what was deleted is gone after a restart, too', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const start = viewer.position;
  const [first, secret, last] = [await post(system, 'v', 'first'), await post(system, 'v', SECRET), await post(system, 'v', 'last')];
  await moderate(system, 'v', 'DELETE', `comments/${secret.id}`);
  await system.restart('SIGKILL');
  const late = await t.watch(reader, { video: 'v', from: start });
  await late.wait(() => late.entries.length, 'the retraction');
  assert.deepEqual([late.comments, late.numbers, late.gaps], [[first, last], [secret.id], []]);
  await moderate(system, 'v', 'DELETE', `comments/${secret.id}`);
});

// Everything that is read from Redis by its commands.
async function contents(redis) {
  const read = { stream: (key) => ['XRANGE', key, '-', '+'], list: (key) => ['LRANGE', key, '0', '-1'], string: (key) => ['GET', key], hash: (key) => ['HGETALL', key], zset: (key) => ['ZRANGE', key, '0', '-1'] };
  const keys = await redis.command('KEYS', '*');
  return JSON.stringify(await Promise.all(keys.map(async (key) => redis.command(...read[await redis.command('TYPE', key)](key)))));
}

scenario('the bytes of the text are gone from the data folder, from Redis', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  await owner(system, 'v');
  await postMany(system, 'v', 50, { text: (i) => `${i} ${'padding '.repeat(20)}` });
  const secret = await post(system, 'v', SECRET);
  const long = await post(system, 'v', `${SECRET} ${'x'.repeat(1_900)}`);
  await postMany(system, 'v', 50);
  const holds = async () => {
    if (system.redis) return (await contents(system.redis)).includes(SECRET);
    return system.dataFiles.some((path) => readFileSync(path).includes(SECRET));
  };
  assert.ok(await holds());
  for (const { id } of [secret, long]) await moderate(system, 'v', 'DELETE', `comments/${id}`);
  await until(async () => !(await holds()), 'no byte of the text to be left');
  const last = await post(system, 'v', SECRET);
  await moderate(system, 'v', 'DELETE', `comments/${last.id}`);
  await system.restart('SIGKILL');
  await until(async () => !(await holds()), 'none to be left after a kill');
});
