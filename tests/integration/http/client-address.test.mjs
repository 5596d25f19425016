// The address of a client behind a proxy: in the log, if the proxy is trusted, and never where it is a matter of permission.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { call, post, register } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { watch } from '../lib/viewer.mjs';

const forwarded = { 'x-forwarded-for': '6.6.6.6, 192.0.2.7' };

for (const [proxies, address] of [['127.0.0.1', '192.0.2.7'], ['10.0.0.0/8', '127.0.0.1'], [undefined, '127.0.0.1']]) {
  scenario(`with --trusted-proxies ${proxies ?? 'not given'} the client is at ${address}`, async (t) => {
    const system = await t.system({ flags: proxies ? { 'trusted-proxies': proxies } : {} });
    const { readerUrl } = await register(system, 'v');
    const viewer = await watch(readerUrl, { video: 'v', headers: forwarded });
    t.after(() => viewer.close());
    await system.program.says(new RegExp(`connected .*client=${address.replaceAll('.', '\\.')}\\b`));
    await post(system, 'v', 'hello', { headers: forwarded });
    await system.program.says(new RegExp(`published .*client=${address.replaceAll('.', '\\.')}\\b`));
    assert.doesNotMatch(system.stderr, /6\.6\.6\.6/);
  });
}

scenario('an address that a trusted proxy forwards is not one of the inside', async (t) => {
  const system = await t.system({ flags: { 'trusted-proxies': '127.0.0.1' } });
  const report = (headers) => call('POST', `${system.statistics}/reader-api-statistics`, { json: { instanceId: 'x' }, headers });
  assert.equal((await report({})).status, 200);
  assert.equal((await report({ 'x-forwarded-for': '127.0.0.1' })).status, 403);
});

scenario('a list of proxies that is none is refused', async (t) => {
  await assert.rejects(t.system({ flags: { 'trusted-proxies': 'nginx' } }), /--trusted-proxies is .*nginx.*, but must be networks/);
});
