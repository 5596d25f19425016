// CI also: up-redis, processes, asan. Each engine begins an epoch in its own way.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { parseId } from '../lib/journal.mjs';
import { scenario } from '../lib/scenario.mjs';

for (const signal of ['SIGTERM', 'SIGKILL']) {
  scenario(`after ${signal} a video continues in a greater epoch, unnoticed by a viewer at its end`, { disk: true }, async (t) => {
    const system = await t.system({ stable: true, redis: { fsync: 'always' } });
    const reader = await owner(system, 'v');
    const viewer = await t.watch(reader, { video: 'v' });
    const start = viewer.position;
    const before = await postMany(system, 'v', 10);
    await viewer.reaches(before.at(-1).id);
    await system.restartAll(signal);

    const again = await viewer.again().connect(reader);
    t.after(() => again.close());
    await again.wait(() => again.connected, 'the first event');
    assert.equal(again.connected.id, before.at(-1).id, 'a quiet video stands where it stood');
    const after = await postMany(system, 'v', 10);
    await again.reaches(after.at(-1).id);
    assert.ok(parseId(after[0].id).epoch > parseId(before[0].id).epoch);
    assert.equal(parseId(after[0].id).seq, 1);
    assert.equal(again.gaps.length, 0);
    // Exactly the same for a viewer that resumes from the middle or the beginning of the old epoch.
    for (const from of [before[4].id, start]) {
      const late = await t.watch(reader, { video: 'v', from });
      await late.reaches(after.at(-1).id);
      assert.deepEqual(late.comments.map(({ id }) => id), [...before, ...after].slice(from === start ? 0 : 5).map(({ id }) => id));
      assert.equal(late.gaps.length, 0);
    }
  });
}

scenario('a viewer beyond the end of the log gets an `epoch` gap, then what follows', { disk: true }, async (t) => {
  const system = await t.system({ stable: true, redis: { fsync: 'always' } });
  const reader = await owner(system, 'v');
  const before = await postMany(system, 'v', 5);
  await system.restartAll('SIGKILL');
  const [after] = await postMany(system, 'v', 1);
  const { epoch } = parseId(before[0].id);
  for (const from of [`${epoch}-6`, `${epoch}-999999`, `${epoch + 1}-1`]) {
    const viewer = await t.watch(reader, { video: 'v', from, resumes: false });
    await viewer.wait(() => viewer.gaps.length, `a gap for ${from}`);
    assert.deepEqual([viewer.gaps[0].reason, viewer.gaps[0].missed], ['epoch', null], from);
    const { id } = await post(system, 'v', 'live');
    await viewer.reaches(id);
    viewer.close();
  }
  assert.ok(parseId(after.id).epoch > epoch);
});

scenario('a position from another time or server is never a silent hole', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const [newest] = (await postMany(system, 'v', 5)).slice(-1);
  const { epoch } = parseId(newest.id);
  for (const from of [`${epoch}-6`, `${epoch + 1000}-3`, `${epoch * 2}-1`]) {
    const viewer = await t.watch(reader, { video: 'v', from, resumes: false });
    await viewer.wait(() => viewer.gaps.length, `a gap for ${from}`);
    assert.equal(viewer.gaps[0].reason, 'epoch', from);
    const { id } = await post(system, 'v', 'live');
    await viewer.reaches(id);
  }
});

scenario('a position older than everything kept gets a gap, then everything kept', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const stored = await postMany(system, 'v', 5);
  const viewer = await t.watch(reader, { video: 'v', from: '1-1', resumes: false });
  await viewer.reaches(stored.at(-1).id);
  assert.equal(viewer.gaps.length, 1);
  assert.equal(viewer.gaps[0].missed, null);
});

scenario('many restarts in a row: one log, each epoch greater than the one before', { disk: true }, async (t) => {
  const system = await t.system({ stable: true, redis: { fsync: 'always' } });
  const reader = await owner(system, 'v');
  const start = (await t.watch(reader, { video: 'v' })).position;
  const stored = [];
  for (let i = 0; i < 6; i++) {
    stored.push(...(await postMany(system, 'v', i % 3)));
    await system.restartAll(i % 2 ? 'SIGTERM' : 'SIGKILL');
  }
  stored.push(await post(system, 'v', 'end'));
  const viewer = await t.watch(reader, { video: 'v', from: start });
  await viewer.reaches(stored.at(-1).id);
  assert.deepEqual(viewer.comments.map(({ id }) => id), stored.map(({ id }) => id));
});
