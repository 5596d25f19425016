import assert from 'node:assert/strict';
import { owner, post } from '../lib/api.mjs';
import { checkHealthy } from '../lib/checks.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { slow, until } from '../lib/time.mjs';

scenario('what a viewer sends after its request is not a request, and uses no memory', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const client = await RawClient.connect(reader);
  await client.send(Buffer.concat([requestBytes('GET', '/connect?userid=u&videoid=v'), requestBytes('GET', '/health')]));
  await until(() => client.received.includes('\n\n'), 'the stream');
  const before = system.program.memory();
  client.send(Buffer.alloc(12 * 2 ** 20, 'GET /health HTTP/1.1\r\n\r\n')); // which it may read or leave in the socket
  for (let i = 0; i < 50; i++) await viewer.reaches((await post(system, 'v', 'hello')).id);
  const grown = (system.program.memory() - before) / 2 ** 20;
  if (!slow) assert.ok(grown < 8, `grown by ${grown} MB`);
  const heads = client.received.toString().split('HTTP/1.1 ').length - 1;
  assert.equal(heads, 1, 'one answer: the stream');
  client.destroy();
  await checkHealthy(system);
});
