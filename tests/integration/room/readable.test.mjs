// A readable rate: above it viewers share a sample, and what they are not shown is counted.
// CI also: up-redis, processes.
import assert from 'node:assert/strict';
import { call, owner, postMany } from '../lib/api.mjs';
import { patchRoom } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const seen = (viewer) => viewer.journal.comments.length;

scenario('above a readable rate viewers share a sample; all is counted, and is there for who asks', async (t) => {
  const system = await t.system({ flags: { 'statistics-interval-ms': 500 } });
  const reader = await owner(system, 'v');
  const viewers = [], all = [];
  for (let i = 0; i < 3; i++) viewers.push(await t.watch(reader, { video: 'v', user: `u${i}` }));
  const ann = await t.watch(reader, { video: 'v', user: 'ann' });
  const whole = await t.watch(reader, { video: 'v', query: { rate: 'all' } });
  const reached = (id) => Promise.all([...viewers, ann, whole].map((viewer) => viewer.reaches(id)));
  const burst = async (users, count) => {
    const posts = await Promise.all(users.map((user) => postMany(system, 'v', count, { user })));
    const last = posts.flat().reduce((a, b) => (Number(a.id.split('-')[1]) > Number(b.id.split('-')[1]) ? a : b));
    all.push(...posts.flat());
    await reached(last.id); // the last of a burst is always shown
    return last;
  };
  await burst(['bob'], 20);
  assert.equal(seen(viewers[0]), 20); // off unless set

  await patchRoom(system, 'v', { readable_rate: 10 });
  const begun = performance.now();
  await until(async () => (await burst(['bob'], 30), viewers[0].journal.leftOut > 0), 'a sample', 2_000);
  assert.ok(performance.now() - begun < 1_500, 'a setting holds within a second, and a burst ends within one');
  const before = seen(viewers[0]), last = await burst(['ann', 'bob'], 30);
  assert.ok(seen(viewers[0]) - before <= 20 + 1, `${seen(viewers[0]) - before} are shown`);
  for (const viewer of viewers) {
    assert.equal(seen(viewer) + viewer.journal.leftOut, all.length);
    assert.deepEqual(viewer.journal.comments, viewers[0].journal.comments); // `more` too
  }
  assert.deepEqual(whole.journal.comments.map(({ id }) => id).sort(), all.map(({ id }) => id).sort());
  assert.ok(whole.journal.comments.every(({ more }) => more === undefined));
  assert.equal(ann.journal.comments.filter(({ userid }) => userid === 'ann').length, 30);

  let ledger;
  await until(async () => {
    ({ json: ledger } = await call('GET', `${system.statistics}/videos/v/ledger`));
    return ledger?.due === 5 * all.length && ledger.waiting === 0;
  }, () => `a ledger that closes: ${JSON.stringify(ledger)}`);
  assert.equal(ledger.sampled, [...viewers, ann].reduce((sum, { journal }) => sum + journal.leftOut, 0));
  assert.equal(ledger.delivered + ledger.sampled, ledger.due);

  const back = await t.watch(reader, { video: 'v', from: all[0].id });
  await back.reaches(last.id);
  assert.equal(seen(back), all.length - 1); // what comes after its position, whatever others were shown
  const late = await t.watch(reader, { video: 'v', query: { history: 40 } });
  await late.reaches(last.id);
  assert.equal(seen(late), 40);

  await patchRoom(system, 'v', { readable_rate: 0 });
  await until(async () => {
    const had = viewers[0].journal.leftOut;
    await burst(['bob'], 30);
    return viewers[0].journal.leftOut === had;
  }, 'all comments', 2_000);
});
