// What moderators set: rooms and bans, by the comment API; and a post as it is answered.
import assert from 'node:assert/strict';
import { call } from './api.mjs';

const address = (system, video, rest) => `${system.comment}/videos/${encodeURIComponent(video)}/${rest}`;

async function done(answer) {
  const { status, text, json } = await answer;
  assert.ok(status === 200 || status === 202, `${status} ${text}`);
  return json;
}

export const getRoom = (system, video, headers) => done(call('GET', address(system, video, 'room'), { headers }));
export const patchRoom = (system, video, json, headers) => done(call('PATCH', address(system, video, 'room'), { json, headers }));
export const ban = (system, video, user, json = {}, headers) => done(call('PUT', address(system, video, `bans/${user}`), { json, headers }));
export const lift = (system, video, user, headers) => done(call('DELETE', address(system, video, `bans/${user}`), { headers }));
export const bans = async (system, video, headers) => (await done(call('GET', address(system, video, 'bans'), { headers }))).bans;

// POST /comment to one of the comment APIs.
export const tryPost = (url, video, user, comment = 'hi', { headers, ...fields } = {}) =>
  call('POST', `${url}/comment`, { json: { userid: user, videoid: video, comment, ...fields }, headers });

// Checks what one is refused by; returns the answer.
export async function refused(answer, status, code) {
  const got = await answer;
  assert.equal(`${got.status} ${got.json?.code}`, `${status} ${code}`, got.text);
  assert.ok(got.json.error.length > 10, got.text);
  return got;
}
export async function accepted(answer) {
  const got = await answer;
  assert.equal(got.status, 201, got.text);
  return got.json.comment;
}

// All comment APIs of the system, of which only some set-ups have several.
export const commentApis = (system) => [...new Set([system.comment, ...system.comments].filter(Boolean))];
export const held = async (system, video, headers) => (await done(call('GET', address(system, video, 'held'), { headers }))).held;
export const decide = (system, video, id, allow, headers) => call('POST', address(system, video, `held/${id}`), { json: { allow }, headers });

// Checks that a comment has to wait; returns what is said about it.
export async function waits(answer, reason) {
  const got = await answer;
  assert.equal(got.status, 202, got.text);
  assert.equal(got.json.held.reason, reason);
  return got.json.held;
}
