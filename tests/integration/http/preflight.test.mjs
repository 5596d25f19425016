import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

const tracing = ['traceparent', 'tracestate', 'baggage', 'sentry-trace', 'x-b3-traceid', 'x-datadog-trace-id', 'x-requested-with', 'cache-control'];

scenario('a preflight is answered for the headers it asks for, whatever they are', async (t) => {
  const system = await t.system();
  for (const [role, url] of everyPort(system)) {
    for (const wanted of [tracing, [...tracing, ...Array.from({ length: 200 }, (_, i) => `x-own-${i}`)]]) {
      const answer = await call('OPTIONS', `${url}/health`, {
        headers: { origin: 'https://page.example', 'access-control-request-method': 'GET', 'access-control-request-headers': wanted.join(',') },
      });
      assert.equal(answer.status, 204, role);
      const allowed = answer.headers['access-control-allow-headers'].split(/\s*,\s*/);
      assert.deepEqual([...wanted, 'content-type', 'last-event-id', 'idempotency-key', 'authorization'].filter((name) => !allowed.includes(name)), [], role);
    }
  }
});

scenario('a preflight does not echo what is not a header name', async (t) => {
  const system = await t.system();
  const answer = await call('OPTIONS', `${system.comment}/comment`, { headers: { 'access-control-request-headers': 'x-a, <b>, x(c), "d", x-e' } });
  assert.match(answer.headers['access-control-allow-headers'], /, x-a, x-e$/);
});
