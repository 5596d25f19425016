import assert from 'node:assert/strict';
import { register } from '../lib/api.mjs';
import { checkCors, everyPort } from '../lib/checks.mjs';
import { RawClient, exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('HEAD works wherever GET does: the same head, no body', async (t) => {
  const system = await t.system();
  await register(system, 'v');
  const targets = everyPort(system).flatMap(([, url]) => ['/', '/health', '/ready', '/none'].map((path) => [url, path]));
  for (const url of [system.manager, system.comment]) targets.push([url, '/resolve/v'], [url, '/resolve/none']);
  for (const url of [system.statistics, system.comment]) targets.push([url, '/statistics']);
  for (const [url, path] of targets) {
    const get = await exchange(url, requestBytes('GET', path));
    const client = await RawClient.connect(url);
    client.send(requestBytes('HEAD', path));
    const head = await client.answer({ head: true });
    assert.equal(head.status, get.status, `${url}${path}`);
    assert.equal(head.headers['content-type'], get.headers['content-type'], path);
    checkCors(head, path);
    // A body would be taken for the beginning of the next response.
    client.send(requestBytes('GET', '/ready'));
    assert.equal((await client.answer())?.status, 200, `after HEAD ${path}`);
    client.destroy();
  }
});

scenario('HEAD /connect returns the head of a stream, and is not a viewer', async (t) => {
  const system = await t.system();
  const { readerUrl } = await register(system, 'v');
  const client = await RawClient.connect(readerUrl);
  client.send(requestBytes('HEAD', '/connect?userid=u&videoid=v'));
  const head = await client.answer({ head: true });
  assert.equal(head.status, 200);
  assert.match(head.headers['content-type'], /^text\/event-stream/);
  client.send(requestBytes('GET', '/ready'));
  const next = await client.answer();
  if (next) assert.equal(next.status, 200);
  else assert.equal(client.received.length, 0, 'closed, without a stream');
  client.destroy();
});
