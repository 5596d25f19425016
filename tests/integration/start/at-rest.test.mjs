// Set-ups: embedded.
import assert from 'node:assert/strict';
import { post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow } from '../lib/time.mjs';

const skip = slow && 'the memory of a sanitizer build is not ours';
scenario('`up` at rest uses less than 20 MB', { setups: ['embedded'], skip }, async (t) => {
  const system = await t.system();
  await post(system, 'v', 'awake');
  const megabytes = system.program.memory() / 2 ** 20;
  assert.ok(megabytes < 20, `${megabytes} MB`);
});
