// Set-ups: processes, embedded. With a process for each part the socket of one orders the others.
// Orders of operators at a control socket.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { call, owner, post, resolve, videosOf } from '../lib/api.mjs';
import { binary } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { until } from '../lib/time.mjs';

const ctlAt = (socket) => (...words) =>
  new Promise((done) => execFile(binary, ['ctl', ...words, '--control', socket], (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr })));

// A system, and ctl at the socket of `up`, or of its manager.
async function begin(t) {
  const socket = join(t.folder(), 'control.sock');
  const system = await t.system(setup === 'processes' ? { ownFlags: (name) => (name === 'manager' ? { control: socket } : {}) } : { flags: { control: socket } });
  return { system, socket, ctl: ctlAt(socket) };
}
const isAt = (system, ...readers) => until(async () => readers.includes((await resolve(system, 'v')).readerUrl), `the video at ${readers}`);
const rows = async (ctl) => JSON.parse((await ctl('status', '--json')).stdout).readers;

scenario('a video is moved with its viewers, who are told, and miss nothing', async (t) => {
  const { system, ctl } = await begin(t);
  const from = await owner(system, 'v');
  const [to, third] = system.others(from);
  const viewer = await t.watch(from, { video: 'v' });
  const staying = await t.watch(from, { video: 'v', query: { redirect: 'never' } }); // would come back, and be told to go again
  const asking = await fetch(`${from}/connect?userid=u&videoid=v&events=move`);
  let text = '';
  const cut = (async () => { for await (const bytes of asking.body) text += Buffer.from(bytes).toString(); })().catch(() => {});
  await viewer.reaches((await post(system, 'v', 'before')).id);
  const { code, stdout, stderr } = await ctl('move', 'v', to);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^v goes from/);
  await isAt(system, to); // within a second also for parts that have asked just before
  await cut;
  assert.match(text, new RegExp(`event: move\ndata: {"type":"move","reader":"${to}"}\n\n$`));
  await viewer.wait(() => viewer.ended, 'the cut');
  const after = await post(system, 'v', 'after');
  const again = await viewer.again().connect(from);
  t.after(() => again.close());
  assert.equal(new URL(again.redirects[0].headers.location).origin, to);
  await again.reaches(after.id);
  assert.deepEqual([again.comments.length, again.gaps.length], [2, 0]);
  await staying.reaches(after.id);
  assert.ok(!staying.ended);
  assert.match((await ctl('move', 'v', to)).stderr, /has this video already/);
  assert.equal((await ctl('move', 'v')).code, 0, 'to the emptiest other one');
  await isAt(system, from, third);
});

scenario('a reader drains, gets nothing new, and is taken back', async (t) => {
  const { system, ctl } = await begin(t);
  const gone = await owner(system, 'v');
  const viewer = await t.watch(gone, { video: 'v' });
  const name = (await rows(ctl)).find(({ readerUrl }) => readerUrl === gone).instanceId;
  const drained = await ctl('drain', name);
  assert.deepEqual([drained.code, drained.stderr], [0, '']);
  await viewer.wait(() => viewer.ended, 'the cut');
  await isAt(system, ...system.others(gone));
  assert.equal((await call('GET', `${gone}/connect?userid=u&videoid=v`)).status, 307);
  assert.equal((await call('GET', `${gone}/ready`)).status, 503);
  for (let i = 0; i < 4; i++) assert.notEqual(await owner(system, `new${i}`), gone);
  const [second, third] = system.others(gone);
  assert.equal((await ctl('drain', second)).code, 0);
  const last = await ctl('drain', third);
  assert.equal(last.code, 1);
  assert.match(last.stderr, /no other reader/);
  for (const reader of [gone, second]) assert.equal((await ctl('stay', reader)).code, 0);
  assert.equal((await call('GET', `${gone}/ready`)).status, 200);
  await until(async () => (await owner(system, `again${Math.random()}`)) === gone, 'a video for it');
});

scenario('what would be moved is printed, and is none where readers are about even', async (t) => {
  const { system, ctl } = await begin(t);
  const full = await owner(system, 'v0');
  const videos = await videosOf(system, full, 3);
  for (const [i, video] of videos.entries()) for (let n = 0; n <= i; n++) await t.watch(full, { video });
  await until(async () => (await rows(ctl)).some(({ viewers }) => viewers === 6), 'the leases to say so');
  const plan = JSON.parse((await ctl('plan', '--json')).stdout);
  assert.equal(plan.maxOfMeanPercent, 300);
  assert.deepEqual(plan.moves.map(({ videoid, viewers, from }) => [videoid, viewers, from]), [[videos[0], 1, full], [videos[1], 2, full]]);
  assert.match((await ctl('plan')).stdout, new RegExp(`^move ${videos[0]} http`, 'm'));
  assert.equal((await resolve(system, videos[0])).readerUrl, full, 'nothing has been moved');
  assert.match((await ctl('apply')).stdout, /^Where a reader/);
  assert.equal(JSON.parse((await ctl('status', '--json')).stdout).rebalancing, true);
  assert.match((await ctl('stop')).stdout, /^No more/);
});

scenario('what cannot be done is said, with exit code 1; wrong words, with 2', async (t) => {
  const { system, socket, ctl } = await begin(t);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  for (const [words, why] of [[['drain', 'nobody'], /no reader of this name/], [['move', 'nothing'], /No reader has this video/], [['move', 'nothing', 'nobody'], /no reader of this name/]]) {
    const { code, stderr } = await ctl(...words);
    assert.equal(code, 1, stderr);
    assert.match(stderr, why);
  }
  for (const words of [[], ['drain'], ['drain', 'a', 'b'], ['move'], ['move', 'a b'], ['jump'], ['status', 'x']]) assert.equal((await ctl(...words)).code, 2, words.join(' '));
  const nowhere = await ctlAt(`${socket}-none`)('status');
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /no such socket/);
  const full = createServer((connection) => connection.destroy()).listen(`${socket}-full`);
  t.after(() => full.close());
  const refused = await ctlAt(`${socket}-full`)('status');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /has closed the connection/);
  const mute = createServer(() => {}).listen(`${socket}-mute`);
  t.after(() => mute.close());
  const begun = performance.now(), unheard = await ctlAt(`${socket}-mute`)('status', '--timeout-ms', '50');
  assert.ok(performance.now() - begun < 15_000, 'not only after the usual 20 s');
  assert.equal(unheard.code, 1);
  assert.match(unheard.stderr, /does not answer/);
  if (process.getuid()) {
    chmodSync(socket, 0);
    assert.match((await ctl('status')).stderr, /Permission denied/);
  }
  await system.stop();
  assert.ok(!existsSync(socket), 'it is gone with its process');
});
