import { networkInterfaces } from 'node:os';
import assert from 'node:assert/strict';
import { register } from '../lib/api.mjs';
import { checkHealthy } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { startSystem } from '../lib/system.mjs';

scenario('with one --reader-ports, further readers count up from it', { setups: ['embedded'] }, async (t) => {
  // Four in a row may be in use; another try finds four that are free.
  let system;
  for (let tries = 0; !system; tries++) {
    const first = 12_000 + Math.floor(Math.random() * 18_000);
    system = await startSystem({ readers: 4, args: ['--reader-ports', String(first)] }).catch((error) => {
      if (tries === 5 || !/in use/.test(error.message)) throw error;
    });
    if (system) {
      t.after(() => system.release());
      assert.deepEqual(system.readers, [0, 1, 2, 3].map((i) => `http://127.0.0.1:${first + i}`));
    }
  }
  await checkHealthy(system);
});

scenario('--readers 1 --workers 1 works as well as three', async (t) => {
  const system = await t.system({ readers: 1, flags: { workers: 1 } });
  for (const video of ['a', 'b', 'c']) assert.equal((await register(system, video)).readerUrl, system.readers[0]);
});

const hasIPv6 = Object.values(networkInterfaces()).flat().some(({ address }) => address === '::1');

scenario('--bind on an IPv6 address', async (t) => {
  if (!hasIPv6) {
    t.diagnostic?.('this machine has no IPv6 loopback');
    return;
  }
  const system = await t.system({ flags: { bind: '::1' } });
  assert.match(system.comment, /^http:\/\/\[::1\]:\d+$/);
  await checkHealthy(system);
  assert.match((await register(system, 'v')).readerUrl, /^http:\/\/\[::1\]:\d+$/);
});
