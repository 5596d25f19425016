// CI also: up-redis. The turn is counted by the engine.
import assert from 'node:assert/strict';
import { owner, register } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('videos are assigned to the readers in turn, and the turn survives a restart', { disk: true }, async (t) => {
  const system = await t.system({ stable: true });
  const owners = [];
  for (let i = 0; i < 7; i++) {
    owners.push(await owner(system, `v${i}`));
    await register(system, `v${i}`); // an existing mapping takes no turn
    if (i === 3) await system.restart('SIGKILL');
  }
  for (let i = 0; i < 3; i++) assert.equal(new Set(owners.slice(i, i + 3)).size, 3, `three in a row differ: ${owners}`);
  assert.deepEqual(owners.slice(3), owners.slice(0, 4), 'always in the same order');
});
