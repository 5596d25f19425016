// One run of the torture, from its start to the verdict: tests/torture/run says how it is called.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { call } from '../integration/lib/api.mjs';
import { compareIds } from '../integration/lib/journal.mjs';
import { pause, until, within } from '../integration/lib/time.mjs';
import { check, storedBounds } from './checker.mjs';
import { engines, faultsOf, measuredOnly } from './faults/all.mjs';
import { keep, kept } from './kept.mjs';
import { leave, settledLedger } from './ledger.mjs';
import { startModerators } from './moderators.mjs';
import { Nemesis } from './nemesis.mjs';
import { PATIENCE_MS } from './part.mjs';
import { recoveries, tableOf } from './recovery.mjs';
import { startStage } from './stage.mjs';
import { canonical, startAsking, startCrowd, startLate, startPatient, startSampled, startViewers } from './viewers.mjs';
import { World } from './world.mjs';
import { startWriters } from './writers.mjs';

// STAGE is the one that ends; RATES: of comments a second that viewers are shown.
const VIDEOS = ['one', 'two', 'three'], STAGE = 'stage', RATES = { three: 5 }, MORE = 5, MODERATED_MS = 400, LATE = 1_000, CROWD = 20, STORY = 80;
const { values: options } = parseArgs({ options: {
  engine: { type: 'string', default: 'redis' }, minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' },
  faults: { type: 'string' }, alone: { type: 'boolean' }, keep: { type: 'string' }, list: { type: 'boolean' }, every: { type: 'string', default: '60' },
  hot: { type: 'string', default: 'by-seed' }, confirm: { type: 'string', default: 'by-seed' }, viewers: { type: 'string', default: '1' }, table: { type: 'string' }, judge: { type: 'string' },
} });

if (!engines.includes(options.engine)) throw new Error(`no such engine: ${options.engine}; they are ${engines.join(', ')}`);
// By the seed where the store promotes replicas by itself, elsewhere only if it is asked for.
const bySeed = ['cluster', 'sentinel'].includes(options.engine);
const chosenBy = (value, share) => (value === 'by-seed' ? bySeed && Number(options.seed) % share === 0 : value === 'yes');
const hot = chosenBy(options.hot, 2), confirm = chosenBy(options.confirm, 3) ? 1 : 0;
const known = faultsOf(options.engine, { hot }), wanted = options.faults?.split(',');
if (options.list) {
  for (const { name, why } of known) console.log(name, why ? `(skipped: ${why})` : '');
  process.exit();
}
for (const name of wanted ?? []) if (![...known, ...measuredOnly].some((fault) => fault.name === name)) throw new Error(`no such fault: ${name}; --list names them`);
const chosen = wanted ? [...known, ...measuredOnly].filter(({ name }) => wanted.includes(name)) : known;
const faults = chosen.filter(({ why }) => !why), skipped = chosen.filter(({ why }) => why);

const ms = Number(options.minutes) * 60_000;
const world = new World({ engine: options.engine, clocks: faults.some(({ name }) => name === 'clock'), drains: !options.alone, hot, confirm, diskMb: 160 + 30 * Math.ceil(ms / 60_000) });
const say = (text) => console.log(`${(world.nowMs / 1000).toFixed(2).padStart(8)} ${text}`);
let viewers = [], writers = [], moderators = [], stage = [], late = [], nemesis, leaver;

const highest = (video) => [...writers, ...stage].filter((writer) => writer.video === video && writer.last).map(({ last }) => last.comment.id).sort(compareIds).at(-1);
const lagging = () => viewers.filter(({ video, position }) => !position || (highest(video) && compareIds(position, highest(video)) < 0));
const reached = (probe, what) => until(probe, what, PATIENCE_MS);

// Each writer is answered again, and each viewer has what was posted since.
async function recovered() {
  const before = new Map(writers.map((writer) => [writer, writer.posts.length + 2]));
  await reached(() => writers.every((writer) => writer.posts.length > before.get(writer) && writer.last), 'comments to be accepted');
  const goals = new Map(VIDEOS.map((video) => [video, highest(video)]));
  await reached(() => viewers.filter(({ video }) => goals.has(video)).every(({ video, position }) => position && compareIds(position, goals.get(video)) >= 0),
    () => `viewers to catch up: ${lagging().map(({ name, position, video }) => `${name} at ${position} before ${highest(video)}`)}`);
}

const caughtUp = () => reached(() => lagging().length === 0, () => `viewers to have everything: ${lagging().map(({ name, position }) => `${name} at ${position}`)}`);

// The whole log of a video.
async function listing(video) {
  const listed = [];
  for (let after = '1-0', more = true; more;) {
    const { json } = await reached(async () => {
      const answer = await call('GET', `${world.comments[0]}/videos/${video}/comments?limit=200&after=${after}`);
      return answer.status === 200 && answer;
    }, `the log of ${video}`);
    listed.push(...json.comments);
    more = json.more;
    after = listed.at(-1)?.id ?? after;
  }
  return listed;
}

// The statistics once every part has reported; as they are if they never add up.
async function settledStatistics([least, most]) {
  let json;
  const adds = async () => {
    ({ json } = await call('GET', `${world.statistics}/statistics`));
    return json.storedComments.total >= least && json.storedComments.total <= most && json.readerApis.totalActiveConnections === viewers.length;
  };
  await until(adds, 'the statistics to add up', PATIENCE_MS / 2).catch(() => {});
  return json;
}

const videos = () => [...VIDEOS, ...stage.map(({ video }) => video)];

// Those that deal with what moderators do.
function startModeration() {
  const more = [startAsking(world, VIDEOS[0]), ...Object.keys(RATES).flatMap((video) => startSampled(world, video)), ...startPatient(world, STAGE)];
  viewers.push(...more);
  moderators = startModerators(world, VIDEOS, writers, { everyMs: MODERATED_MS, rates: RATES });
  stage = [startStage(world, { video: STAGE, everyMs: MODERATED_MS, seed: VIDEOS.length })];
  return reached(() => more.every(({ position }) => position), 'the viewers of what is moderated to be connected');
}

// A reaction that is seen, now that nothing is lost.
async function reactionSeen() {
  const viewer = viewers.find(({ query }) => query.events), seen = () => viewer.events.some(({ reactions }) => reactions?.last);
  for (let tries = 0; !seen(); tries++) {
    await moderators[0].react('last');
    await until(seen, 'a reaction', 3_000).catch((error) => { if (tries > 3) throw error; });
  }
}

// What the ledger of each video is, and what it is after a few more comments.
async function ledgersAtTheEnd() {
  const found = [];
  for (const video of videos()) {
    const watching = viewers.filter((viewer) => viewer.video === video), writer = [...stage, ...writers].find((each) => each.video === video && each.keyed !== false);
    const seen = () => watching.reduce((sum, { events }) => sum + events.filter(({ type }) => type === 'comment').length, 0);
    const before = await settledLedger(world, video, watching.length), had = seen();
    for (let i = 0; i < MORE; i++) await writer.post(`after ${i}`);
    await caughtUp();
    found.push({ video, ended: world.endedServices, before, after: await settledLedger(world, video, watching.length), comments: MORE, viewers: watching.length, shown: seen() - had });
  }
  return found;
}

async function torture() {
  await world.open();
  world.viewers = viewers = startViewers(world, VIDEOS, { each: Number(options.viewers), retry: options.alone });
  if (hot) viewers.push(...startCrowd(world, VIDEOS[0], CROWD));
  await reached(() => viewers.every(({ position }) => position), 'all viewers to be connected');
  writers = startWriters(world, VIDEOS, Number(options.every));
  await recovered();
  if (!options.alone) await startModeration();
  nemesis = new Nemesis(world, { faults, seed: options.seed, say, recovered: options.alone ? recovered : undefined });
  say(`seed ${options.seed}: ${faults.length} kinds of faults, ${skipped.length} skipped${hot ? '; a crowd' : ''}${confirm ? '; comments are confirmed' : ''}`);
  await nemesis.run(ms);
  await world.heal();
  const healedMs = world.nowMs;
  await recovered();
  for (const those of [[...moderators, ...stage], writers]) await within(Promise.all(those.map((each) => each.stop())), PATIENCE_MS, 'what they were doing to be answered');
  await caughtUp();
  say(`all have everything ${Math.round(world.nowMs - healedMs)} ms after the last fault`);

  if (moderators.length) await reactionSeen();
  const ledgers = await ledgersAtTheEnd();
  const listings = {};
  for (const video of videos()) listings[video] = (await listing(video)).map((json) => ({ id: json.id, text: json.comment, whole: canonical(json) }));
  const statistics = await settledStatistics(storedBounds({ ...historySoFar(), listings }));
  const audits = await Promise.all(moderators.map((moderator) => moderator.audit()));
  late = startLate(world, Object.fromEntries(videos().map((video) => [video, listings[video].at(-LATE)?.id ?? listings[video][0].id])));
  await reached(() => late.every(({ video, position }) => compareIds(position, highest(video)) >= 0), 'those that come late to have everything');
  leaver = await leave(world, VIDEOS);
  const history = historySoFar();
  return { ...history, listings, statistics, ledgers, moderation: { ...history.moderation, audits } };
}

// What it has of a history by now.
function historySoFar() {
  const posts = [...writers, ...stage].flatMap((writer) => writer.posts), sum = (field) => writers.reduce((total, writer) => total + writer[field], 0);
  const moderation = {};
  for (const field of ['deletes', 'purges', 'pins', 'bans', 'rooms', 'looks', 'tries']) moderation[field] = moderators.flatMap((moderator) => moderator[field]);
  for (const field of ['ends', 'escaped']) moderation[field] = stage.flatMap((each) => each[field]);
  moderation.reactions = Object.fromEntries(moderators.map(({ video, reactions }) => [video, reactions]));
  const seen = [...viewers, ...late].map((viewer) => viewer.seen);
  return { faults: nemesis?.done ?? [], posts, viewers: seen, confirmed: confirm > 0, lossesMs: world.lossesMs, moderation, leaver, rated: moderators.length ? Object.keys(RATES) : [],
    streams: viewers.length, answers: [...writers, ...moderators, ...stage].flatMap(({ faults: found }) => found), crashes: world.crashes, complaints: world.complaints, refused: sum('refused'), unanswered: sum('unanswered') };
}

function report(history) {
  const { violations, figures } = check(history);
  for (const what of history.answers) violations.push({ rule: 'answer', what });
  for (const what of history.crashes) violations.push({ rule: 'crash', what });
  for (const what of history.complaints ?? []) violations.push({ rule: 'log line', what });
  for (const { name, on, error } of history.faults.filter(({ late }) => late)) violations.push({ rule: 'fault', what: `${name} (${on}): ${error}` });
  const cuts = history.viewers.flatMap(({ events }) => events).filter(({ type }) => type === 'cut').length;
  const table = tableOf(recoveries(history.faults, history.posts, history.viewers));
  console.log(`\n${table}\n`);
  if (options.table) writeFileSync(options.table, `${table}\n`);
  for (const { name, why } of skipped) console.log(`skipped: ${name}: ${why}`);
  console.log(`${history.faults.length} faults, ${skipped.length} kinds skipped, ${cuts} streams cut; ${figures.posts} comments, ${figures.acknowledged} acknowledged, `
    + `${history.refused} times 503, ${history.unanswered} times no answer; ${figures.delivered} delivered, ${figures.announced} announced as lost`);
  const { deletes, purges, pins, bans, rooms, ends, reactions } = history.moderation ?? {};
  if (deletes?.length) {
    console.log(`${deletes.length} comments deleted, ${bans.length} users banned, ${purges?.length} of them purged, ${pins?.length} pins, ${rooms.length} settings changed, `
      + `${ends?.length} ends, ${Object.values(reactions ?? {}).reduce((all, one) => all + one, 0)} reactions; ${figures.leftOut ?? 0} left out for a readable rate`);
  }
  return violations;
}

// What a viewer was sent, for who has no more than this output: successive comments are one line.
function storyOf({ name, events }) {
  const lines = [];
  let run;
  for (const { type, at, id, ...rest } of events) {
    if (type === 'comment' && run) [run.to, run.count] = [id, run.count + 1];
    else if (type === 'comment') lines.push((run = { at, from: id, to: id, count: 1 }));
    else lines.push({ at, type, id, ...rest }), (run = undefined);
  }
  return [`${name} was sent:`, ...lines.slice(0, STORY).map((line) => `  ${JSON.stringify(line)}`)].join('\n');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
let violations, history;
try {
  history = options.judge ? await kept(options.judge) : await torture();
  if (options.keep) keep(options.keep, history);
  violations = report(history);
} catch (error) {
  if (options.keep) keep(options.keep, historySoFar());
  violations = [{ rule: 'end', what: `${error.stack}\n${world.crashes.join('\n')}` }];
}
for (const each of [...viewers, ...late, ...moderators, ...stage, ...writers, world]) await Promise.race([each.close(), pause(2_000)]);
for (const { rule, what } of violations.slice(0, 20)) console.log(`${rule}: ${what}`);
const wronged = history?.viewers.find(({ name }) => violations.some(({ what }) => what.startsWith(`${name}:`) || what.startsWith(`${name} `)));
if (wronged) console.log(storyOf(wronged));
console.log(violations.length ? `seed ${options.seed}: ${violations.length} violations` : `seed ${options.seed}: the promise held`);
process.exit(violations.length ? 1 : 0);
