// A demo, whose dashboard kills readers: what its page does, as a client.
import assert from 'node:assert/strict';
import net from 'node:net';
import { call } from './api.mjs';
import { until } from './time.mjs';

export const demoToken = async (system) => {
  const { status, json, text } = await call('GET', `${system.statistics}/demo`);
  assert.equal(status, 200, text);
  return json.token;
};

export const tryToKill = async (system, name, { token, headers = {} } = {}) => {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return call('POST', `${system.statistics}/demo/readers/${name}/kill`, { headers: { ...authorization, ...headers } });
};

export const nameOf = (system, reader) => `reader-${system.readers.indexOf(reader) + 1}`;

export async function killReader(system, reader, token) {
  const answer = await tryToKill(system, nameOf(system, reader), { token: token ?? (await demoToken(system)) });
  assert.equal(answer.status, 202, answer.text);
  return answer.json;
}

// Why a connection fails; undefined: it does not.
export const refusal = (url) => new Promise((resolve) => {
  const { hostname: host, port } = new URL(url);
  const socket = net.connect({ host, port: Number(port) });
  socket.once('connect', () => resolve(undefined));
  socket.once('error', ({ code }) => resolve(code));
  socket.once('close', () => socket.destroy());
  socket.once('connect', () => socket.destroy());
});

export const isDown = (reader) => until(async () => (await refusal(reader)) === 'ECONNREFUSED', `${reader} to refuse connections`);
export const isBack = (reader) => until(async () => (await call('GET', `${reader}/ready`)).status === 200, `${reader} to be ready again`, 20_000);
