// How long it takes until nothing shows of a fault, by kind of fault. Pure. Only faults count that no other one came close to.
//   accepted  from the end of the fault until each writer has been answered with 201 again
//   caughtUp  from its end until each viewer has a comment that was posted after it
//   back      from its beginning until a viewer that it has cut has a stream again
import { compareIds } from '../integration/lib/journal.mjs';
import { positionAfter } from './checker.mjs';

const CUT_BY_IT_MS = 500;

function acceptedMs({ endedMs }, posts) {
  const first = new Map();
  for (const { text, answeredMs } of posts) {
    const writer = text.split(' ')[0];
    if (answeredMs > endedMs) first.set(writer, Math.min(first.get(writer) ?? Infinity, answeredMs - endedMs));
    else first.set(writer, first.get(writer) ?? Infinity);
  }
  return Math.max(...first.values());
}

function caughtUpMs({ endedMs }, posts, viewers) {
  const firsts = new Map(); // of each video
  for (const { video, sentMs, comment } of posts) {
    if (comment && sentMs > endedMs && !(compareIds(firsts.get(video) ?? comment.id, comment.id) < 0)) firsts.set(video, comment.id);
  }
  return Math.max(...viewers.map(({ video, events }) => {
    const wanted = firsts.get(video);
    let at;
    const event = wanted && events.find((each) => (at = positionAfter(each, at)) && each.at > endedMs && compareIds(at, wanted) >= 0);
    return event ? event.at - endedMs : Infinity;
  }));
}

function backMs({ beganMs }, viewers) {
  return viewers.flatMap(({ events }) => {
    const cut = events.findIndex(({ type, at }) => type === 'cut' && at >= beganMs && at < beganMs + CUT_BY_IT_MS);
    const back = cut < 0 ? undefined : events.slice(cut).find(({ type }) => type === 'connected');
    return back ? [back.at - beganMs] : [];
  });
}

// {kind: {times, accepted: [ms], caughtUp: [ms], back: [ms]}}
export function recoveries(faults, posts, viewers) {
  const found = {};
  for (const [i, fault] of faults.entries()) {
    if (fault.error || fault.endedMs === undefined) continue;
    const accepted = acceptedMs(fault, posts), caughtUp = caughtUpMs(fault, posts, viewers);
    const until = fault.endedMs + Math.max(accepted, caughtUp);
    if (until === Infinity) continue; // the run has ended before
    if (faults.some((other, j) => j !== i && other.beganMs < until && (other.endedMs ?? Infinity) > fault.beganMs)) continue;
    const kind = (found[fault.name] ??= { times: 0, accepted: [], caughtUp: [], back: [] });
    kind.times++;
    kind.accepted.push(accepted);
    kind.caughtUp.push(caughtUp);
    kind.back.push(...backMs(fault, viewers));
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
