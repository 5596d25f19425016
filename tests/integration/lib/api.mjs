// The services, as a client program calls them.
import assert from 'node:assert/strict';
import { Agent, request } from './undici.mjs';
import { compareIds } from './journal.mjs';
import { scaled } from './time.mjs';

// A missing response is to be reported before the scenario's own time is up.
const direct = new Agent({ connections: 64, keepAliveTimeout: 2_000, headersTimeout: scaled(12_000), bodyTimeout: scaled(12_000) });

// With CHORUS_CHECK_API=1 each answer has to be as the system itself describes it.
let description;
async function checkAsDescribed(method, url, answer, dispatcher) {
  const { Description } = await import('./openapi.mjs');
  description ??= await Description.of(new URL(url).origin, { dispatcher });
  description.checkAny(method, url, answer);
}

// {status, headers, text, json}. `json` is sent as a JSON body; `body` as it is. dispatcher: undici's, for servers with TLS.
export async function call(method, url, { json, body = json && JSON.stringify(json), headers = {}, dispatcher = direct } = {}) {
  const types = json === undefined ? {} : { 'content-type': 'application/json' };
  const response = await request(url, { method, body, headers: { ...types, ...headers }, dispatcher });
  const answer = { status: response.statusCode, headers: response.headers, text: await response.body.text() };
  if (/^application\/json\b/.test(answer.headers['content-type'] ?? '') && answer.text) answer.json = JSON.parse(answer.text);
  if (process.env.CHORUS_CHECK_API && !url.endsWith('/openapi.json')) await checkAsDescribed(method, url, answer, dispatcher);
  return answer;
}

async function expectStatus(status, answer) {
  const { status: got, text, json } = await answer;
  assert.equal(got, status, text);
  return json;
}

// The comment as stored: {id, userid, videoid, comment, timestamp}.
export async function post(system, video, comment, { user = 'poster', headers, ...fields } = {}) {
  const json = { userid: user, videoid: video, comment, ...fields };
  return (await expectStatus(201, call('POST', `${system.comment}/comment`, { json, headers, dispatcher: system.dispatcher }))).comment;
}

// Has a service do something to a video: 'DELETE', 'comments/ID'.
export const moderate = (system, video, method, what, json) =>
  expectStatus(204, call(method, `${system.comment}/videos/${encodeURIComponent(video)}/${what}`, { json, dispatcher: system.dispatcher }));

// Posts `count` comments, `atOnce` of them at a time; text(i) makes them. Returns them in the order of their numbers.
export async function postMany(system, video, count, { atOnce = 16, text = (i) => `comment ${i}`, ...rest } = {}) {
  const stored = [];
  let next = 0;
  const poster = async () => {
    while (next < count) stored.push(await post(system, video, text(next++), rest));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, poster));
  return stored.sort((a, b) => compareIds(a.id, b.id));
}

export const register = (system, video) =>
  expectStatus(200, call('POST', `${system.manager}/register`, { json: { videoid: video } }));

export const resolve = (system, video) =>
  expectStatus(200, call('GET', `${system.manager}/resolve/${encodeURIComponent(video)}`));

// The URL of the reader that a video belongs to; registers the video if necessary.
export const owner = async (system, video) => (await register(system, video)).readerUrl;

// So many videos, registered here, that belong to this reader.
export async function videosOf(system, reader, count) {
  const found = [];
  for (let i = 0; found.length < count; i++) if ((await owner(system, `v${i}`)) === reader) found.push(`v${i}`);
  return found;
}

export const statistics = (system) => expectStatus(200, call('GET', `${system.statistics}/statistics`));

export const health = (url) => expectStatus(200, call('GET', `${url}/health`));

// The counters of all readers' /health, summed.
export async function readerFigures(system) {
  const sums = {};
  for (const each of await Promise.all(system.readers.map(health))) {
    for (const [name, value] of Object.entries(each)) if (typeof value === 'number') sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

// How many comments posted had each result, without those that none had.
export async function postResults(system) {
  const { text } = await call('GET', `${system.comment}/metrics`);
  const all = [...text.matchAll(/^chorus_comment_posts_total\{[^}]*result="(\w+)"\} ([1-9]\d*)$/gm)];
  return Object.fromEntries(all.map(([, result, count]) => [result, Number(count)]));
}
