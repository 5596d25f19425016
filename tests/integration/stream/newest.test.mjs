import assert from 'node:assert/strict';
import { owner, postMany } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('a stream that begins with older comments says with which of them it becomes live', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const newestOf = async (options) => (await t.watch(reader, { video: 'v', ...options })).connected.json.newest;
  assert.equal(await newestOf({ fields: { history: 50 } }), undefined, 'there is none yet');
  const stored = await postMany(system, 'v', 10);
  const last = stored.at(-1).id;
  assert.equal(await newestOf({ fields: { history: 3 } }), last);
  assert.equal(await newestOf({ from: stored[4].id }), last);
  assert.equal(await newestOf({ from: last }), undefined, 'nothing was missed');
  assert.equal(await newestOf({}), undefined, 'live from the start');
});
