import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

const parts = ['comment-api', 'reader-api', 'reader-api-manager', 'client'];
const json = { instanceId: 'forged', clientId: 'forged' };

scenario('a report through a proxy is refused without the token', async (t) => {
  const system = await t.system({ flags: { 'internal-token': 'secret' } });
  for (const part of parts) {
    const url = `${system.statistics}/${part}-statistics`;
    for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via', 'x-forwarded-for', 'VIA']) {
      for (const value of ['127.0.0.1', '']) {
        checkError(await call('POST', url, { json, headers: { [name]: value } }), 403, `${part} ${name}`);
        checkError(await call('POST', url, { json, headers: { [name]: value, authorization: 'Bearer guess' } }), 403, `${part} ${name}`);
        const told = await call('POST', url, { json, headers: { [name]: value, authorization: 'Bearer secret' } });
        assert.equal(told.status, 200, `${part} ${name} with the token: ${told.text}`);
      }
    }
    assert.equal((await call('POST', url, { json })).status, 200);
  }
});

scenario('any of the usual proxy headers counts as a proxy', async (t) => {
  const system = await t.system();
  const names = ['X-Forwarded', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-FORWARDED-SERVER', 'x-forwarded-by', 'X-Forwarded-Something-That-Is-Longer-Than-Any',
    'X-Original-Forwarded-For', 'X-Cluster-Client-IP', 'X-Envoy-External-Address', 'True-Client-IP', 'CF-Connecting-IP', 'Fastly-Client-IP', 'CDN-Loop'];
  for (const name of names) {
    checkError(await call('POST', `${system.statistics}/client-statistics`, { json, headers: { [name]: '127.0.0.1' } }), 403, name);
  }
  for (const name of ['X-Forward', 'X-Request-Id', 'A-Name-Longer-Than-Any-That-Is-Known-Here', 'Traceparent']) {
    const answer = await call('POST', `${system.statistics}/client-statistics`, { json, headers: { [name]: '127.0.0.1' } });
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
  }
});

scenario('a forbidden report is refused before its body is sent', async (t) => {
  const system = await t.system();
  for (const part of parts) {
    const client = await RawClient.connect(system.statistics);
    t.after(() => client.destroy());
    client.send(requestBytes('POST', `/${part}-statistics`, { headers: { 'Content-Type': 'application/json', Via: '1.1 proxy', 'Content-Length': '1000000' } }));
    checkError(await client.answer(), 403, part);
    await client.ends('the connection to end');
  }
});
