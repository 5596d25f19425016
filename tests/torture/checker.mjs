// The promise (docs/reliability.md), held against what was recorded of a run. Pure: a history goes in, violations come out.
// A history:
//   posts      [{video, text, keyed, sentMs, answeredMs, comment}], one for each text; comment: as the 201 had it, if there was one
//   viewers    [{name, video, user, exact, all, late, events: [...]}], of all connections of a viewer, in the order in which it saw
//              them (all: it asks for all comments, whatever the readable rate):
//              {type: 'connected', id, asked, newest}   asked: the position it resumed at, if it had one; newest: up to
//                                                    which the stream begins with what it missed
//              {type: 'comment', id, text, whole, more}    whole: the comment's JSON; more: how many before it were left out
//              {type: 'gap', from, to, missed, reason}
//              {type: 'entry', id, name, target, userid}     a retraction and the like
//              {type: 'number', id, more}            of a comment that was deleted; viewers that are not `exact` are not told
//              {type: 'reactions', reactions}        how often of each kind since the last of these
//              {type: 'cut'}                         the stream has ended
//              {type: 'fault', what}                 bytes that no server should send
//              {type: 'note', what}                  for who reads the history
//   listings   {video: [{id, text, whole}]}, the whole log at the end
//   lossesMs   [[from, to]], the times in which the store may have lost what it had acknowledged
//   confirmed  whether a replica had everything that was acknowledged: then none of it is lost, whatever lossesMs says
//   statistics the document at the end; streams: how many were open then
//   rated      the videos that have a readable rate
//   moderation what moderators did (moderation.mjs)
//   ledgers    of each video, at the end, and what a reader had said of it that has ended in order since (ledger.mjs)
// It takes little more than in proportion to the history's length, which after an hour is a million events.
import { compareIds, parseId } from '../integration/lib/journal.mjs';
import { checkLeaver, checkLedgers } from './ledger.mjs';
import { checkModeration, removedNumbers, takenOut } from './moderation.mjs';
import { firstIndex } from './sorted.mjs';

export function check(recorded) {
  const history = { ...recorded, posts: [...recorded.posts, ...recorded.moderation?.tries ?? []], removed: removedNumbers(recorded) };
  const violations = [];
  const report = (rule, what) => violations.push({ rule, what });
  const figures = { acknowledged: history.posts.filter(({ comment }) => comment).length, posts: history.posts.length, delivered: 0, announced: 0 };
  checkOrder(history, report);
  checkNumbers(history, report);
  checkDelivery(history, report, figures);
  checkGaps(history, report);
  checkOnce(history, report);
  checkLog(history, report);
  checkLosses(history, report);
  checkTotals(history, report);
  checkModeration(history, report);
  checkLedgers(history.ledgers ?? [], report, history.rated ?? []);
  checkLeaver(history.leaver, report);
  return { violations, figures };
}

// One order, no duplicate, no hole within an epoch.
function checkOrder({ viewers, removed }, report) {
  for (const { name, video, exact, events } of viewers) {
    let at;
    const seen = new Set(), gone = (id) => removed.has(video, id);
    for (const event of events) {
      const wrong = event.type === 'comment' && seen.has(event.id) ? `${event.id} for the second time`
        : event.type === 'number' && !gone(event.id) ? `${event.id} without a text, which was not deleted`
          : outOfPlace(event, at, exact ? () => false : gone);
      if (wrong) report('order', `${name}: ${wrong}`);
      at = positionAfter(event, at);
      if (event.type === 'comment') seen.add(event.id);
    }
  }
}

export const positionAfter = ({ type, id, to }, before) => ({ connected: id, comment: id, entry: id, number: id, gap: to })[type] ?? before;

// unseen(id): whether the viewer may have passed that number without telling us.
function outOfPlace(event, at, unseen) {
  if (event.type === 'fault') return event.what;
  if (event.type === 'connected') return at !== undefined && passed(at, event.id, unseen) !== event.id && `resumed at ${at}, and the stream starts at ${event.id}`;
  if (['cut', 'note', 'reactions'].includes(event.type)) return undefined;
  if (at === undefined) return `${event.type} before the first event`;
  return event.type === 'gap' ? gapOutOfPlace(event, passed(at, event.from, unseen, -1)) : commentOutOfPlace(event, passed(at, event.id, unseen, -1));
}

// The position up to `to`, or `short` of it, to which a viewer that was at `at` may have come unseen.
function passed(at, to, unseen, short = 0) {
  const { epoch, seq } = parseId(at), last = parseId(to);
  let now = last.epoch === epoch ? seq : 0;
  while (now < last.seq + short && unseen(`${last.epoch}-${now + 1}`)) now++;
  return now ? `${last.epoch}-${now}` : at;
}

// Before it `more` may have been left out for a readable rate.
function commentOutOfPlace({ id, more = 0 }, at) {
  const [was, now] = [parseId(at), parseId(id)];
  if (now.epoch === was.epoch && now.seq > was.seq && now.seq - was.seq - 1 <= more) return undefined;
  if (now.epoch > was.epoch && now.seq - 1 <= more) return undefined;
  return `${id} after ${at}`;
}

function gapOutOfPlace({ from, to, missed, reason }, at) {
  const [was, first, last] = [at, from, to].map(parseId);
  const where = `gap ${reason} ${from} to ${to}, missed ${missed}, after ${at}`;
  if (reason === 'epoch') return missed !== null && where; // it may lead back to what a store that went back still has
  if (compareIds(to, at) <= 0 || compareIds(from, to) > 0) return where;
  if (first.epoch !== was.epoch || first.seq !== was.seq + 1) return where;
  return missed !== (first.epoch === last.epoch ? last.seq - first.seq + 1 : null) && where;
}

// A number is the same comment for all.
function checkNumbers({ posts, viewers, listings }, report) {
  const known = new Map();
  const note = (who, video, id, whole) => {
    const number = `${video} ${id}`;
    const first = known.get(number);
    if (!first) known.set(number, { who, whole });
    else if (first.whole !== whole) report('number', `${number} is ${first.whole} for ${first.who} and ${whole} for ${who}`);
  };
  for (const { video, comment, whole } of posts) if (comment) note('its poster', video, comment.id, whole);
  for (const { name, video, events } of viewers) {
    for (const { type, id, whole, name: entry, target, userid } of events) {
      if (type === 'comment') note(name, video, id, whole);
      if (type === 'entry') note(name, video, id, `${entry} of ${target ?? userid}`);
    }
  }
  for (const [video, listing] of Object.entries(listings)) {
    for (const { id, whole } of listing) note('the log', video, id, whole);
  }
}

// What comments say was left out before them, for a readable rate.
const leftOutOf = (events) => events.filter(({ more }) => more).map(({ id, more }) => {
  const { epoch, seq } = parseId(id);
  return { from: `${epoch}-${seq - more}`, to: `${epoch}-${seq - 1}` };
});

// Acknowledged minus delivered is nothing, or announced, or left out where there is a readable rate: for who has not asked for all,
// and is not the author.
function checkDelivery({ posts, viewers, removed, confirmed, rated = [] }, report, figures) {
  const acknowledged = new Map(viewers.map(({ video }) => [video, []]));
  for (const { comment } of posts) if (comment) acknowledged.get(comment.videoid)?.push(comment);
  const leave = ({ id, userid }, user, name) => {
    figures.leftOut = (figures.leftOut ?? 0) + 1;
    if (userid === user) report('sample', `${name} is not shown ${id}, its own`);
  };
  const announce = ({ id }, name, isLeftOut) => {
    figures.announced++;
    if (confirmed && !isLeftOut) report('confirmed', `${name} was told that ${id} is lost, which a replica has`);
  };
  for (const { name, video, user, all, events } of viewers) {
    const said = events.find(({ more }) => more);
    if (said && (all || !rated.includes(video))) report('sample', `${name} is told that ${said.more} were left out before ${said.id}`);
    const begin = events.find(({ type }) => type === 'connected')?.id;
    const end = events.reduce((at, event) => positionAfter(event, at), undefined);
    const seen = new Set(events.filter(({ type }) => type === 'comment').map(({ id }) => id));
    const gaps = spansOf(events.filter(({ type }) => type === 'gap'));
    const leftOut = spansOf(leftOutOf(events));
    figures.delivered += seen.size;
    for (const comment of acknowledged.get(video)) {
      if (!begin || seen.has(comment.id) || removed.has(video, comment.id) || compareIds(comment.id, begin) <= 0) continue;
      const next = firstIndex(gaps, ({ to }) => compareIds(comment.id, to) <= 0);
      const span = leftOut[firstIndex(leftOut, ({ to }) => compareIds(comment.id, to) <= 0)];
      const isLeftOut = span && compareIds(span.from, comment.id) <= 0;
      if (gaps[next] && compareIds(gaps[next].from, comment.id) <= 0) announce(comment, name, isLeftOut);
      else if (isLeftOut) leave(comment, user, name);
      else report('delivery', `${name} misses ${comment.id} «${comment.comment}», unannounced, at ${end}; gaps about it: ${JSON.stringify(gaps.slice(Math.max(next - 1, 0), next + 1))}`);
    }
  }
}

// The numbers that gaps cover, as spans in order, none of which touches another.
function spansOf(gaps) {
  const spans = [];
  for (const { from, to } of [...gaps].sort((a, b) => compareIds(a.from, b.from))) {
    const last = spans.at(-1);
    if (!last || compareIds(last.to, from) < 0) spans.push({ from, to });
    else if (compareIds(last.to, to) < 0) last.to = to;
  }
  return spans;
}

// What is kept is given: nothing expires within a run, and a store that cannot have lost anything has no loss to announce.
function checkGaps({ viewers, listings, lossesMs }, report) {
  const stored = new Map(Object.entries(listings).map(([video, listing]) => [video, listing.map(({ id }) => id).sort(compareIds)]));
  for (const { name, video, events } of viewers) {
    for (const { type, from, to, reason } of events) {
      if (type !== 'gap') continue;
      const ids = stored.get(video) ?? [];
      const kept = ids[firstIndex(ids, (id) => compareIds(from, id) <= 0)];
      if (reason === 'expired' && kept && compareIds(kept, to) <= 0) report('gap', `${name}: ${from} to ${to} has expired, and the log has ${kept}`);
      if (reason === 'epoch' && !lossesMs.length) report('gap', `${name}: ${from} to ${to} is lost, though nothing can be`);
    }
  }
}

// A text that was posted once, whatever became of the answer, is stored once at most. With a key it was posted until it was
// answered, and is stored once; again only if the log has lost the one before, and with it the key.
function checkOnce({ posts, viewers, listings }, report) {
  const ids = new Map(); // of each text
  const note = (video, text, id) => {
    const key = `${video} ${text}`;
    if (!ids.has(key)) ids.set(key, new Set());
    ids.get(key).add(id);
  };
  for (const { video, text, comment } of posts) if (comment) note(video, text, comment.id);
  for (const { video, events } of viewers) for (const { type, text, id } of events) if (type === 'comment') note(video, text, id);
  for (const [video, listing] of Object.entries(listings)) for (const { text, id } of listing) note(video, text, id);
  const stored = idsOf(listings);
  const sent = new Map(posts.map((post) => [`${post.video} ${post.text}`, post]));
  for (const [key, found] of ids) {
    const post = sent.get(key);
    if (!post) {
      report('once', `«${key}» was never posted`);
      continue;
    }
    const kept = [...found].filter((id) => stored.get(post.video)?.has(id));
    if (found.size > 1 && (!post.keyed || kept.length > 1)) report('once', `«${key}» is stored as ${[...found].sort(compareIds).join(' and ')}`);
  }
}

const idsOf = (listings) => new Map(Object.entries(listings).map(([video, listing]) => [video, new Set(listing.map(({ id }) => id))]));

// The log is in order, and has what was acknowledged after the last time at which the store may have lost something.
function checkLog({ posts, listings, lossesMs, removed, confirmed }, report) {
  for (const [video, listing] of Object.entries(listings)) {
    listing.reduce((before, { id }) => {
      if (before && compareIds(before, id) >= 0) report('log', `${video}: ${id} is listed after ${before}`);
      return id;
    }, undefined);
  }
  const since = confirmed ? 0 : Math.max(0, ...lossesMs.map(([, to]) => to));
  const stored = idsOf(listings);
  for (const { video, comment, sentMs } of posts) {
    if (comment && sentMs > since && stored.has(video) && !stored.get(video).has(comment.id) && !removed.has(video, comment.id)) {
      report('log', `${video}: ${comment.id} «${comment.comment}» was acknowledged, and is not in the log`);
    }
  }
}

// A viewer that has seen what the log then lost gets a gap with reason `epoch` after it.
function checkLosses({ viewers, listings, removed }, report) {
  const stored = idsOf(listings);
  for (const { name, video, events } of viewers) {
    let unannounced;
    for (const { type, id, reason } of events) {
      if (type === 'comment' && stored.has(video) && !stored.get(video).has(id) && !removed.has(video, id)) unannounced ??= id;
      if (type === 'gap' && reason === 'epoch') unannounced = undefined;
    }
    if (unannounced) report('loss', `${name} has seen ${unannounced}, which the log has lost, and no gap followed`);
  }
}

// How many comments are stored: those that are listed, and those that were deleted and are not lost.
export function storedBounds({ listings, moderation, lossesMs }) {
  const listed = sum(Object.values(listings).map(({ length }) => length)), stored = idsOf(listings);
  const deletes = takenOut(moderation).filter(({ video, id }) => !stored.get(video)?.has(id));
  const since = Math.max(0, ...lossesMs.map(([, to]) => to));
  return [listed + deletes.filter(({ ackMs, sentMs, gone }) => ackMs && !gone && sentMs > since).length, listed + deletes.length];
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function checkTotals({ statistics, listings, streams, moderation, lossesMs }, report) {
  if (!statistics) return report('totals', 'the statistics service does not answer');
  const { commentApi, readerApis, storedComments } = statistics;
  const equal = (what, found, expected) => found === expected || report('totals', `${what}: ${found}, and not ${expected}`);
  const [least, most] = storedBounds({ listings, moderation, lossesMs });
  if (!(storedComments.total >= least && storedComments.total <= most)) report('totals', `storedComments.total: ${storedComments.total}, and not ${least} to ${most}`);
  equal('totalComments and the sum of commentsByVideo', commentApi.totalComments, sum(Object.values(commentApi.commentsByVideo)));
  equal('totalActiveConnections and the sum of the readers', readerApis.totalActiveConnections, sum(readerApis.readers.map((each) => each.activeConnections)));
  equal('totalMessagesSent and the sum of the readers', readerApis.totalMessagesSent, sum(readerApis.readers.map((each) => each.messagesSent)));
  equal('totalActiveConnections and the open streams', readerApis.totalActiveConnections, streams);
  return undefined;
}
