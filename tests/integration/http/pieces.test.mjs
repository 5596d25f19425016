// CI also: asan. Requests cut at every byte.
import assert from 'node:assert/strict';
import { statistics } from '../lib/api.mjs';
import { checkHealthy } from '../lib/checks.mjs';
import { RawClient, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const requests = (system) => [
  [system.comment, jsonBytes('POST', '/comment', { userid: 'u', videoid: 'v', comment: 'é' }), 201],
  [system.manager, jsonBytes('POST', '/register', { videoid: 'v' }), 200],
  [system.statistics, requestBytes('GET', '/statistics'), 200],
  [system.readers[0], jsonBytes('POST', '/connect', { userid: '', videoid: '' }), 400],
];

async function inParallel(count, job) {
  for (let i = 0; i < count; i += 40) await Promise.all(Array.from({ length: Math.min(40, count - i) }, (_, k) => job(i + k)));
}

scenario('a request cut at any byte is not carried out, and does not affect others', async (t) => {
  const system = await t.system();
  for (const [url, bytes] of requests(system)) {
    for (const how of ['end', 'destroy', 'reset']) {
      await inParallel(bytes.length, async (length) => {
        const client = await RawClient.connect(url);
        await client.send(bytes.subarray(0, length));
        if (how === 'end') client.socket.end();
        else if (how === 'destroy') client.socket.destroy();
        else client.socket.resetAndDestroy();
        await until(() => client.closed, `the end of a request cut at ${length}`);
      });
    }
  }
  await checkHealthy(system);
  assert.equal((await statistics(system)).storedComments.total, 0, 'no half comment is a comment');
});

scenario('a request in two packets, split anywhere, is answered like a whole one', async (t) => {
  const system = await t.system();
  for (const [url, bytes, status] of requests(system)) {
    await inParallel(bytes.length - 1, async (i) => {
      const client = await RawClient.connect(url);
      await client.send(bytes.subarray(0, i + 1));
      await new Promise(setImmediate);
      client.send(bytes.subarray(i + 1));
      assert.equal((await client.answer())?.status, status, `split at ${i + 1} of ${url}`);
      client.destroy();
    });
  }
});

scenario('a request byte by byte is answered, and the next on the same connection', async (t) => {
  const system = await t.system();
  for (const [url, bytes, status] of requests(system)) {
    const client = await RawClient.connect(url);
    await client.drip(bytes);
    assert.equal((await client.answer())?.status, status);
    client.send(requestBytes('GET', '/health'));
    assert.equal((await client.answer())?.status, 200);
    client.destroy();
  }
});
