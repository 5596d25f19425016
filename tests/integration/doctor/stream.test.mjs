// `chorus doctor --ask`: whether events come through at once, straight and by proxies that keep them back.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import { call, owner } from '../lib/api.mjs';
import { finding } from '../lib/doctor.mjs';
import { makeKey, makeToken } from '../lib/jwt.mjs';
import { lockedSystem, serviceToken } from '../lib/locked.mjs';
import { freePorts } from '../lib/ports.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';
import { makeAuthority } from '../lib/tls.mjs';

const setups = ['embedded'];

// A proxy that passes streams on as pass(chunk, n, response) does; other answers as they are.
async function proxyOf(t, target, pass, files) {
  const how = files && { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
  const server = (how ? https : http).createServer({ ...how }, (request, response) => {
    http.get(target + request.url, { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      let n = 0;
      if (!request.url.startsWith('/connect')) return answer.pipe(response);
      response.flushHeaders();
      return answer.on('data', (chunk) => pass(chunk, n++, response)).on('end', () => response.end());
    }).on('error', () => response.destroy());
    request.on('close', () => request.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${how ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
}

const flags = { 'heartbeat-ms': 200 };
// A busy machine may take its time for the first event, which is no fault of the way.
const passes = /^(ok|warning): .*the first event of a stream( at \S+)? took \d+ ms/i;
const ask = (url, ...args) => finding('stream', ['--heartbeat-ms', '200', '--ask', url, ...args]);

scenario('events come at once, or what keeps them back is said; and nothing is changed', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  assert.match(await ask(system.comment), /^unknown: .*names no video/);
  await owner(system, 'v');
  const registered = async () => (await call('GET', `${system.statistics}/statistics`)).json.readerApiManager.registeredVideos;
  await until(async () => (await registered()) === 1, 'the video to be registered');
  assert.match(await ask(system.comment, '--video', 'v'), passes);
  const [other] = system.others(await owner(system, 'v'));
  assert.match(await ask(other, '--video', 'v'), passes, 'without a redirect');
  await t.watch(system.readers[0], { video: 'v', query: { redirect: 'never' } });
  await until(async () => (await call('GET', `${system.comment}/videos`)).json.videos.length, 'the video to be listed');
  assert.match(await ask(system.comment), passes, 'the video that is watched');
  const answers = await Promise.all([
    proxyOf(t, system.comment, (chunk, n, response) => response.write(chunk)),
    proxyOf(t, system.comment, () => {}),
    proxyOf(t, system.comment, (chunk, n, response) => n || [chunk.subarray(0, 9), chunk.subarray(9)].forEach((piece) => setImmediate(() => response.write(piece)))),
  ].map(async (proxy) => ask(await proxy, '--video', 'v')));
  assert.match(answers[0], passes);
  assert.match(answers[1], /^fault: .*its first event is kept back/);
  assert.match(answers[2], /^fault: .*what follows is kept back/);
  const { ca, of: [files] } = makeAuthority(t.folder(), ['IP:127.0.0.1']);
  const secure = await proxyOf(t, system.comment, (chunk, n, response) => response.write(chunk), files);
  const askSecurely = (env) => finding('stream', ['--heartbeat-ms', '200', '--ask', secure, '--video', 'v'], { env });
  assert.match(await askSecurely({ SSL_CERT_FILE: ca }), passes);
  assert.match(await askSecurely({}), /^fault: .*certificate/);
  assert.match(await ask(`${system.comment}/nothing`, '--video', 'v'), /^fault: .*answered with 404/);
  const [port] = await freePorts(1);
  assert.match(await ask(`http://127.0.0.1:${port}`), /^fault: .*was not reached/);
  assert.equal(await registered(), 1);
});

scenario('a stream is watched as the user of a token, or with the token of a service', { setups, ms: 30_000 }, async (t) => {
  const key = makeKey('ES256', 'k');
  const { system } = await lockedSystem(t, [key], { flags });
  const askWith = (...args) => ask(system.comment, '--video', 'v', ...args);
  assert.match(await askWith(), /^unknown: .*needs a token \(401\)/);
  assert.match(await askWith('--token', makeToken(key)), passes);
  assert.match(await askWith('--token', serviceToken), passes);
});
