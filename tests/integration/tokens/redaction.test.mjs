// No token and no ticket gets into a log, whatever the request that has it.
// CI also: processes. There services pass tokens on to each other, and each has a log of its own.
import assert from 'node:assert/strict';
import net from 'node:net';
import { call, owner } from '../lib/api.mjs';
import { Clients } from '../lib/clients.mjs';
import { claims, makeKey, makeToken } from '../lib/jwt.mjs';
import { lockedSystem, serviceToken } from '../lib/locked.mjs';
import { Description } from '../lib/openapi.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until, within } from '../lib/time.mjs';

const now = () => Math.floor(Date.now() / 1000);

// Everything that could be sent to a path with a token, as bytes: in Authorization, in the address, in a cookie; and with what
// makes the server refuse it.
function requests(method, path, token) {
  const query = `${path}${path.includes('?') ? '&' : '?'}token=${token}`;
  const head = (target, ...lines) => `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}`;
  const body = JSON.stringify({ userid: 'ann', videoid: 'v', comment: token, token });
  const json = ['Content-Type: application/json', `Content-Length: ${body.length}`];
  return [
    `${head(path, `Authorization: Bearer ${token}`)}\r\n`,
    `${head(query)}\r\n`,
    `${head(query.replace('token=', 'ticket='))}\r\n`,
    `${head(query, 'Last-Event-ID: 1-1')}\r\n`,
    `${head(path, `Cookie: chorus_token=${token}`)}\r\n`,
    `${head(path, `Authorization: Bearer ${token}`, ...json)}\r\n${body}`,
    `${head(path, `Authorization: Bearer ${token}`, 'Content-Length: 1')}\r\n{`,
    `${head(query, `Authorization : Bearer ${token}`)}\r\n`,
    `${head(`${query}&x=${'x'.repeat(20000)}`)}\r\n`,
    `${method} ${query} HTTP/9.9\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    `NONSENSE ${token} ${query}\r\nAuthorization: ${token}\r\n\r\n`,
  ];
}

// Sends them, and waits until something comes, or the connection is closed.
function poke(base, bytes) {
  const { hostname: host, port } = new URL(base), socket = net.connect({ host, port }, () => socket.write(bytes));
  socket.on('data', () => socket.destroy()).on('error', () => {});
  return new Promise((resolve) => socket.once('close', resolve));
}

scenario('no token gets into a log', { ms: 60_000 }, async (t) => {
  const key = makeKey('HS256', 'k');
  const { system } = await lockedSystem(t, [key], { flags: { 'log-level': 'debug', 'statistics-interval-ms': 200 } });
  const bearer = (token) => ({ authorization: `Bearer ${token}` });
  const good = makeToken(key, claims({ iat: now(), exp: now() + 60 }, { until: now() + 600 })), old = makeToken(key, claims({ iat: now() - 90, exp: now() - 30 }));
  const bad = makeToken(makeKey('HS256', 'k')), tickets = [];
  const reader = await owner(system, 'v');
  for (const other of system.others(reader)) {
    const redirect = () => call('GET', `${other}/connect?videoid=v`, { headers: { cookie: `chorus_token=${good}` }, ms: 1000 }).catch(() => ({}));
    let answer;
    await until(async () => (answer = await redirect()).status === 307, 'a redirect');
    tickets.push(new URL(answer.headers.location).searchParams.get('ticket'));
  }
  const description = await Description.of(system.comment);
  const paths = [...new Set(description.operations().map(({ path }) => path.replace(/\{\w+\}/g, 'v')))].map((path) => (path === '/connect' ? '/connect?videoid=v' : path));
  const all = [good, old, bad, ...tickets];
  for (const base of [system.comment, system.manager, reader])
    for (const path of [...paths, '/nowhere', '/%zz', `/videos/${good}/comments`])
      for (const method of ['GET', 'POST'])
        await Promise.all([good, old, tickets[0]].flatMap((token) => requests(method, path, token)).map((bytes) => poke(base, bytes)));
  const clients = new Clients(system, { 'internal-token': serviceToken, viewers: 2, videos: 1, rate: 5, duration: 1, 'log-level': 'debug' });
  t.after(() => clients.release());
  await clients.ends();
  await within(system.stop(), 10_000, 'the end of the system');
  const logs = system.stdout + system.stderr + clients.program.stdout + clients.program.stderr;
  assert.match(logs, /level=debug/);
  assert.match(logs, /event=(connected|redirected)/);
  for (const secret of [...all, ...all.map((token) => token.split('.').at(-1)), serviceToken])
    assert.ok(!logs.includes(secret), logs.split('\n').find((line) => line.includes(secret)));
});
