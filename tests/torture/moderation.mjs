// What moderators did, held against what was shown and accepted afterwards. What Redis has lost since, it may have lost of this, too:
// then texts come back and bans are over.

import { compareIds } from '../integration/lib/journal.mjs';

// moderation: {deletes, bans, rooms, looks, tries, audits} of all moderators (moderators.mjs).
export function checkModeration({ moderation, viewers, listings, lossesMs }, report) {
  if (!moderation) return;
  const { deletes, bans, rooms, looks, tries, audits } = moderation;
  const mayBeLost = (sentMs, untilMs = Infinity) => lossesMs.some(([from, to]) => to >= sentMs && from <= untilMs);

  const deleted = new Map(deletes.filter(({ ackMs, gone }) => ackMs && !gone).map((deed) => [`${deed.video} ${deed.id}`, deed]));
  for (const { video, id, askedMs, shown } of looks) {
    const deed = deleted.get(`${video} ${id}`);
    if (shown && deed?.ackMs <= askedMs && !mayBeLost(deed.sentMs, askedMs + PATIENT_MS)) report('retracted', `${video}: ${id} was deleted at ${deed.ackMs} and listed at ${askedMs}`);
  }
  const lasting = new Map([...deleted].filter(([, { sentMs }]) => !mayBeLost(sentMs)));
  for (const [video, listing] of Object.entries(listings)) {
    for (const { id } of listing) if (lasting.has(`${video} ${id}`)) report('retracted', `${video}: the log has the text of ${id}, which was deleted`);
  }
  for (const { name, video, events, late } of viewers) {
    const shown = new Set();
    for (const { type, id, name: entry, target } of events) {
      if (type === 'comment' && lasting.has(`${video} ${id}`)) shown.add(id);
      if (type === 'entry' && entry === 'retract') shown.delete(target);
      if (type === 'comment' && late && lasting.has(`${video} ${id}`)) report('retracted', `${name} has come at the end, and gets the text of ${id}`);
    }
    for (const id of shown) report('retracted', `${name} has the text of ${id}, and was never told that it was deleted`);
  }

  checkReplays(viewers, deleted, mayBeLost, report);

  const banned = new Map(bans.filter(({ ackMs }) => ackMs).map((deed) => [`${deed.video} ${deed.userid}`, deed]));
  for (const { video, userid, sentMs, comment } of tries) {
    const deed = banned.get(`${video} ${userid}`);
    if (comment && deed?.ackMs <= sentMs && !mayBeLost(deed.sentMs, sentMs + PATIENT_MS)) report('ban', `${userid} of ${video} was banned at ${deed.ackMs}, and ${comment.id} was accepted at ${sentMs}`);
  }
  for (const { video, maxLength, banned: listed } of audits) {
    const set = rooms.filter((deed) => deed.video === video && deed.ackMs).at(-1), names = new Set(listed);
    const late = rooms.some((deed) => deed.video === video && deed.unsure && deed.max_length === maxLength);
    if (set && !late && !mayBeLost(set.sentMs) && set.max_length !== maxLength) report('room', `${video}: max_length is ${maxLength}, and was set to ${set.max_length}`);
    for (const { userid, sentMs, ackMs } of bans.filter((deed) => deed.video === video)) {
      if (ackMs && !mayBeLost(sentMs) && !names.has(userid)) report('ban', `${video}: ${userid} was banned, and is not`);
    }
  }
}

// A reader that has got a retraction resumes no viewer with the text: of what comes up to `newest`, it had all when the stream began.
function checkReplays(viewers, deleted, mayBeLost, report) {
  const numbers = new Map(); // of a comment => of its retraction
  for (const { video, events } of viewers) {
    for (const { name, id, target } of events) if (name === 'retract') numbers.set(`${video} ${target}`, id);
  }
  for (const { name, video, events } of viewers) {
    let newest;
    for (const { type, id, at, newest: upTo } of events) {
      if (type === 'connected') newest = upTo;
      if (type !== 'comment' || !newest || compareIds(id, newest) > 0) continue;
      const key = `${video} ${id}`, number = numbers.get(key), deed = deleted.get(key);
      if (number && deed && compareIds(number, newest) <= 0 && !mayBeLost(deed.sentMs, at)) report('retracted', `${name} resumes up to ${newest} with the text of ${id}, which ${number} took back`);
    }
  }
}

const PATIENT_MS = 8_000; // after which an answer is not waited for

// The numbers of each video that may be shown without a text.
export function removedNumbers(history) {
  const numbers = new Map();
  for (const { video, id } of history.moderation?.deletes ?? []) {
    if (!numbers.has(video)) numbers.set(video, new Set());
    numbers.get(video).add(id);
  }
  return { has: (video, id) => numbers.get(video)?.has(id) ?? false };
}
