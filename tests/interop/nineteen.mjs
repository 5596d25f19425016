// The original's nineteen clients, on services of either system.
import assert from 'node:assert/strict';
import { pause, until } from '../integration/lib/time.mjs';
import { post, register, statistics, watch } from './talk.mjs';

const sum = (list, key) => list.reduce((total, entry) => total + entry[key], 0);

// What the clients of each video posted was counted by each of them; `kept` says which of them an original reader keeps,
// `gaps` on which videos a gap may have been announced: their clients take that for a comment.
function addsUp({ totalClients, clients }, kept, gaps) {
  if (totalClients !== 19) return false;
  return ['video1', 'video2', 'video3', 'video4', 'video5', 'video6'].every((video) => {
    const watching = clients.filter(({ videoId }) => videoId === video);
    const posted = sum(watching, 'commentsGenerated');
    const most = posted + (gaps.includes(video) ? 1 : 0);
    const complete = watching.filter(({ commentsConsumed: counted }) => counted >= posted && counted <= most);
    return posted >= watching.length && complete.length >= (kept === 'all' ? watching.length : 1);
  });
}

const summary = ({ clients }) =>
  clients.map((c) => `${c.clientId} on ${c.videoId} at ${c.connectedReader}: ${c.commentsGenerated} posted, ${c.commentsConsumed} counted`).join('\n');

async function waitForSum(service, clients, kept, gaps = []) {
  let document;
  await clients.until(async () => addsUp((document = await statistics(service)).clients, kept, gaps),
    () => `figures that add up; last ${document && summary(document.clients)}`, 40_000);
  return document;
}

// One set-up: which maker each part is of; `readers`: how many, or the maker of each. An original reader keeps only the first viewer of a
// video on Node 16 and later, where a request's `close` comes when its body has been read.
export const setup = (makers, readers = 1) => async (world) => {
  const maker = (role) => makers[role] ?? 'original';
  const service = await world.start('statistics', maker('statistics'));
  const readerMakers = Array.isArray(readers) ? readers : Array(readers).fill(maker('reader'));
  const running = [];
  for (const made of readerMakers) running.push(await world.reader(made));
  await world.start('manager', maker('manager'), { READER_API_URLS: running.map(({ url }) => url).join(',') });
  await world.start('comment', maker('comment'));
  const clients = await world.start('clients', maker('clients'));
  const kept = !readerMakers.includes('original') || world.originalKeepsViewers ? 'all' : 'first';
  await waitForSum(service, clients, kept);
  await clients.until(async () => { // each service reports in its own time
    const document = await statistics(service);
    assert.equal(document.readerApis.totalReaders, running.length);
    assert.ok(document.commentApi.totalComments >= 19, JSON.stringify(document.commentApi));
    assert.equal(document.readerApiManager.registeredVideos, 6);
    return true;
  }, 'the reports of all services');
  if (maker('clients') === 'original') assert.doesNotMatch(clients.output, /error/i);
  else await checkOurClients(clients, kept);
};

async function checkOurClients(clients, kept) {
  await clients.stop('SIGINT');
  clients.may_end = true;
  const line = clients.output.trim().split('\n').filter((text) => text.includes('viewers=')).at(-1);
  const figures = Object.fromEntries([...line.matchAll(/(\w+)=([\d.]+)/g)].map(([, name, value]) => [name, Number(value)]));
  assert.equal(figures.viewers, 19, line);
  assert.equal(figures.failed, 0, line);
  assert.deepEqual([figures.duplicated, figures.out_of_order], [0, 0], line);
  if (kept === 'all') assert.equal(figures.lost, 0, line);
}

const lasting = 40_000;

// Everything is ours but the clients; a viewer and a poster run while they empty Redis.
export async function flushedUnderUs(world) {
  const service = await world.start('statistics', 'chorus');
  const readers = [await world.reader('chorus'), await world.reader('chorus'), await world.reader('chorus')];
  const manager = await world.start('manager', 'chorus');
  const comment = await world.start('comment', 'chorus');
  for (const video of ['other', 'quiet', 'video1']) await register(manager, video);
  const reachable = readers[0];
  const [other, quiet, shared] = [await watch(reachable, 'other'), await watch(reachable, 'quiet'), await watch(reachable, 'video1')];
  const acknowledged = [];
  let posting = true;
  const poster = (async () => {
    for (let i = 0; posting; i++, await pause(50)) acknowledged.push((await post(comment, 'other', `other ${i}`)).comment);
  })();
  poster.catch(() => {}); // reported where it is awaited
  await post(comment, 'video1', 'before');
  await shared.sees('before');
  await until(() => acknowledged.length >= 20, 'comments before the flush');

  const started = Date.now();
  const clients = await world.start('clients', 'original');
  await clients.says(/Starting 19 clients/);
  await until(async () => (await world.redis('hlen', 'readers')) === '3', 'the leases to come back', 3_000);
  const document = await waitForSum(service, clients, 'all', ['video1']);
  assert.equal(document.readerApis.totalReaders, 3);
  await until(() => Date.now() - started > lasting, 'the end of the time', lasting + 5_000);
  const last = await waitForSum(service, clients, 'all', ['video1']);
  assert.ok(last.clients.totalCommentsGenerated >= 3 * 19, JSON.stringify(last.clients.totalCommentsGenerated));

  posting = false;
  await poster;
  await post(comment, 'quiet', 'after');
  await other.sees(acknowledged.at(-1));
  await quiet.sees('after');
  for (const viewer of [other, quiet, shared]) {
    assert.ok(viewer.gaps.length <= 1 && viewer.gaps.every(({ reason }) => reason === 'epoch'), JSON.stringify(viewer.gaps));
  }
  // What the flush deleted may be missing only if a gap announced it; nothing is duplicated or out of order.
  const seen = other.comments.map(({ json }) => json.comment);
  const missing = acknowledged.filter((text) => !seen.includes(text));
  assert.deepEqual(seen, acknowledged.filter((text) => seen.includes(text)));
  if (missing.length) assert.equal(other.gaps.length, 1, `missing without a gap: ${missing}`);
  assert.deepEqual([other.cuts, quiet.cuts], [0, 0], 'no other client wanted these videos, so their streams go on');
  assert.ok(shared.cuts <= 2, `${shared.cuts} cuts: moved once`);
  for (const video of ['video1', 'video6', 'other', 'quiet']) assert.match(await world.redis('get', `video:${video}:reader`), /^http:/);
  assert.doesNotMatch(clients.output, /error|closed|retrying/i);
  world.note = `${acknowledged.length} own comments, ${missing.length} missing under ${other.gaps.length} gap(s), ${shared.cuts} cut(s) of the viewer on video1; clients ${last.clients.totalCommentsGenerated} posted, ${last.clients.totalCommentsConsumed} counted`;
  for (const viewer of [other, quiet, shared]) viewer.close();
}
