// Checks that hold for every response of a kind.
import assert from 'node:assert/strict';
import { call } from './api.mjs';

export const anywhere = { 'access-control-allow-origin': '*' };

export function checkCors({ headers }, where) {
  assert.equal(headers['access-control-allow-origin'], '*', `Access-Control-Allow-Origin ${where ?? ''}`);
  assert.equal(headers['access-control-allow-credentials'], undefined, 'not to be mixed with *');
}

// An error in the shape that docs/http-api.md promises. `status`: one, or a list where several would do.
export function checkError(answer, status, where = '') {
  assert.ok(answer, `an answer, not a closed connection ${where}`);
  const expected = [status].flat();
  assert.ok(expected.includes(answer.status), `status ${answer.status}, expected ${expected}: ${answer.text} ${where}`);
  checkCors(answer, where);
  assert.match(answer.headers['content-type'] ?? '', /^application\/json\b/, where);
  assert.match(answer.json.error, /^\S.{4,}$/, `a sentence in "error": ${answer.text} ${where}`);
  assert.match(answer.json.code, /^[a-z][a-z0-9_]*$/, `a stable word in "code": ${answer.text} ${where}`);
  if ([429, 503].includes(answer.status)) assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/, `Retry-After ${where}`);
  if (answer.status === 405) assert.match(answer.headers.allow ?? '', /^[A-Z]+(, ?[A-Z]+)*$/, `Allow ${where}`);
}

export function checkComment(comment, { user, video, text, name }) {
  const expected = { userid: user, videoid: video, comment: text };
  if (name !== undefined) expected.name = name;
  const { id, timestamp, ...rest } = comment;
  assert.deepEqual(rest, expected);
  assert.match(id, /^[1-9]\d*-[1-9]\d*$/);
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000, `a timestamp of now: ${timestamp}`);
}

// Every listening address, by its role.
export const everyPort = (system) => [
  ['manager', system.manager],
  ['comment', system.comment],
  ['statistics', system.statistics],
  ...system.readers.map((url) => ['reader', url]),
];

// All parts are alive, ready and able to accept a comment.
export async function checkHealthy(system) {
  for (const [role, url] of everyPort(system)) {
    assert.equal((await call('GET', `${url}/ready`)).status, 200, `${role} is ready`);
    assert.equal((await call('GET', `${url}/health`)).json.status, 'ready', `${role} is healthy`);
  }
}
