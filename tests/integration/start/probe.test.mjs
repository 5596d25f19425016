import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const probe = (...args) => run(['probe', ...args]);

scenario('probe: no output and exit code 0 for every part that is ready', async (t) => {
  const system = await t.system();
  for (const url of [system.manager, system.comment, system.statistics, ...system.readers]) {
    const { code, stdout, stderr } = await probe(`${url}/ready`);
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  }
});

scenario('probe: exit code 1 and the reason for anything but 2xx', async (t) => {
  const server = http.createServer((request, response) => {
    response.writeHead(Number(request.url.slice(1)));
    response.end('{"why":"Redis is away"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  t.after(() => server.close());
  assert.equal((await probe(`${url}/200`)).code, 0);
  for (const status of [301, 404, 500, 503]) {
    const { code, stderr } = await probe(`${url}/${status}`);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`${status} .*Redis is away`));
  }
});

scenario('probe: exit code 1 if nothing listens, or there is no response', async (t) => {
  const server = http.createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/ready`;
  const silent = await probe(url);
  assert.equal(silent.code, 1);
  assert.match(silent.stderr, /timed out/i);
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  const gone = await probe(url);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /refused/i);
});

scenario('probe: exit code 1 for an invalid URL, 2 without one', async () => {
  for (const text of ['ftp://127.0.0.1/', '127.0.0.1:3000']) {
    const { code, stderr } = await probe(text);
    assert.equal(code, 1);
    assert.match(stderr, /is not a URL like http:/);
  }
  assert.equal((await probe()).code, 2);
  assert.equal((await probe('http://127.0.0.1:1/', 'more')).code, 2);
});
