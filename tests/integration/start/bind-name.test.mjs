import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { call, post, register } from '../lib/api.mjs';
import { checkHealthy } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const hasIPv6 = Object.values(networkInterfaces()).flat().some(({ address }) => address === '::1');

scenario('--bind localhost listens on both loopback addresses, on the same port', async (t) => {
  const system = await t.system({ readers: 2, flags: { bind: 'localhost', 'statistics-interval-ms': 100 } });
  await checkHealthy(system);
  await post(system, 'v', 'hi');
  const { readerUrl } = await register(system, 'v');
  assert.match(readerUrl, /^http:\/\/localhost:\d+$/);
  for (const host of hasIPv6 ? ['127.0.0.1', '[::1]'] : ['127.0.0.1']) {
    const at = (url) => `http://${host}:${new URL(url).port}`;
    assert.equal((await call('GET', `${at(system.comment)}/health`)).status, 200, host);
    assert.equal((await call('HEAD', `${at(readerUrl)}/connect?userid=u&videoid=v`)).status, 200, host);
  }
  await until(async () => (await call('GET', `${system.comment}/statistics`)).json.readerApis?.totalReaders === 2, 'the parts to find each other');
});
