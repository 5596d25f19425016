// The whole set-up in containers, tested from the host. The tests depend on one another, in this order.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { call, post, register, resolve, statistics } from '../integration/lib/api.mjs';
import { until } from '../integration/lib/time.mjs';
import { watch } from '../integration/lib/viewer.mjs';
import { curl, openPage } from '../browser/page.mjs';
import { Project, docker, serviceOf, services, top } from './project.mjs';

const project = await Project.make();
after(() => project.down('-v'));
const took = await project.up();

let byHand = 0; // comments not posted by the clients
const say = async (video, text) => {
  const stored = await post(project, video, text);
  byHand++;
  return stored;
};

const countBy = (list, key) => list.reduce((counts, item) => counts.set(item[key], (counts.get(item[key]) ?? 0) + 1), new Map());
const sum = (list, field) => list.reduce((total, item) => total + item[field], 0);

// The statistics document once all 19 clients are connected and have reported.
const settled = () => until(async () => {
  const document = await statistics(project);
  assert.equal(document.clients.totalClients, 19);
  assert.equal(document.readerApis.totalReaders, 3);
  assert.equal(document.readerApis.totalActiveConnections, 19);
  return document;
}, '19 clients at 3 readers', 60_000);

// A few seconds on an idle machine; a loaded one may take longer, but not as long as when services waited for each other.
test('everything is ready and healthy within seconds after `up`', async (t) => {
  t.diagnostic(`ready after ${took.ready.toFixed(1)} s, healthy after ${took.healthy.toFixed(1)} s`);
  assert.ok(took.ready < 30 && took.healthy < 40, JSON.stringify(took));
});

test('what docs/docker.md asks with curl is answered on the published ports', async () => {
  for (const url of [project.manager, project.comment, project.statistics, ...project.readers]) {
    assert.equal((await call('GET', `${url}/health`)).json?.status, 'ready', url);
  }
  assert.equal((await call('GET', `${project.comment}/statistics`)).status, 200);
  assert.equal((await call('GET', `${project.comment}/`)).status, 200);
});

test('a video is resolved, and a comment posted to it is seen at its public address', async () => {
  await register(project, 'by-hand');
  const { json } = await call('GET', `${project.comment}/resolve/by-hand`);
  assert.match(json.readerUrl, /^http:\/\/reader-api-[123]:4000$/);
  assert.ok(project.readers.includes(json.publicUrl), json.publicUrl);
  const viewer = await watch(json.publicUrl, { video: 'by-hand' });
  const stored = await say('by-hand', 'from the host');
  await viewer.reaches(stored.id);
  assert.equal(viewer.comments.at(-1).comment, 'from the host');
  viewer.close();
});

test('a reader that does not have the video redirects to a public address', async () => {
  const { publicUrl } = await resolve(project, 'by-hand');
  const other = project.readers.find((url) => url !== publicUrl);
  const viewer = await watch(other, { video: 'by-hand' });
  assert.equal(viewer.url.origin, publicUrl);
  viewer.close();
});

test('the comments of all 19 clients arrive', async () => {
  const { clients } = (await settled()).clients;
  const videos = countBy(clients, 'videoId');
  assert.deepEqual([...videos.values()].sort((a, b) => a - b), [1, 1, 1, 3, 3, 10]);
  for (const video of videos.keys()) {
    const users = clients.filter(({ videoId }) => videoId === video).map(({ userId }) => userId);
    const viewer = await watch((await resolve(project, video)).publicUrl, { video });
    const seen = () => new Set(viewer.comments.map(({ userid }) => userid));
    await viewer.wait(() => users.every((user) => seen().has(user)), `comments of ${users}`, 30_000);
    viewer.close();
  }
});

test('the statistics add up', async () => {
  const { commentApi, clients, readerApis, readerApiManager } = await settled();
  assert.equal(Object.values(commentApi.commentsByVideo).reduce((a, b) => a + b, 0), commentApi.totalComments);
  assert.equal(sum(clients.clients, 'commentsGenerated'), clients.totalCommentsGenerated);
  assert.equal(sum(clients.clients, 'commentsConsumed'), clients.totalCommentsConsumed);
  assert.equal(sum(readerApis.readers, 'activeConnections'), 19);
  assert.equal(sum(readerApis.readers, 'messagesSent'), readerApis.totalMessagesSent);
  assert.ok(clients.totalCommentsConsumed >= clients.totalCommentsGenerated, 'each sees at least its own');
  assert.equal(readerApiManager.availableReaderApis, 3);
  assert.equal(readerApiManager.registeredVideos, 7);
  // Reports are up to 5 s old, and the clients post 1.9 comments a second meanwhile.
  const unreported = commentApi.totalComments - byHand - clients.totalCommentsGenerated;
  assert.ok(Math.abs(unreported) <= 19, `${commentApi.totalComments} comments, ${byHand} by hand, ${clients.totalCommentsGenerated} by clients`);
});

test('an EventSource in Chromium shows the comments of clients and one typed by hand', async (t) => {
  const { clients } = (await statistics(project)).clients;
  const [[video]] = [...countBy(clients, 'videoId')].filter(([, count]) => count === 10);
  const page = await openPage(t);
  const { json } = await page.send('GET', `${project.comment}/resolve/${video}`);
  await page.watch(`${json.publicUrl}/connect?userid=chromium&videoid=${video}`);
  const typed = await curl(project, video, 'typed by hand');
  byHand++;
  const users = clients.filter(({ videoId }) => videoId === video).map(({ userId }) => userId);
  await page.wait(({ comments }) => {
    const seen = comments.map(({ userid }) => userid);
    return comments.some(({ id }) => id === typed.id) && users.every((user) => seen.includes(user));
  }, 'comments of all ten, and the one typed', 30_000);
});

test('nothing runs as root, can write to its root or gain a privilege', async () => {
  const containers = await project.containers();
  assert.deepEqual(containers.map(serviceOf).sort(), [...services].sort());
  for (const container of containers) {
    const service = serviceOf(container);
    const { ReadonlyRootfs, CapDrop, SecurityOpt, Privileged } = container.HostConfig;
    assert.deepEqual([service, ReadonlyRootfs, CapDrop, Privileged], [service, true, ['ALL'], false]);
    assert.ok(SecurityOpt.includes('no-new-privileges:true'), service);
    const [, ...processes] = (await docker('top', container.Id, '-eo', 'uid,pid,args')).trim().split('\n');
    assert.ok(processes.length > 0, service);
    for (const line of processes) assert.doesNotMatch(line, /^\s*0\s/, service);
  }
});

test('limits of addresses are on, and neither the services nor their clients have met one', async () => {
  for (const url of [project.manager, project.comment, project.statistics, ...project.readers]) {
    const { metrics } = (await call('GET', `${url}/health`)).json;
    const refused = Object.entries(metrics).filter(([name, count]) => /^chorus_limits_too_many_|^chorus_http_429_/.test(name) && count > 0);
    assert.deepEqual(refused, [], url);
    assert.ok('chorus_limits_too_many_posts_total' in metrics);
  }
});

test('memory and processes of every container are limited, and Redis refuses before its container is full', async () => {
  const containers = await project.containers();
  for (const { HostConfig: { Memory, PidsLimit }, ...container } of containers) {
    const service = serviceOf(container);
    assert.ok(Memory >= 2 ** 28 && Memory <= 2 ** 32, `${service}: memory ${Memory}`);
    assert.ok(PidsLimit >= 64 && PidsLimit <= 4096, `${service}: pids ${PidsLimit}`);
  }
  const redis = containers.find((container) => serviceOf(container) === 'redis');
  const setting = async (name) => (await docker('exec', redis.Id, 'redis-cli', 'config', 'get', name)).trim().split('\n')[1];
  const most = Number(await setting('maxmemory'));
  assert.ok(most > 0 && 2 * most <= redis.HostConfig.Memory, `maxmemory ${most}, its container ${redis.HostConfig.Memory}`);
  assert.equal(await setting('maxmemory-policy'), 'noeviction');
});

test("the seed's command runs the simulation in a container, where nothing is built", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chorus-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(top, 'simulation'), join(folder, 'simulation'), { recursive: true });
  const simulate = (...args) => promisify(execFile)(process.execPath, ['simulation/small_in_memory_simulation.js', ...args], { cwd: folder, env: { ...process.env, CHORUS_BIN: '' } });
  const { stdout, stderr } = await simulate('--readers', '7');
  assert.match(stderr, /^Chorus is not built here, so: docker run --rm \S+ simulate --readers 7$/m);
  assert.match(stdout, /Balance, per reader \(7\)/);
  await simulate('--html', 'page.html');
  assert.match(readFileSync(join(folder, 'page.html'), 'utf8'), /^<!doctype html>/i);
});

test('with the profile `archive` what is posted is archived, exported and erased, in a container with limits', async () => {
  await project.upWith('archive');
  const { id } = await say('by-hand', 'for the archive');
  const replayed = async () => (await call('GET', `${project.archive}/videos/by-hand/replay`)).text;
  await until(async () => (await replayed()).includes(id), 'it in the archive', 60_000);
  const exported = await project.compose('exec', '-T', 'archive', 'chorus', 'export', 'by-hand', '--archive', 'http://127.0.0.1:7000');
  assert.equal(exported, await replayed());
  await post(project, 'by-hand', 'my street', { user: 'bob' });
  byHand++;
  const erased = await project.compose('exec', '-T', 'comment-api', 'chorus', 'erase', 'bob', '--yes', '--archive', 'http://archive:7000');
  assert.match(erased, /^Comment API .*: erased\. Comments: 1,.*\nArchive http:\/\/archive:7000: erased\.$/m);
  const [archive] = (await project.containers()).filter((container) => serviceOf(container) === 'archive');
  assert.deepEqual([archive.HostConfig.ReadonlyRootfs, archive.HostConfig.CapDrop, archive.HostConfig.PidsLimit], [true, ['ALL'], 512]);
  assert.ok(archive.HostConfig.Memory > 0);
});

test('with the profile `observability` a Prometheus scrapes all services, has the alerts, and none of them fires', async () => {
  await project.upWith('archive', 'observability');
  const ask = async (path) => {
    const { json, text } = await call('GET', `${project.prometheus}/api/v1/${path}`);
    assert.equal(json?.status, 'success', text);
    return json.data;
  };
  const up = await until(async () => {
    const { result } = await ask(`query?query=${encodeURIComponent('up{job="chorus"} == 1')}`);
    return result.length === 7 && result;
  }, 'seven targets', 90_000);
  const targets = new Set(up.map(({ metric }) => metric.instance.split(':')[0]));
  assert.deepEqual(targets, new Set([...services.filter((name) => !['redis', 'client'].includes(name)), 'archive']));
  const { result: [viewers] } = await ask('query?query=sum(chorus_reader_viewers)');
  assert.equal(Number(viewers.value[1]), 19);
  const { groups } = await ask('rules');
  assert.ok(groups.flatMap(({ rules }) => rules).length >= 20);
  const { alerts } = await ask('alerts');
  assert.deepEqual(alerts.filter(({ state }) => state === 'firing'), []);
  const [prometheus] = (await project.containers()).filter((container) => serviceOf(container) === 'prometheus');
  assert.equal(prometheus.Config.User, '65532:65532');
  assert.deepEqual([prometheus.HostConfig.ReadonlyRootfs, prometheus.HostConfig.CapDrop], [true, ['ALL']]);
});

test('mappings and comments survive down and up', async () => {
  const before = await register(project, 'by-hand');
  const viewer = await watch(before.publicUrl, { video: 'by-hand' });
  await viewer.reaches((await say('by-hand', 'seen')).id);
  viewer.close();
  const missed = [await say('by-hand', 'missed 1'), await say('by-hand', 'missed 2')];
  await project.down();
  assert.deepEqual(await project.containers(), []);
  await project.up();
  assert.deepEqual(await register(project, 'by-hand'), { ...before, action: 'existing' });
  const again = await viewer.again().connect(before.publicUrl);
  await again.reaches(missed[1].id);
  const next = await say('by-hand', 'after');
  await again.reaches(next.id);
  assert.deepEqual(again.comments.slice(-4).map(({ comment }) => comment), ['seen', 'missed 1', 'missed 2', 'after']);
  assert.deepEqual(again.gaps, []);
  again.close();
  await settled();
});
