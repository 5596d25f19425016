import assert from 'node:assert/strict';
import { checkError, checkHealthy, everyPort } from '../lib/checks.mjs';
import { RawClient, exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow } from '../lib/time.mjs';

scenario('header floods are 431 on every port, in bounded memory', async (t) => {
  const system = await t.system();
  const before = system.program.memory('VmHWM');
  const floods = {
    'one long value': requestBytes('GET', '/health', { headers: { X: 'x'.repeat(1_000_000) } }),
    'one long name': requestBytes('GET', '/health', { headers: { ['X'.repeat(1_000_000)]: '1' } }),
    'many fields': requestBytes('GET', '/health', { headers: Array.from({ length: 20_000 }, (_, i) => `X-${i}: ${i}`) }),
    'a long target': requestBytes('GET', `/health?${'x'.repeat(1_000_000)}`),
    'a long videoid': requestBytes('GET', `/resolve/${'x'.repeat(1_000_000)}`),
  };
  for (const [role, url] of everyPort(system)) {
    for (const [name, bytes] of Object.entries(floods)) {
      const answers = await Promise.all([exchange(url, bytes), exchange(url, bytes), exchange(url, bytes)]);
      for (const answer of answers) if (answer) checkError(answer, name.startsWith('a long') ? [414, 431] : 431, `${role}: ${name}`);
      assert.ok(answers.some(Boolean), `${role}: ${name}: one of three is told`);
    }
    // Endless, and without a pause.
    const client = await RawClient.connect(url);
    await client.send('GET /health HTTP/1.1\r\n');
    for (let i = 0; i < 2_000 && !client.closed; i++) await client.send(`X-${i}: ${'y'.repeat(1_000)}\r\n`);
    await client.ends(`${role} to close`);
    client.destroy();
  }
  await checkHealthy(system);
  const grown = (system.program.memory('VmHWM') - before) / 2 ** 20;
  if (!slow) assert.ok(grown < 20, `grown by ${grown} MB`);
});

scenario('a head of ordinary size, with cookies, is accepted', async (t) => {
  const system = await t.system();
  const headers = ['Cookie: ' + 'c'.repeat(6_000), ...Array.from({ length: 40 }, (_, i) => `X-Forwarded-${i}: something`)];
  for (const [role, url] of everyPort(system)) {
    assert.equal((await exchange(url, requestBytes('GET', '/health', { headers })))?.status, 200, role);
  }
});

// [what, bytes of a request]
const strange = [
  ['no Host', requestBytes('GET', '/health', { host: null })],
  ['Host twice', requestBytes('GET', '/health', { headers: ['Host: other'] })],
  ['the same Host twice', requestBytes('GET', '/health', { headers: ['Host: test'] })],
  ['white space before a colon', requestBytes('GET', '/health', { headers: ['X : 1'] })],
  ['white space before the colon of Host', requestBytes('GET', '/health', { host: null, headers: ['Host : test'] })],
  ['a tab before a colon', requestBytes('GET', '/health', { headers: ['X\t: 1'] })],
  ['white space before the colon of Content-Length', requestBytes('POST', '/none', { headers: ['Content-Length : 2'] })],
  ['a folded header', requestBytes('GET', '/health', { headers: ['X: 1\r\n 2'] })],
  ['no colon', requestBytes('GET', '/health', { headers: ['X'] })],
  ['an empty name', requestBytes('GET', '/health', { headers: [': 1'] })],
  ['NUL in a value', requestBytes('GET', '/health', { headers: ['X: a\0b'] })],
  ['a control in a value', requestBytes('GET', '/health', { headers: ['X: a\u0001b'] })],
  ['a bare CR in a value', requestBytes('GET', '/health', { headers: ['X: a\rb'] })],
  ['a bare LF at the line ends', Buffer.from('GET /health HTTP/1.1\nHost: test\n\n')],
  ['Content-Length twice, different', requestBytes('POST', '/none', { headers: ['Content-Length: 1', 'Content-Length: 2'] })],
  ['Content-Length and chunked', requestBytes('POST', '/none', { headers: ['Content-Length: 5', 'Transfer-Encoding: chunked'] })],
  ['Content-Length of no number', requestBytes('POST', '/none', { headers: ['Content-Length: 1x'] })],
  ['Content-Length below nothing', requestBytes('POST', '/none', { headers: ['Content-Length: -1'] })],
  ['Content-Length with a plus', requestBytes('POST', '/none', { headers: ['Content-Length: +1'] })],
  ['chunked not last', requestBytes('POST', '/none', { headers: ['Transfer-Encoding: chunked, gzip'] })],
  ['an unknown coding', requestBytes('POST', '/none', { headers: ['Transfer-Encoding: xchunked'] })],
  ['HTTP/0.9', Buffer.from('GET /health\r\n\r\n')],
  ['HTTP/3.7', Buffer.from('GET /health HTTP/3.7\r\nHost: test\r\n\r\n')],
  ['HTTQ', Buffer.from('GET /health HTTQ/1.1\r\nHost: test\r\n\r\n')],
  ['no target', Buffer.from('GET HTTP/1.1\r\nHost: test\r\n\r\n')],
  ['a target with a blank', Buffer.from('GET /a b HTTP/1.1\r\nHost: test\r\n\r\n')],
  ['a target with NUL', Buffer.from('GET /a\0b HTTP/1.1\r\nHost: test\r\n\r\n')],
  ['a target without a slash', Buffer.from('GET health HTTP/1.1\r\nHost: test\r\n\r\n')],
  ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
  ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ['noise', Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 7919) % 256))],
];

scenario('ambiguous heads are 400 on every port', async (t) => {
  const system = await t.system({ flags: { 'header-timeout-ms': 500 } });
  for (const [role, url] of everyPort(system)) {
    for (const [what, bytes] of strange) {
      const answer = await exchange(url, bytes);
      if (/Host|colon/.test(what)) checkError(answer, 400, `${role}: ${what}`);
      else if (answer) checkError(answer, [400, 405, 408, 505], `${role}: ${what}`);
    }
  }
  await checkHealthy(system);
});
