// Set-ups: embedded.
import assert from 'node:assert/strict';
import { owner, postMany } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('--durable keeps the same promise', { disk: true, setups: ['embedded'] }, async (t) => {
  const system = await t.system({ stable: true, flags: { durable: true } });
  const reader = await owner(system, 'v');
  const { position } = await t.watch(reader, { video: 'v' });
  const stored = await postMany(system, 'v', 50);
  await system.restart('SIGKILL');
  const viewer = await t.watch(reader, { video: 'v', from: position });
  await viewer.sees(50);
  assert.deepEqual(viewer.comments, stored);
});
