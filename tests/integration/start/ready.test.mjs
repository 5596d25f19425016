// Set-ups: embedded.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('every part is ready as soon as the box is printed', { setups: ['embedded'] }, async (t) => {
  const system = await t.system();
  for (const url of [system.manager, system.comment, system.statistics, ...system.readers]) {
    assert.equal((await call('GET', `${url}/ready`)).status, 200, url);
  }
});
