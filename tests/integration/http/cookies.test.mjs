import assert from 'node:assert/strict';
import { checkError, everyPort } from '../lib/checks.mjs';
import { RawClient, exchange, requestBytes } from '../lib/raw.mjs';
import { owner } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const cookie = (bytes) => [`Cookie: ${'c'.repeat(bytes)}`];

scenario('a cookie of 31 KB harms neither streams nor requests; heads beyond 64 KB are 431', async (t) => {
  const system = await t.system();
  for (const [role, url] of everyPort(system)) {
    for (const bytes of [31_000, 60_000]) {
      assert.equal((await exchange(url, requestBytes('GET', '/health', { headers: cookie(bytes) })))?.status, 200, `${role} ${bytes}`);
    }
    checkError(await exchange(url, requestBytes('GET', '/health', { headers: cookie(66_000) })), 431, role);
  }
  const reader = await owner(system, 'v');
  const viewer = await RawClient.connect(reader);
  t.after(() => viewer.destroy());
  viewer.send(requestBytes('GET', '/connect?userid=u&videoid=v', { headers: cookie(31_000) }));
  await until(() => viewer.received.includes('"connected"'), () => `a stream; got ${viewer.received}`);
});
