// `chorus canary` posts a comment and reads it back: it says how long that took, or what did not work.
// CI also: up-redis.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import { run } from '../lib/process.mjs';
import { owner } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const canary = (url, ...words) => run(['canary', url, ...words]);

// A comment API that names `reader` as that of every video, and accepts comments with `status`; a reader that answers with
// the head of a stream and holds back its events, as a proxy that buffers.
async function startFake(t, { reader, registers = 200, status = 201 } = {}) {
  const server = createServer((incoming, response) => {
    incoming.resume();
    if (incoming.url === '/register' && registers !== 200) response.writeHead(registers).end('{"code":"store_unavailable"}\n');
    else if (incoming.url === '/register') {
      const readerUrl = reader ?? `http://127.0.0.1:${server.address().port}`;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ readerUrl }));
    } else if (incoming.url.startsWith('/connect')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    } else response.writeHead(status, { 'content-type': 'application/json' }).end('{"error":"The store is away.","code":"store_unavailable"}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

scenario('a comment comes back', async (t) => {
  const system = await t.system();
  const { code, stdout, stderr } = await canary(`${system.comment}/`);
  assert.deepEqual([code, stderr], [0, '']);
  const [, reader, ...times] = stdout.match(/^ok video=canary reader=(\S+) connect_ms=([\d.]+) post_ms=([\d.]+) delivery_ms=([\d.]+)\n$/);
  assert.equal(reader, await owner(system, 'canary'));
  for (const ms of times) assert.ok(Number(ms) > 0 && Number(ms) < 5_000, stdout);

  const json = await canary(system.comment, '--json', '--video', 'mine');
  assert.equal(json.code, 0);
  const result = JSON.parse(json.stdout);
  assert.deepEqual(Object.keys(result), ['ok', 'video', 'readerUrl', 'connectMs', 'postMs', 'deliveryMs']);
  assert.deepEqual([result.ok, result.video], [true, 'mine']);
});

scenario('a video that has moved is followed', async (t) => {
  const system = await t.system();
  const away = system.others(await owner(system, 'canary'))[0];
  const proxy = createServer((incoming, response) => {
    if (incoming.url === '/register') {
      incoming.resume();
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ readerUrl: away }));
      return;
    }
    const { method, headers } = incoming;
    incoming.pipe(request(`${system.comment}${incoming.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    }));
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  t.after(() => proxy.close());
  const { code, stdout } = await canary(`http://127.0.0.1:${proxy.address().port}`);
  assert.equal(code, 0, stdout);
  assert.match(stdout, new RegExp(`reader=${await owner(system, 'canary')} `));
});

scenario('what does not work is said', async (t) => {
  const fails = async (url, pattern, ...words) => {
    const { code, stdout } = await canary(url, '--timeout-ms', '1500', ...words);
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^failed video=canary .*why="[^"]+"\n$/);
    assert.match(stdout, pattern);
  };
  const nobody = 'http://127.0.0.1:1';
  await Promise.all([
    fails(nobody, /why="no stream: http:\/\/127\.0\.0\.1:1\/register: Connection refused"/),
    fails(await startFake(t, { reader: nobody }), /why="no stream: http:\/\/127\.0\.0\.1:1: Connection refused"/),
    fails(await startFake(t, { registers: 503 }), /why="no stream: http:\S+\/register: the answer is 503 store_unavailable"/),
    fails(await startFake(t), /no event came: a proxy on the way keeps it back \(buffering\)/),
  ]);
  const system = await t.system();
  const refusing = createServer((incoming, response) => {
    if (incoming.url === '/comment') {
      incoming.resume();
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"code":"store_unavailable"}\n');
      return;
    }
    incoming.resume();
    owner(system, 'canary').then((readerUrl) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ readerUrl })));
  });
  await once(refusing.listen(0, '127.0.0.1'), 'listening');
  t.after(() => refusing.close());
  const { code, stdout } = await canary(`http://127.0.0.1:${refusing.address().port}`);
  assert.equal(code, 1);
  assert.match(stdout, /^failed video=canary [^"]*why="the comment was refused: 503 \{'code':'store_unavailable'\}"\n$/);
});

scenario('https is not spoken, which it says', async () => {
  const { code, stderr } = await canary('https://live.example.org');
  assert.equal(code, 2);
  assert.match(stderr, /^chorus canary: It speaks only http:\/\/, .* https:\/\/live\.example\.org .* behind the proxy/);
});

scenario('it needs a URL', async () => {
  for (const words of [[], ['ftp://x'], ['http://127.0.0.1:3000', '--video', 'a b']]) assert.equal((await run(['canary', ...words])).code, 2);
});
