import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const malformed = [
  'x', '-', '1', '1-', '-1', '1-x', 'x-1', '1-2-3', '1--2', '+1-2', '1-+2', ' 1-2x', '0x1-2', '1.5-2', '99999999999999999999999-1',
  '1-99999999999999999999999', 'null', '1 - 2', '$', '(null)', '9'.repeat(2_000), '1_000-2', '\u0661-1',
];

scenario('a malformed Last-Event-ID starts with live comments, in header, query and body', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const [, , newest] = await postMany(system, 'v', 3, { atOnce: 1 });
  const viewers = [];
  for (const from of malformed) {
    for (const way of [{ via: 'header' }, { via: 'query' }, { via: 'body', method: 'POST' }]) {
      if (way.via === 'header' && /[^ -~]/.test(from)) continue;
      const viewer = await t.watch(reader, { video: 'v', from, resumes: false, ...way });
      assert.equal(viewer.connected.id, newest.id, `${way.via} ${from.slice(0, 30)}`);
      viewers.push(viewer);
    }
  }
  const { id } = await post(system, 'v', 'live');
  for (const viewer of viewers) {
    await viewer.reaches(id);
    assert.deepEqual([viewer.comments.length, viewer.gaps.length], [1, 0], `${viewer.options.via} ${viewer.options.from}`);
  }
});

scenario('a last_event_id of a wrong type starts with live comments too', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const { id } = await post(system, 'v', 'one');
  for (const from of [7, null, true, [], {}, '']) {
    const viewer = await t.watch(reader, { video: 'v', from, via: 'body', method: 'POST', resumes: false });
    assert.equal(viewer.connected.id, id, JSON.stringify(from));
  }
  const empty = await t.watch(reader, { video: 'v', from: '', via: 'query', resumes: false });
  assert.equal(empty.connected.id, id);
});
