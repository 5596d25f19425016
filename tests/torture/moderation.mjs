// What moderators did, held against what was shown and accepted afterwards. What Redis has lost since, it may have lost of this, too:
// then texts come back and bans are over.

import { compareIds } from '../integration/lib/journal.mjs';

// moderation: {deletes, purges, pins, bans, rooms, looks, tries, reactions, audits} of all moderators (moderators.mjs), and {ends,
// escaped} of the one whose video ends (stage.mjs).
export function checkModeration({ moderation, viewers, listings, lossesMs }, report) {
  if (!moderation) return;
  const { bans, rooms, looks, tries, audits } = moderation;
  const mayBeLost = (sentMs, untilMs = Infinity) => lossesMs.some(([from, to]) => to >= sentMs && from <= untilMs);

  const deleted = new Map(takenOut(moderation).filter(({ ackMs, gone }) => ackMs && !gone).map((deed) => [`${deed.video} ${deed.id}`, deed]));
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
    for (const { type, id, name: entry, target, userid } of events) {
      if (type === 'comment' && lasting.has(`${video} ${id}`)) shown.add(id);
      if (type === 'entry' && entry === 'retract') shown.delete(target);
      if (type === 'entry' && entry === 'purge') for (const one of shown) if (lasting.get(`${video} ${one}`).userid === userid) shown.delete(one);
      if (type === 'comment' && late && lasting.has(`${video} ${id}`)) report('retracted', `${name} has come at the end, and gets the text of ${id}`);
    }
    for (const id of shown) report('retracted', `${name} has the text of ${id}, and was never told that it was deleted`);
  }

  checkReplays(viewers, deleted, mayBeLost, report);
  checkPins(moderation, viewers, mayBeLost, report);
  checkNotes(moderation, mayBeLost, report);
  checkReactions(moderation, viewers, report);
  checkEnds(moderation, viewers, mayBeLost, report);

  const banned = new Map(bans.filter(({ ackMs }) => ackMs).map((deed) => [`${deed.video} ${deed.userid}`, deed]));
  for (const { video, userid, sentMs, comment } of tries) {
    const deed = banned.get(`${video} ${userid}`);
    if (comment && deed?.ackMs <= sentMs && !mayBeLost(deed.sentMs, sentMs + PATIENT_MS)) report('ban', `${userid} of ${video} was banned at ${deed.ackMs}, and ${comment.id} was accepted at ${sentMs}`);
  }
  for (const { video, maxLength, rate, wanted, banned: listed } of audits) {
    if (rate !== wanted && !rooms.some((deed) => deed.video === video && mayBeLost(deed.sentMs))) report('room', `${video}: readable_rate is ${rate}, and was set to ${wanted}`);
    const set = rooms.filter((deed) => deed.video === video && deed.ackMs).at(-1), names = new Set(listed);
    const late = rooms.some((deed) => deed.video === video && deed.unsure && deed.max_length === maxLength);
    if (set && !late && !mayBeLost(set.sentMs) && set.max_length !== maxLength) report('room', `${video}: max_length is ${maxLength}, and was set to ${set.max_length}`);
    for (const { userid, sentMs, ackMs } of bans.filter((deed) => deed.video === video)) {
      if (ackMs && !mayBeLost(sentMs) && !names.has(userid)) report('ban', `${video}: ${userid} was banned, and is not`);
    }
  }
}

// Of each video what was pinned last is what each viewer was told last.
function checkPins({ pins = [], deletes }, viewers, mayBeLost, report) {
  const deeds = new Map();
  for (const deed of pins) if (deed.ackMs && !deed.gone) deeds.set(deed.video, deed);
  const removed = new Set(deletes.map(({ video, id }) => `${video} ${id}`));
  for (const { name, video, events } of viewers) {
    const { id, sentMs } = deeds.get(video) ?? {}, told = events.filter(({ name: entry }) => entry === 'pin').at(-1);
    if (!sentMs || !told || removed.has(`${video} ${id}`) || mayBeLost(sentMs)) continue;
    const isBlind = events.some(({ type, at }) => type === 'gap' && at > sentMs), isLate = pins.some((deed) => deed.video === video && deed.unsure && deed.sentMs > sentMs - LATE_MS);
    if (!isBlind && !isLate && told.target !== id) report('pin', `${name} was told last that ${told.target} is pinned, and it is ${id}`);
  }
}

// Of each deed there is a note: the newest ones, as a video keeps 500.
function checkNotes({ deletes, pins = [], audits }, mayBeLost, report) {
  for (const { video, notes } of audits) {
    if (!notes) continue;
    const has = new Set(notes.map(({ what, target }) => `${what} ${target}`));
    const newest = (deeds, what) => deeds.filter((deed) => deed.video === video && deed.ackMs && !deed.gone && !mayBeLost(deed.sentMs)).slice(-20).map(({ id }) => `${what} ${id}`);
    for (const note of [...newest(deletes, 'retract'), ...newest(pins, 'pin')]) if (!has.has(note)) report('audit', `${video}: there is no note of ${note}`);
  }
}

// Each counts once at most.
function checkReactions({ reactions = {} }, viewers, report) {
  for (const { name, video, events } of viewers) {
    const seen = events.reduce((sum, event) => sum + Object.values(event.reactions ?? {}).reduce((all, count) => all + count, 0), 0);
    if (seen > (reactions[video] ?? 0)) report('reactions', `${name} has seen ${seen}, and there were ${reactions[video] ?? 0} at most`);
  }
}

// Comments of a video that is open, and none between its end and its start.
function checkEnds({ escaped = [] }, viewers, mayBeLost, report) {
  for (const { video, text, sinceMs, sentMs, what } of escaped) {
    if (!mayBeLost(sinceMs, sentMs + PATIENT_MS)) report('end', `${video}: «${text}», posted at ${sentMs}: since ${sinceMs} ${what}`);
  }
  for (const { name, video, events } of viewers) {
    let over;
    for (const { type, id, name: entry, reason } of events) {
      if (type === 'comment' && over) report('end', `${name}: ${id} of ${video} after its end, ${over}`);
      if (entry === 'end') over = id;
      if (entry === 'start' || reason === 'epoch') over = undefined;
    }
  }
}

// A reader that has got a retraction resumes no viewer with the text: of what comes up to `newest`, it had all when the stream began.
function checkReplays(viewers, deleted, mayBeLost, report) {
  const numbers = new Map(); // of a comment => of its retraction
  for (const { video, events } of viewers) {
    for (const { name, id, target, userid } of events) {
      if (name === 'retract') numbers.set(`${video} ${target}`, id);
      if (name === 'purge') for (const one of deleted.values()) if (one.video === video && one.userid === userid) numbers.set(`${video} ${one.id}`, id);
    }
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
const LATE_MS = 60_000; // for so long a request without an answer may still be carried out

// The comments that were deleted or purged, as {video, id, sentMs, ackMs}; userid: of whom all were.
export const takenOut = ({ deletes = [], purges = [] } = {}) => [...deletes, ...purges.flatMap(({ ids, ...deed }) => ids.map((id) => ({ ...deed, id })))];

// The numbers of each video that may be shown without a text.
export function removedNumbers(history) {
  const numbers = new Map();
  for (const { video, id } of takenOut(history.moderation)) {
    if (!numbers.has(video)) numbers.set(video, new Set());
    numbers.get(video).add(id);
  }
  return { has: (video, id) => numbers.get(video)?.has(id) ?? false };
}
