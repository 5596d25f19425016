// A replica takes over, and later its old master again: a number is never used twice, and no loss is silent.
// Set-ups: up-redis, processes.
// CI also: processes, asan. A role may still talk to the old master.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../lib/api.mjs';
import { compareIds } from '../lib/journal.mjs';
import { checkDelivered, startLoad } from '../lib/load.mjs';
import { RedisPair } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const flags = { 'log-entries': 100_000 };
const pair = (t, options) => t.system({ flags, redis: new RedisPair(), ...options });
const lossy = { gaps: ['epoch'], lossy: true };

// Posts until a comment is accepted.
const insist = (system, video, text) => until(() => post(system, video, text), `a post to ${video}`);

// A quiet video: only the test posts to it.
async function quiet(t, system, video) {
  const viewer = await t.watch(await owner(system, video), { video });
  const acknowledged = await postMany(system, video, 10);
  await viewer.reaches(acknowledged.at(-1).id);
  return { video, viewer, acknowledged };
}

function checkQuiet({ viewer, acknowledged }) {
  assert.equal(new Set(acknowledged.map(({ id }) => id)).size, acknowledged.length, 'no number was given twice');
  checkDelivered(viewer, acknowledged, lossy);
}

async function say(system, quiet, text) {
  const comment = await insist(system, quiet.video, text);
  quiet.acknowledged.push(comment);
  await quiet.viewer.wait(({ position }) => compareIds(position, comment.id) >= 0, `${text} at ${comment.id}`);
}

scenario('A is cut off, B promoted, A made its replica, B dies, A is promoted: under load, and with quiet videos', { setups, ms: 90_000 }, async (t) => {
  const system = await pair(t);
  const { redis } = system;
  const { first: a, second: b } = redis;
  const load = await startLoad(t, system);
  const videos = await Promise.all(['calm', 'still'].map((video) => quiet(t, system, video)));
  for (let round = 0; round < 2; round++) {
    redis.cutLink();
    for (const each of videos) await say(system, each, `lost ${round}`);
    await load.more(10); // acknowledged by A, unknown to B
    await b.promote();
    redis.turnTo(b);
    await load.more(5);
    await say(system, videos[0], `B ${round}`);
    await a.replicaOf(b.port);
    await b.kill9();
    await a.promote();
    redis.turnTo(a);
    await load.more(5);
    for (const each of videos) await say(system, each, `A ${round}`);
    await b.start();
    redis.link.turnTo(a.port);
    await b.replicaOf(redis.link.port);
  }
  await system.program.says(/level=warn role=engine event=redis_replaced before=\w+ now=\w+ why="Redis was restarted or failed over"/);
  await load.prove(lossy);
  videos.forEach(checkQuiet);
});

scenario('A is made a replica of B and promoted again, and our connections survive both', { setups, ms: 60_000 }, async (t) => {
  const system = await pair(t);
  const { first: a, second: b, ...redis } = system.redis;
  const videos = await Promise.all(['calm', 'still'].map((video) => quiet(t, system, video)));
  for (let round = 0; round < 3; round++) {
    redis.link.turnTo(1);
    redis.link.cut();
    for (const each of videos) await say(system, each, `lost ${round}`);
    await b.promote();
    await a.replicaOf(b.port); // and takes its data, without what was acknowledged last
    await a.promote();
    for (const each of videos) await say(system, each, `after ${round}`);
    redis.link.turnTo(a.port);
    await b.replicaOf(redis.link.port);
    for (const each of videos) await say(system, each, `more ${round}`);
  }
  videos.forEach(checkQuiet);
});

// A viewer that is away while comments are acknowledged and lost is at the store's position: it has missed them. Another
// reader than the video's own has not seen them either.
async function resumes(t, system, { video, viewer, acknowledged }, from) {
  const [other] = system.others(await owner(system, video));
  const back = await t.watch(other, { video, from, query: { redirect: 'never' } });
  await back.reaches(viewer.position);
  checkDelivered(back, acknowledged.filter(({ id }) => compareIds(id, from) > 0), lossy);
  assert.deepEqual([...new Set(back.gaps.map(({ reason }) => reason))], ['epoch']);
}

scenario('a viewer at exactly the remaining position gets a gap for what it has not seen', { setups }, async (t) => {
  const system = await pair(t);
  const { redis } = system;
  const video = await quiet(t, system, 'v');
  const from = video.viewer.position;
  redis.cutLink();
  for (let i = 0; i < 5; i++) await say(system, video, `lost ${i}`);
  await redis.second.promote();
  redis.turnTo(redis.second);
  await say(system, video, 'after');
  checkQuiet(video);
  await resumes(t, system, video, from);
});

scenario('the same where a comment API that does not know of the loss writes first', { setups: ['processes'] }, async (t) => {
  const system = await pair(t, { comments: 2 });
  const { redis } = system;
  const other = { ...system, comment: system.comments[1] };
  const video = await quiet(t, system, 'v');
  await say(other, video, 'the other one');
  const from = video.viewer.position;
  redis.cutLink();
  for (let i = 0; i < 5; i++) await say(system, video, `lost ${i}`);
  await redis.second.promote();
  redis.turnTo(redis.second);
  // A reader that came back sooner would report the loss to Redis first.
  const readers = system.program.names.filter((name) => name.startsWith('reader')).map((name) => system.program.part(name).child);
  for (const reader of readers) reader.kill('SIGSTOP');
  const first = await insist(other, 'v', 'after').finally(() => readers.forEach((reader) => reader.kill('SIGCONT')));
  video.acknowledged.push(first);
  await video.viewer.wait(({ position }) => compareIds(position, first.id) >= 0, 'the first one after');
  // The entry that announces it has the first number of its epoch.
  await until(async () => (await say(other, video, 'more'), video.viewer.gaps.some(({ to }) => to.endsWith('-1'))), 'the loss to be known');
  for (const by of [system, other]) await say(by, video, 'and more');
  checkQuiet(video);
  await resumes(t, system, video, from);
});
