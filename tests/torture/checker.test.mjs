// Histories that are broken in one place each: the checker must find that, and nothing in one that is sound.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bigHistory } from './big.mjs';
import { check } from './checker.mjs';
import { recoveries } from './recovery.mjs';

const comment = (id, text) => ({ id, userid: 'u', videoid: 'v', comment: text, timestamp: '2026-01-01T00:00:00.000Z' });
const seen = (id, text) => ({ type: 'comment', id, text, whole: JSON.stringify(comment(id, text)) });
const listed = (id, text) => ({ id, text, whole: JSON.stringify(comment(id, text)) });
const post = (id, text, more) => ({
  video: 'v', text, keyed: false, sentMs: 1, answeredMs: 2, ...(id && { comment: comment(id, text), whole: JSON.stringify(comment(id, text)) }), ...more,
});
const connected = (id, asked) => ({ type: 'connected', id, asked });
const cut = { type: 'cut' };

const sums = (due, more) => ({ closes: true, due, delivered: due, sampled: 0, dropped: 0, retracted: 0, waiting: 0, unknown: 0, ...more });
// Of a reader that lives, and one that was killed.
const ledger = (due, more) => ({
  ...sums(due + 7, { delivered: due + 4, unknown: 3 }),
  readers: [{ instanceId: 'a', ended: false, viewers: 2, ...sums(due, more) }, { instanceId: 'b', ended: true, viewers: 1, ...sums(7, { delivered: 4, unknown: 3 }) }],
});

// Two viewers, one of which was cut; the third post was not answered, and is stored.
const sound = () => ({
  posts: [post('5-1', 'a'), post('5-2', 'b'), post(undefined, 'c'), post('5-4', 'd')],
  viewers: [
    { name: 'steady', video: 'v', events: [connected('5-0'), seen('5-1', 'a'), seen('5-2', 'b'), seen('5-3', 'c'), seen('5-4', 'd')] },
    { name: 'cut', video: 'v', events: [connected('5-0'), seen('5-1', 'a'), cut, connected('5-1', '5-1'), seen('5-2', 'b'), seen('5-3', 'c'), seen('5-4', 'd')] },
  ],
  listings: { v: [listed('5-1', 'a'), listed('5-2', 'b'), listed('5-3', 'c'), listed('5-4', 'd')] },
  lossesMs: [],
  statistics: {
    commentApi: { totalComments: 3, commentsByVideo: { v: 3 } },
    readerApis: { totalActiveConnections: 2, totalMessagesSent: 8, readers: [{ activeConnections: 2, messagesSent: 8 }, { activeConnections: 0, messagesSent: 0 }] },
    storedComments: { total: 4 },
  },
  streams: 2,
  ledgers: [{ video: 'v', ended: ['b'], before: ledger(20), after: ledger(26), comments: 3, viewers: 2 }],
});

// The store has lost 5-3 and 5-4 once both viewers had seen them; `d` had a key, was not answered, and is stored again.
const lossy = () => {
  const gap = { type: 'gap', from: '5-3', to: '6-1', missed: null, reason: 'epoch' };
  const history = sound();
  history.posts = [post('5-1', 'a'), post('5-2', 'b'), post('5-3', 'c'), post('6-2', 'd', { keyed: true, sentMs: 15 }), post('6-3', 'e', { sentMs: 25 })];
  for (const { events } of history.viewers) events.push({ ...gap, from: '5-5' }, seen('6-2', 'd'), seen('6-3', 'e'));
  history.viewers.push({ name: 'slower', video: 'v', events: [connected('5-0'), seen('5-1', 'a'), seen('5-2', 'b'), gap, seen('6-2', 'd'), seen('6-3', 'e')] });
  history.listings.v = [listed('5-1', 'a'), listed('5-2', 'b'), listed('6-2', 'd'), listed('6-3', 'e')];
  history.lossesMs = [[10, 20]];
  history.streams = 2;
  return history;
};

const rulesOf = (history) => [...new Set(check(history).violations.map(({ rule }) => rule))].sort();

test('a sound history passes', () => {
  assert.deepEqual(check(sound()).violations, []);
  assert.deepEqual(check(sound()).figures, { acknowledged: 3, posts: 4, delivered: 8, announced: 0 });
});
test('so does one in which the store has lost something, and said so', () => {
  assert.deepEqual(check(lossy()).violations, []);
  assert.equal(check(lossy()).figures.announced, 1);
});

test('a loss of what no replica had confirmed is none of what was acknowledged', () => {
  const history = { ...lossy(), confirmed: true };
  history.posts = history.posts.filter(({ text }) => text !== 'c').concat(post(undefined, 'c'));
  assert.deepEqual(check(history).violations, []);
});

function broken(name, rules, change, of = sound) {
  test(`found: ${name}`, () => {
    const history = of();
    change(history, history.viewers[0].events, history.viewers[1].events);
    assert.deepEqual(rulesOf(history), rules.sort());
  });
}

broken('a comment that one viewer never got', ['delivery', 'order'], (_, events) => events.splice(2, 1));
broken('the last comment, which one viewer never got', ['delivery'], (_, events) => events.pop());
broken('a comment twice', ['order'], (_, events) => events.splice(2, 0, events[1]));
broken('two comments in the wrong order', ['order'], (_, events) => events.splice(1, 2, events[2], events[1]));
broken('a comment of an earlier epoch', ['loss', 'once', 'order'], (_, events) => events.push(seen('4-1', 'd')));
broken('a hole where a viewer resumed', ['delivery', 'order'], (_, __, events) => events.splice(4, 1));
broken('a stream that starts after the position asked for', ['order'], (_, __, events) => (events[3] = connected('5-2', '5-1')));
broken('a comment before the first event', ['order'], (_, events) => events.shift());
broken('a number with two texts, at viewers', ['number', 'once'], (_, events) => (events[2] = seen('5-2', 'x')));
broken('a number with two texts, in its answer', ['number', 'once'], (history) => (history.posts[1] = post('5-2', 'x')));
broken('a text that differs in the log', ['number'], (history) => (history.listings.v[1].whole = history.listings.v[1].whole.replace('"u"', '"w"')));
broken('a lost answer, stored twice', ['once', 'totals'], (history) => {
  for (const { events } of history.viewers) events.push(seen('5-5', 'c'));
  history.listings.v.push(listed('5-5', 'c'));
});
broken('a key, stored twice', ['once', 'totals'], (history) => {
  history.posts[0].keyed = true;
  for (const { events } of history.viewers) events.push(seen('5-5', 'a'));
  history.listings.v.push(listed('5-5', 'a'));
});
broken('a text that was never posted', ['once', 'totals'], (history) => {
  for (const { events } of history.viewers) events.push(seen('5-5', 'forged'));
  history.listings.v.push(listed('5-5', 'forged'));
});
broken('an acknowledged comment that is nowhere', ['delivery', 'log'], (history) => history.posts.push(post('5-5', 'e')));
broken('one that is shown, and not in the log', ['log', 'loss', 'totals'], (history) => history.listings.v.pop());
broken('a log out of order', ['log'], (history) => history.listings.v.reverse());
broken('a gap that covers less than it has to', ['delivery', 'order'], (_, events) => events.splice(2, 2, { type: 'gap', from: '5-3', to: '5-3', missed: 1, reason: 'slow' }));
broken('more left out than is said', ['delivery', 'order'], (history, events) => (history.rated = ['v']) && events.splice(2, 3, { ...seen('5-4', 'd'), more: 1 }));
broken('a gap that miscounts', ['order'], (_, events) => events.splice(2, 2, { type: 'gap', from: '5-2', to: '5-3', missed: 1, reason: 'slow' }));
broken('a gap over what the log has', ['gap'], (_, events) => events.splice(2, 1, { type: 'gap', from: '5-2', to: '5-2', missed: 1, reason: 'expired' }));
broken('a loss that is announced where nothing can be lost', ['gap'], (_, events) => events.push({ type: 'gap', from: '5-5', to: '6-1', missed: null, reason: 'epoch' }));
broken('a loss of what a replica had confirmed', ['confirmed', 'log'], (history) => (history.confirmed = true), lossy);
broken('a gap that goes back, and comments that are shown again after it', ['gap', 'order'], (_, events) => events.push({ type: 'gap', from: '5-1', to: '5-2', missed: null, reason: 'epoch' }, seen('5-3', 'c'), seen('5-4', 'd')));
broken('bytes that no server should send', ['order'], (_, events) => events.push({ type: 'fault', what: 'a CR' }));
broken('a stored total that is too low', ['totals'], (history) => history.statistics.storedComments.total--);
broken('comments of videos that do not add up', ['totals'], (history) => (history.statistics.commentApi.commentsByVideo.v = 2));
broken('readers that do not add up', ['totals'], (history) => (history.statistics.readerApis.readers[0].messagesSent = 7));
broken('statistics that nothing answered with', ['totals'], (history) => delete history.statistics);
broken('a viewer that no reader counts', ['totals'], (history) => history.streams++);

// 5-2 and 5-3 were left out for a readable rate.
const sampled = () => {
  const history = { ...sound(), rated: ['v'] };
  for (const { events } of history.viewers) {
    events.splice(events.findIndex(({ id }) => id === '5-2'), 2);
    events.find(({ id }) => id === '5-4').more = 2;
  }
  return history;
};
test('a history passes in which comments say what was left out', () => {
  assert.deepEqual(check(sampled()).violations, []);
  assert.ok(check(sampled()).figures.leftOut > 0);
});
broken('something left out of a video that has no readable rate', ['sample'], (history) => (history.rated = []), sampled);
broken('something left out for one that asks for all', ['sample'], ({ viewers: [viewer] }) => (viewer.all = true), sampled);
broken('a comment left out for its author', ['sample'], ({ viewers: [viewer] }) => (viewer.user = 'u'), sampled);
test('so does one in which the first of an epoch are left out', () => {
  const history = sampled();
  for (const { events } of history.viewers) events.push({ ...seen('6-3', 'g'), more: 2 });
  history.posts.push(post('6-1', 'e'), post('6-2', 'f'), post('6-3', 'g'));
  history.listings.v.push(listed('6-1', 'e'), listed('6-2', 'f'), listed('6-3', 'g'));
  history.statistics.storedComments.total += 3;
  assert.deepEqual(check(history).violations, []);
  history.viewers[0].events.at(-1).more = 1;
  assert.deepEqual(rulesOf(history), ['delivery', 'order']);
});

const brokenLedger = (name, change) => broken(name, ['ledger'], ({ ledgers: [both] }) => change(both, both.after));
brokenLedger('a pair that has got lost', (_, after) => (after.readers[0].delivered = 25));
brokenLedger('a pair of the whole fleet that has got lost', (_, after) => after.dropped++);
brokenLedger('a ledger that does not close', (_, after) => (after.readers[0].closes = false));
brokenLedger('a pair that never comes to anything', (both) => (both.after = ledger(26, { delivered: 25, waiting: 1 })));
brokenLedger('something unknown of a reader that lives', (both) => (both.after = ledger(26, { delivered: 25, unknown: 1 })));
brokenLedger('a life that has ended, of a reader that lives', (both) => (both.ended = []));
brokenLedger('a comment that was not due to a viewer', (both) => (both.after = ledger(25)));
brokenLedger('a life that is counted twice', (both) => (both.after = ledger(52)));
brokenLedger('a viewer that no ledger has', (_, after) => (after.readers[0].viewers = 1));
brokenLedger('pairs that are sampled where there is no readable rate', ({ before, after }) => {
  for (const all of [before, after]) for (const row of [all, all.readers[0]]) Object.assign(row, { delivered: row.delivered - 1, sampled: 1 });
});
broken('a pair that was left out, and counts as delivered', ['ledger'], ({ ledgers: [both] }) => Object.assign(both, { before: ledger(20), after: ledger(26), shown: 4 }), sampled);
test('what was left out is in a ledger that is right', () => {
  const history = sampled();
  Object.assign(history.ledgers[0], { before: ledger(20), after: ledger(26, { delivered: 24, sampled: 2 }), shown: 4 });
  for (const sum of [history.ledgers[0].after]) Object.assign(sum, { delivered: sum.delivered - 2, sampled: 2 });
  assert.deepEqual(check(history).violations, []);
});
const leaving = (row) => ({ reader: 'a', rows: [{ instanceId: 'a', ended: true, viewers: 0, ...sums(20), ...row }] });
test('a reader may end in order', () => assert.deepEqual(check({ ...sound(), leaver: leaving() }).violations, []));
for (const [name, row] of [['leaves something unknown', { due: 21, unknown: 1 }], ['leaves viewers', { viewers: 1 }], ['has not said so', { ended: false }], ['leaves a pair without a trace', { due: 21 }]]) {
  broken(`a reader that ends in order and ${name}`, ['ledger'], (history) => (history.leaver = leaving(row)));
}
brokenLedger('a video without a ledger', (both) => delete both.after);

// `b` was deleted once `steady` had it; `cut` came back after that, and gets its number alone; `page` does not hear of such numbers.
const retract = { type: 'entry', id: '5-5', name: 'retract', target: '5-2' };
const moderated = () => {
  const history = sound();
  const [steady, cut] = history.viewers;
  steady.exact = cut.exact = true;
  steady.events.push(retract);
  cut.events.splice(4, 1, { type: 'number', id: '5-2' });
  cut.events.push(retract);
  const page = { name: 'page', video: 'v', exact: false, events: [connected('5-0'), seen('5-1', 'a'), seen('5-3', 'c'), seen('5-4', 'd'), retract] };
  const late = { name: 'late', video: 'v', exact: true, late: true, events: structuredClone(cut.events.slice(3)) };
  history.viewers.push(page, late);
  history.listings.v.splice(1, 1);
  history.moderation = {
    deletes: [{ video: 'v', id: '5-2', sentMs: 40, ackMs: 45 }], bans: [{ video: 'v', userid: 'g', sentMs: 50, ackMs: 55 }],
    rooms: [{ video: 'v', max_length: 7, sentMs: 60, ackMs: 65 }, { video: 'v', max_length: 8, sentMs: 70, ackMs: 75 }],
    looks: [{ video: 'v', id: '5-2', askedMs: 50, shown: false }], tries: [{ video: 'v', userid: 'g', text: 'g 1', sentMs: 60, status: 403 }],
    audits: [{ video: 'v', maxLength: 8, banned: ['g'] }],
  };
  return history;
};
// Of 5-1 and what `p` wrote, 5-3, which `cut` had not seen yet, all was purged as 5-6, and 5-4 was pinned as 5-7.
const purge = { type: 'entry', id: '5-6', name: 'purge', userid: 'p' }, pin = { type: 'entry', id: '5-7', name: 'pin', target: '5-4' };
const purged = () => {
  const history = moderated();
  for (const { events, name } of history.viewers) {
    events.push(purge, { ...pin, at: 90 });
    const at = events.findIndex(({ id }) => id === '5-3');
    if (name === 'cut' || name === 'late') events[at] = { type: 'number', id: '5-3' };
  }
  history.listings.v.splice(1, 1);
  history.moderation.purges = [{ video: 'v', userid: 'p', ids: ['5-3'], sentMs: 80, ackMs: 85 }];
  history.moderation.pins = [{ video: 'v', id: null, sentMs: 86, ackMs: 87 }, { video: 'v', id: '5-4', sentMs: 88, ackMs: 89 }, { video: 'v', id: '5-9', sentMs: 89, ackMs: 90, gone: true }];
  history.moderation.reactions = { v: 3 };
  history.moderation.audits[0].notes = [{ what: 'retract', target: '5-2' }, { what: 'pin', target: '5-4' }, { what: 'pin', target: null }];
  history.moderation.ends = history.moderation.escaped = [];
  history.viewers[0].events.push({ type: 'reactions', reactions: { heart: 2, clap: 1 } });
  return history;
};
// Redis may have lost all of that.
const moderatedAndLost = () => ({ ...moderated(), lossesMs: [[30, 90]] });

test('a moderated history passes', () => assert.deepEqual(check(moderated()).violations, []));
test('so does one with purges, pins and reactions', () => assert.deepEqual(check(purged()).violations, []));
const escape = (what) => ({ moderation }) => (moderation.escaped = [{ video: 'v', text: 'x', sinceMs: 40, sentMs: 50, what }]);
for (const [name, rules, change] of [
  ['what was purged, in the log', ['retracted'], ({ listings }) => listings.v.splice(1, 0, listed('5-3', 'c'))],
  ['another pin than the last', ['pin'], ({ moderation: { pins: [, last], audits: [{ notes }] } }) => (last.id = notes[1].target = '5-1')],
  ['a deed without a note', ['audit'], ({ moderation }) => moderation.audits[0].notes.shift()],
  ['a pin without a note', ['audit'], ({ moderation }) => moderation.audits[0].notes.pop()],
  ['a comment that did not wait', ['end'], escape('comments were held, and it was accepted')],
  ['a readable rate that has gone', ['room'], ({ moderation: { audits: [audit] } }) => Object.assign(audit, { rate: 0, wanted: 5 })],
]) {
  broken(name, rules, change, purged);
  test(`but may be lost: ${name}`, () => {
    const history = { ...purged(), lossesMs: [[30, 95]] };
    change(history);
    assert.deepEqual(rulesOf(history).filter((rule) => rules.includes(rule)), []);
  });
}
broken('a viewer that is not told of a purge', ['order', 'retracted'], (_, events) => events.splice(events.indexOf(purge), 1), purged);
broken('what was purged, for one that comes late', ['retracted'], ({ viewers }) => (viewers[3].events[2] = seen('5-3', 'c')), purged);
broken('a viewer that resumes behind a purge with the text', ['retracted'], ({ viewers: [, { events }] }) => {
  events[3] = { ...events[3], newest: '5-6' };
  events[5] = seen('5-3', 'c');
}, purged);
broken('more reactions than there were', ['reactions'], (_, events) => (events.at(-1).reactions.clap = 2), purged);
broken('a comment of one who is not to notice that it is not shown', ['loss', 'once'], (_, events) => events.push(seen('5-8', 'shadow 1')), purged);
// With what came between.
const ended = (...between) => {
  const history = purged();
  const seq = 9 + between.length, id = `5-${seq}`;
  for (const { events } of history.viewers) events.push({ type: 'entry', id: '5-8', name: 'end' }, ...between, seen(id, 'e'));
  history.posts.push(post(id, 'e'));
  history.listings.v.push(listed(id, 'e'));
  history.statistics.storedComments.total++;
  return history;
};
broken('a comment after the end', ['end'], () => {}, ended);
test('it may come after the next start', () => assert.deepEqual(check(ended({ type: 'entry', id: '5-9', name: 'start' })).violations, []));
test('so does one in which a setting without an answer was made after all', () => {
  const history = moderated();
  history.moderation.audits[0].maxLength = 7;
  assert.deepEqual(check(history).violations.map(({ rule }) => rule), ['room']);
  history.moderation.rooms[0].unsure = true;
  assert.deepEqual(check(history).violations, []);
});

for (const [name, rules, change] of [
  ['a text that was deleted, in the log', ['retracted'], ({ listings }) => listings.v.splice(1, 0, listed('5-2', 'b'))],
  ['a text that was deleted, in a page that was asked for afterwards', ['retracted'], ({ moderation }) => (moderation.looks[0].shown = true)],
  ['a banned user whose post is accepted', ['ban', 'delivery', 'log'], ({ moderation: { tries: [attempt] } }) => Object.assign(attempt, { comment: comment('5-9', 'g 1'), whole: '' })],
  ['a ban that is gone', ['ban'], ({ moderation }) => (moderation.audits[0].banned = [])],
  ['a setting that has gone back', ['room'], ({ moderation }) => (moderation.audits[0].maxLength = 7)],
]) {
  broken(name, rules, change, moderated);
  test(`but may be lost: ${name}`, () => {
    const history = moderatedAndLost();
    change(history);
    assert.deepEqual(rulesOf(history).filter((rule) => ['retracted', 'ban', 'room'].includes(rule)), []);
  });
}
broken('a viewer that is not told of a deletion', ['retracted'], (_, events) => events.pop(), moderated);
broken('a text that was deleted, for one that comes late', ['retracted'], ({ viewers }) => (viewers[3].events[1] = seen('5-2', 'b')), moderated);
broken('a viewer that resumes behind a retraction with the text', ['retracted'], ({ viewers: [, { events }] }) => {
  events[3] = { ...events[3], newest: '5-5' };
  events[4] = seen('5-2', 'b');
}, moderated);
test('one that resumes where its reader has not got the retraction yet gets the text, and then that', () => {
  const history = moderated(), { events } = history.viewers[1];
  events[3] = { ...events[3], newest: '5-4' };
  events[4] = seen('5-2', 'b');
  assert.deepEqual(check(history).violations, []);
});
broken('a number without a text that nobody deleted', ['delivery', 'order'], ({ viewers }) => (viewers[3].events[3] = { type: 'number', id: '5-4' }), moderated);
broken('a hole at a viewer that does not hear of deleted numbers', ['delivery', 'order'], ({ viewers }) => viewers[2].events.splice(3, 1), moderated);
broken('a hole of a deleted number at a viewer that hears of them', ['order'], ({ viewers }) => viewers[1].events.splice(4, 1), moderated);
broken('a retraction of two comments with one number', ['number'], ({ viewers }) => (viewers[3].events[4] = { ...retract, target: '5-4' }), moderated);
broken('a deleted comment that is not counted', ['totals'], ({ statistics }) => statistics.storedComments.total--, moderated);

broken('a loss without a gap for a viewer that has seen what was lost', ['loss', 'order'], (_, events) => events.splice(5, 1), lossy);
broken('a loss without a gap for a viewer that has not seen it', ['delivery', 'order'], ({ viewers }) => viewers[2].events.splice(3, 1), lossy);
broken('a number used again after a loss', ['loss', 'number', 'order'], ({ viewers }) => {
  for (const { events } of viewers) events.push(seen('5-3', 'd'));
}, lossy);
broken('something lost when nothing could be', ['log'], (history) => (history.lossesMs = [[10, 12]]) && (history.posts[2].sentMs = 15), lossy);
broken('without a key, stored again after a loss', ['once'], (history) => (history.posts[3].keyed = false), lossy);

// CPU time, the least of three.
function judgingMs(epochs) {
  const { faults, ...history } = bigHistory(epochs);
  return Math.min(...Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    const { violations, figures } = check(history);
    assert.deepEqual([violations, figures.announced], [[], 5 * (epochs - 1)]);
    assert.equal(recoveries(faults, history.posts, history.viewers).failover.times, epochs - 1);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  }));
}

// Where one is looked up in all of the other, 16 times the history takes 256 times as long.
test('a long history is judged in proportion to its length', () => {
  judgingMs(50);
  const [short, long] = [judgingMs(50), judgingMs(800)];
  assert.ok(long < 16 * 4 * short, `${long} ms of CPU, and ${short} ms for a 16th of it`);
});
