// IPv6, as docs/operations.md says: every address of a system on ::, and IPv4 beside it.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { call, owner, post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const has = () => {
  try {
    return /^0{31}1 /m.test(readFileSync('/proc/net/if_inet6', 'utf8'));
  } catch {
    return false;
  }
};
const options = { setups: ['embedded'], skip: !has() && 'this machine has no ::1' };

scenario('up --bind :: is reached at [::1] and at 127.0.0.1, and its readers have IPv6 URLs', options, async (t) => {
  const system = await t.system({ flags: { bind: '::' } });
  for (const url of [system.manager, system.comment, system.statistics, ...system.readers]) {
    assert.match(url, /^http:\/\/\[::1\]:\d+$/);
    assert.equal((await call('GET', `${url}/ready`)).status, 200, url);
    assert.equal((await call('GET', `${url.replace('[::1]', '127.0.0.1')}/ready`)).status, 200, `${url} by IPv4`);
  }
  const reader = await owner(system, 'v');
  assert.match(reader, /^http:\/\/\[::1\]:/);
  const redirected = await t.watch(system.others(reader)[0], { video: 'v' });
  assert.equal(redirected.redirects.length, 1);
  assert.ok(redirected.redirects[0].headers.location.startsWith(`${reader}/connect?`), redirected.redirects[0].headers.location);
  const mapped = await t.watch(reader.replace('[::1]', '127.0.0.1'), { video: 'v' });
  await post(system, 'v', 'to both');
  await Promise.all([redirected, mapped].map((viewer) => viewer.sees(1)));
  const report = { instanceId: 'reader-9', activeConnections: 1, subscribedTopics: [], messagesSent: 0 };
  for (const url of [system.statistics, system.statistics.replace('[::1]', '127.0.0.1')]) {
    assert.equal((await call('POST', `${url}/reader-api-statistics`, { json: report })).status, 200, `${url} is internal`);
  }
});

scenario('up --bind ::1 listens there only', options, async (t) => {
  const system = await t.system({ flags: { bind: '::1' } });
  assert.equal((await call('GET', `${system.comment}/ready`)).status, 200);
  await assert.rejects(call('GET', `${system.comment.replace('[::1]', '127.0.0.1')}/ready`), /ECONNREFUSED/);
});
