// `chorus archive`: a process that keeps what Redis drops, learns of what is deleted, and says what it has missed.
// Set-ups: up-redis.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { call, moderate, post, postMany } from '../lib/api.mjs';
import { scrape, sum } from '../lib/exposition.mjs';
import { Fleet } from '../lib/fleet.mjs';
import { compareIds } from '../lib/journal.mjs';
import { Program, run } from '../lib/process.mjs';
import { RedisPair } from '../lib/redis.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const short = { flags: { 'log-entries': 20, 'log-min-age-ms': 0 }, stable: true };
const seq = (id) => Number(id.split('-')[1]);

async function follow(t, system, flags = {}) {
  const fleet = new Fleet(), data = t.folder();
  const words = { redis: system.redis.url, data, port: 0, ...flags };
  const args = ['archive', ...Object.entries(words).flatMap(([name, value]) => [`--${name}`, String(value)])];
  t.after(() => fleet.kill('SIGTERM'));
  const archive = { fleet, data, url: await fleet.start('archive', args, {}) };
  archive.again = async () => (archive.url = await fleet.again('archive'));
  archive.lines = async (video, query = '') => {
    const { status, text } = await call('GET', `${archive.url}/videos/${video}/replay${query}`);
    return status === 200 ? text.split('\n').slice(0, -1).map((line) => JSON.parse(line)) : [];
  };
  archive.has = (video, id) => until(async () => (await archive.lines(video)).some((line) => line.id === id), `${id} in the archive`);
  return archive;
}

const metric = async (archive, name) => sum(await scrape(archive.url), name);

scenario('what the log drops is archived, across a kill, and what is deleted is not', { ms: 60_000 }, async (t) => {
  const system = await t.system(short);
  const archive = await follow(t, system);
  const early = await post(system, 'v', 'ann was here', { user: 'ann' });
  const comments = await postMany(system, 'v', 8);
  const secret = await post(system, 'v', 'my street is Example Road');
  await archive.has('v', secret.id);
  assert.equal((await call('GET', `${archive.url}/ready`)).status, 200);
  await archive.fleet.end1('archive', 'SIGKILL');
  comments.push(await post(system, 'v', 'while it is away'));
  await moderate(system, 'v', 'DELETE', `comments/${secret.id}`);
  await archive.again();
  for (let i = 0; i < 4; i++) {
    comments.push(...await postMany(system, 'v', 15));
    await archive.has('v', comments.at(-1).id);
  }
  await call('PUT', `${system.comment}/videos/v/bans/ann`, { json: { purge: true } }); // what she said has left the log
  await call('DELETE', `${system.comment}/videos/v/bans/ann`);
  comments.push(await post(system, 'v', 'ann is back', { user: 'ann' }));
  await archive.has('v', comments.at(-1).id);

  const lines = await archive.lines('v');
  assert.deepEqual(lines.map(({ id }) => id && seq(id)), Array.from({ length: 74 }, (_, i) => i + 1), 'each number once');
  assert.match((await call('GET', `${system.comment}/videos/v/replay`)).text, /^\{"t":\d+,"type":"gap"/, 'the log has dropped the first');
  assert.deepEqual(lines.filter(({ type }) => !type).map(({ t: _, ...comment }) => comment), comments);
  assert.deepEqual(lines.filter(({ type }) => type).map(({ type }) => type), ['blank', 'blank', 'retract', 'purge']);
  assert.equal(lines[0].id, early.id);
  assert.ok(!/Example|was here/.test(JSON.stringify(lines)));
  assert.ok(lines.every(({ t: at }, i) => !i || at >= lines[i - 1].t), 'offsets go up');
  assert.deepEqual((await archive.lines('v', `?after=${lines[9].id}&limit=3`)).map(({ id }) => id), lines.slice(10, 13).map(({ id }) => id));

  // What the log does not keep any more is deleted at the archive.
  const [old, other] = comments;
  assert.equal((await call('DELETE', `${system.comment}/videos/v/comments/${old.id}`)).status, 404);
  const { headers: { etag } } = await call('GET', `${archive.url}/videos/v/replay`);
  assert.equal((await call('DELETE', `${archive.url}/videos/v/comments/${old.id}`)).status, 204);
  assert.equal((await call('GET', `${archive.url}/videos/v/replay`, { headers: { 'if-none-match': etag } })).status, 200, 'copies are invalid');
  assert.equal((await archive.lines('v'))[1].type, 'blank');
  assert.equal((await archive.lines('v'))[2].comment, other.comment);
  assert.equal((await call('DELETE', `${archive.url}/videos/v/comments/1-1`)).status, 404);
  const exported = await run(['export', 'v', '--archive', archive.url]);
  assert.deepEqual([exported.code, exported.stdout], [0, (await call('GET', `${archive.url}/videos/v/replay`)).text], exported.stderr);
  const erase = () => run(['erase', 'poster', '--yes', '--comments', system.comment, '--archive', archive.url]);
  const erased = await erase();
  assert.equal(erased.code, 0, erased.stderr);
  assert.match(erased.stdout, /^Comment API .*: erased\. .* videos: 1\.\nArchive \S+: erased\.\n$/);
  assert.deepEqual((await archive.lines('v')).filter(({ type }) => !type).map(({ comment }) => comment), ['ann is back']);
  assert.equal((await call('GET', `${archive.url}/videos/never-seen/replay`)).status, 404);
  assert.equal((await call('GET', `${archive.url}/videos/v/replay?after=${(await archive.lines('v')).at(-1).id}`)).status, 200, 'nothing after the last');
  await archive.fleet.end1('archive');
  assert.equal((await erase()).code, 1, 'the archive cannot be reached');
  const files = readdirSync(archive.data).map((name) => readFileSync(join(archive.data, name), 'latin1')).join('');
  assert.ok(!/Example|was here/.test(files) && files.includes('ann is back'), 'nothing is left in the files');
});

scenario('what it missed is told, and a loss of Redis is survived', { ms: 60_000 }, async (t) => {
  const system = await t.system(short);
  const archive = await follow(t, system);
  const first = await post(system, 'v', 'first');
  await archive.has('v', first.id);
  assert.equal(await metric(archive, 'chorus_archive_missed_entries_total'), 0);
  await archive.fleet.end1('archive', 'SIGTERM');
  const missed = await postMany(system, 'v', 250);
  await archive.again();
  await archive.has('v', missed.at(-1).id);
  const [, gap, next] = await archive.lines('v');
  assert.equal(gap.type, 'gap');
  assert.deepEqual([seq(gap.from), seq(gap.to), gap.missed, gap.reason], [2, seq(next.id) - 1, seq(next.id) - 2, 'expired']);
  assert.equal(await metric(archive, 'chorus_archive_missed_entries_total'), gap.missed);
  assert.equal((await run(['export', 'v', '--archive', archive.url])).code, 3);
  assert.match(archive.fleet.stderr, new RegExp(`missed videoid=v from=${gap.from} to=${gap.to} missed=${gap.missed}`));

  // Also where nothing came after it, a single one, and once.
  await archive.fleet.end1('archive', 'SIGTERM');
  const trimmed = await postMany(system, 'v', 1);
  await system.redis.command('DEL', '{video:v}:log');
  await archive.again();
  const end = await until(async () => (await archive.lines('v')).find(({ to }) => to === trimmed[0].id), 'the gap at the end');
  assert.deepEqual([end.type, end.missed], ['gap', 1]);
  assert.equal(await metric(archive, 'chorus_archive_missed_entries_total'), 1);
  await archive.fleet.end1('archive', 'SIGKILL');
  await archive.again();
  await until(async () => (await call('GET', `${archive.url}/ready`)).status === 200 && !(await metric(archive, 'chorus_archive_waiting_videos')), 'it to have looked');
  assert.equal(await metric(archive, 'chorus_archive_missed_entries_total'), 0);

  const before = await archive.lines('v');
  await system.redis.kill9();
  system.redis.forget();
  await system.redis.start();
  const after = await until(() => post(system, 'v', 'after the loss'), 'a comment to be accepted');
  await archive.has('v', after.id);
  assert.deepEqual((await archive.lines('v')).slice(0, before.length), before, 'what it had is there');

  // Its folder is for nothing else.
  await archive.fleet.end1('archive', 'SIGTERM');
  const ports = ['manager', 'comment', 'statistics'].flatMap((name) => [`--${name}-port`, '0']);
  const { code, stderr } = await new Program(['up', '--data', archive.data, ...ports, '--reader-ports', '0']).ended;
  assert.equal(code, 1);
  const none = await new Program(['archive', '--redis', system.redis.url, '--data', archive.data, '--archive-days', '0', '--port', '0']).ended;
  assert.equal(none.code, 1);
  assert.match(none.stderr, /--archive-days is 0/);
  assert.match(stderr, /chorus\.db is an archive that `chorus archive` writes; choose another data folder/);
});

// Nothing may be written beyond the end of its largest file, as on a full disk.
scenario('its disk is full, and it is killed while it writes: comments go on, and it catches up', { disk: true, ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const archive = await follow(t, system);
  const comments = [await post(system, 'v', 'before')];
  await archive.has('v', comments[0].id);
  const bytes = Math.max(...readdirSync(archive.data).map((name) => statSync(join(archive.data, name)).size));
  archive.fleet.part('archive').limit({ fsize: bytes });
  await until(async () => {
    comments.push(...await postMany(system, 'v', 20, { text: () => 'x'.repeat(1_900) }));
    return await metric(archive, 'chorus_archive_failures_total');
  }, 'the disk to be full');
  assert.ok(await metric(archive, 'chorus_archive_behind_entries') > 0);
  assert.equal((await call('GET', `${archive.url}/ready`)).status, 503);
  assert.ok((await archive.lines('v')).some(({ id }) => id === comments[0].id), 'replays go on');
  assert.match(archive.fleet.stderr, /failing what=write/);
  archive.fleet.part('archive').limit({ fsize: 'unlimited' });
  const caughtUp = async () => {
    await archive.has('v', comments.at(-1).id);
    assert.deepEqual((await archive.lines('v')).map(({ t: _, ...comment }) => comment), comments.sort((a, b) => seq(a.id) - seq(b.id)));
    await until(async () => !(await metric(archive, 'chorus_archive_behind_entries')), 'it to be behind by nothing');
  };
  await caughtUp();
  const posting = postMany(system, 'v', 200);
  comments.push(await post(system, 'v', 'amid those'));
  await archive.fleet.end1('archive', 'SIGKILL');
  comments.push(...await posting);
  await archive.again();
  await caughtUp();
});

scenario('Redis fails over, and back: it keeps what each of them had', { ms: 60_000 }, async (t) => {
  const redis = new RedisPair();
  const system = await t.system({ redis, stable: true });
  const archive = await follow(t, system);
  const { first: a, second: b } = redis;
  const comments = await postMany(system, 'v', 5);
  const insist = async (text) => {
    comments.push(await until(() => post(system, 'v', text), text));
    await archive.has('v', comments.at(-1).id);
  };
  await archive.has('v', comments.at(-1).id);
  redis.cutLink();
  await insist('only A has it');
  await b.promote();
  redis.turnTo(b);
  await insist('B');
  await a.replicaOf(b.port);
  await b.kill9();
  await a.promote();
  redis.turnTo(a);
  await insist('A');
  const lines = await archive.lines('v'), ids = lines.map(({ id }) => id).filter(Boolean);
  assert.deepEqual(ids, [...new Set(ids)].sort(compareIds), 'in order, and once');
  assert.deepEqual(lines.filter(({ type }) => !type).map(({ comment }) => comment), comments.sort((x, y) => compareIds(x.id, y.id)).map(({ comment }) => comment));
  assert.deepEqual(lines.filter(({ type }) => type === 'gap'), [], 'as it has all');
});
