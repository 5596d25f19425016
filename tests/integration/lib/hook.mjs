// A review hook: a service that Chorus asks about each comment. And comments that may be refused.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { once } from 'node:events';
import { call } from './api.mjs';
import { checkError } from './checks.mjs';

// {url, asked, connections, answer}. answer(question, response) returns what is sent as JSON, or answers by itself; it may be
// replaced at any time.
export async function startHook(t, answer = () => ({ action: 'allow' }), { tls } = {}) {
  const hook = { answer, asked: [], connections: 0 };
  const handle = async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    const question = JSON.parse(body);
    hook.asked.push(question);
    const said = hook.answer(question, response);
    if (said && said !== response) response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
  };
  const server = tls ? https.createServer(tls, handle) : http.createServer(handle);
  server.on('connection', () => hook.connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  hook.url = `http${tls ? 's' : ''}://127.0.0.1:${port}/review`;
  hook.stop = () => new Promise((done) => (server.close(done), server.closeAllConnections()));
  hook.restart = async () => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  t.after(() => server.listening && hook.stop());
  return hook;
}

// Flags with which it is asked, and has all the time that a busy machine needs.
export const asking = (hook) => ({ 'review-hook': hook.url, 'review-timeout-ms': 10_000 });

export const send = (system, comment, { headers, dispatcher, ...fields } = {}) =>
  call('POST', `${system.comment}/comment`, { json: { userid: 'ann', videoid: 'v', comment, ...fields }, headers, dispatcher });

export function refused(answer, status, code) {
  checkError(answer, status);
  assert.equal(answer.json.code, code);
}

// The texts of the comments of `v`.
export const newest = async (system) => (await call('GET', `${system.comment}/videos/v/comments`)).json.comments.map(({ comment }) => comment);
