import assert from 'node:assert/strict';
import { checkError, checkHealthy } from '../lib/checks.mjs';
import { exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow } from '../lib/time.mjs';

const json = { 'Content-Type': 'application/json' };
const takers = (system) => [
  [system.comment, '/comment'], [system.manager, '/register'], [system.readers[0], '/connect'], [system.statistics, '/client-statistics'],
  [system.statistics, '/reader-api-statistics'],
];

scenario('a body announced as 10 MB is 413 before it is sent', async (t) => {
  const system = await t.system();
  for (const [url, path] of takers(system)) {
    for (const length of ['10485760', '99999999999', '18446744073709551615']) {
      const answer = await exchange(url, requestBytes('POST', path, { headers: { ...json, 'Content-Length': length } }));
      checkError(answer, 413, `${path} ${length}`);
    }
    const absurd = await exchange(url, requestBytes('POST', path, { headers: { ...json, 'Content-Length': '18446744073709551616' } }));
    if (absurd) checkError(absurd, [400, 413], path);
  }
});

scenario('10 MB bodies, whole and chunked, end in 413 or a closed connection, and use no memory', async (t) => {
  const system = await t.system();
  const before = system.program.memory('VmHWM');
  const body = Buffer.alloc(10 * 2 ** 20, '{"x":"yyyyyyyyyy"} ');
  const size = 64 * 1024;
  const chunks = Array.from({ length: body.length / size }, (_, i) =>
    Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), body.subarray(i * size, (i + 1) * size), Buffer.from('\r\n')]));
  const head = (path) => requestBytes('POST', path, { headers: { ...json, 'Transfer-Encoding': 'chunked' } });
  for (const [url, path] of takers(system)) {
    const forms = [requestBytes('POST', path, { headers: json, body }), Buffer.concat([head(path), ...chunks, Buffer.from('0\r\n\r\n')])];
    for (const bytes of forms) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => exchange(url, bytes)));
      for (const answer of answers) if (answer) checkError(answer, 413, path);
    }
  }
  await checkHealthy(system);
  const grown = (system.program.memory('VmHWM') - before) / 2 ** 20;
  if (!slow) assert.ok(grown < 20, `grown by ${grown} MB`);
});
