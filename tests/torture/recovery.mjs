// How long it takes until nothing shows of a fault, by kind of fault. Pure. Only faults count that no other one came close to.
//   accepted  from the end of the fault until each writer has been answered with 201 again
//   caughtUp  from its end until each viewer has a comment that was posted after it
//   back      from its beginning until a viewer that it has cut has a stream again
import { compareIds } from '../integration/lib/journal.mjs';
import { positionAfter } from './checker.mjs';
import { firstIndex } from './sorted.mjs';

const CUT_BY_IT_MS = 500;

// What is looked up for each fault, in order.
class Timeline {
  constructor(posts, viewers) {
    const answers = new Map(); // of each writer
    for (const { text, answeredMs } of posts) {
      const writer = text.split(' ')[0];
      if (!answers.has(writer)) answers.set(writer, []);
      if (answeredMs !== undefined) answers.get(writer).push(answeredMs);
    }
    this.answers = [...answers.values()].map(sorted);
    this.firsts = new Map([...new Set(viewers.map(({ video }) => video))].map((video) => [video, firstsOf(posts, video)]));
    this.viewers = viewers.map(({ video, events }) => {
      let position;
      return { video, events, positions: events.map((event) => (position = positionAfter(event, position))) };
    });
  }

  acceptedMs({ endedMs }) {
    return Math.max(...this.answers.map((times) => (times[firstIndex(times, (ms) => ms > endedMs)] ?? Infinity) - endedMs));
  }

  caughtUpMs({ endedMs }) {
    return Math.max(...this.viewers.map(({ video, events, positions }) => {
      const sent = this.firsts.get(video), wanted = sent[firstIndex(sent, ({ sentMs }) => sentMs > endedMs)]?.id;
      if (!wanted) return Infinity;
      for (let i = firstIndex(events, ({ at }) => at > endedMs); i < events.length; i++) {
        if (positions[i] && compareIds(positions[i], wanted) >= 0) return events[i].at - endedMs;
      }
      return Infinity;
    }));
  }

  backMs({ beganMs }) {
    return this.viewers.flatMap(({ events }) => {
      const cut = nextOf('cut', events, firstIndex(events, ({ at }) => at >= beganMs), beganMs + CUT_BY_IT_MS);
      const back = cut === undefined ? undefined : nextOf('connected', events, cut);
      return back === undefined ? [] : [events[back].at - beganMs];
    });
  }
}

// The times at which what a video has was sent, and the first number of all that were sent then or later.
function firstsOf(posts, video) {
  const sent = posts.filter((post) => post.video === video && post.comment).map(({ sentMs, comment }) => ({ sentMs, id: comment.id }));
  sent.sort((a, b) => a.sentMs - b.sentMs);
  for (let i = sent.length - 2; i >= 0; i--) if (compareIds(sent[i + 1].id, sent[i].id) < 0) sent[i].id = sent[i + 1].id;
  return sent;
}

// The index of the next event of a type before `endMs`.
function nextOf(wanted, events, from, endMs = Infinity) {
  for (let i = from; i < events.length && events[i].at < endMs; i++) if (events[i].type === wanted) return i;
  return undefined;
}

// Whether each of the faults, which are in the order of their beginnings, was alone until the one after it began, and when that was.
function neighbours(faults) {
  let busyMs = -Infinity;
  return faults.map(({ beganMs, endedMs = Infinity }, i) => {
    const alone = busyMs <= beganMs;
    busyMs = Math.max(busyMs, endedMs);
    return { alone, nextMs: faults[i + 1]?.beganMs ?? Infinity };
  });
}

// {kind: {times, accepted: [ms], caughtUp: [ms], back: [ms]}}
export function recoveries(done, posts, all) {
  const viewers = all.filter(({ late }) => !late); // those that came when all was over
  const found = {}, timeline = new Timeline(posts, viewers);
  const faults = [...done].sort((a, b) => a.beganMs - b.beganMs), near = neighbours(faults);
  for (const [i, fault] of faults.entries()) {
    const { alone, nextMs } = near[i];
    if (fault.error || fault.endedMs === undefined || !alone || nextMs < fault.endedMs) continue;
    const accepted = timeline.acceptedMs(fault), caughtUp = timeline.caughtUpMs(fault);
    const until = fault.endedMs + Math.max(accepted, caughtUp);
    if (until === Infinity || nextMs < until) continue; // the run, or its being alone, has ended before
    const kind = (found[fault.name] ??= { times: 0, accepted: [], caughtUp: [], back: [] });
    kind.times++;
    kind.accepted.push(accepted);
    kind.caughtUp.push(caughtUp);
    kind.back.push(...timeline.backMs(fault));
  }
  return found;
}

const sorted = (list) => [...list].sort((a, b) => a - b);
export const median = (list) => sorted(list)[Math.floor(list.length / 2)];
const figure = (list) => (list.length ? `${Math.round(median(list))} / ${Math.round(Math.max(...list))}` : '-');

// A table in Markdown.
export function tableOf(found) {
  const rows = Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { times, accepted, caughtUp, back }]) => `| ${name} | ${times} | ${figure(accepted)} | ${figure(caughtUp)} | ${back.length} | ${figure(back)} |`);
  return ['| fault | times | accepted again, ms (median / max) | caught up, ms | viewers cut | back, ms |', '| --- | --- | --- | --- | --- | --- |', ...rows].join('\n');
}
