// Viewers that leave a reader for two others: leave.mjs drain|steps|lost VIEWERS RATE COMMENTS. Prints JSON: per second what came to the
// others, what these said they could take on and how many viewers each had; and the delays of the others' own viewers, before and
// beside it. steps: the drain is begun and taken back several times, so that quiet seconds and others alternate.
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, videosOf } from '../tests/integration/lib/api.mjs';
import { scrape, sum } from '../tests/integration/lib/exposition.mjs';
import { Fleet } from '../tests/integration/lib/fleet.mjs';
import { RedisServer } from '../tests/integration/lib/redis.mjs';
import { Program } from '../tests/integration/lib/process.mjs';
import { freePorts } from '../tests/integration/lib/ports.mjs';
import { pause, until } from '../tests/integration/lib/time.mjs';
import { Viewer } from '../tests/integration/lib/viewer.mjs';
import { listenOverflows } from './kernel.mjs';

const how = process.argv[2];
const [viewers, rate, comments] = process.argv.slice(3).map(Number);
const EACH = 12_000; // viewers of a load process
const VIDEOS = 12; // of the reader that they leave
const OTHERS = { videos: 10, viewers: 4, everyMs: 10 }; // of each other reader; a comment every so many ms
const PACE = 0.3;
const STEP = { count: 4, seconds: 3, settleMs: 1_500 };

// The others and what they need on one core, the reader that is left and the viewers on the other, as if on machines of their own.
const core = (n) => (cpus().length > 1 ? ['taskset', '-c', String(n)] : []);
spawnSync('taskset', ['-pc', '0', String(process.pid)]);
const scratch = mkdtempSync(join(tmpdir(), 'chorus-leave-')), socket = join(scratch, 'control');
const redis = await new RedisServer().start();
const fleet = new Fleet();
const ports = await freePorts(3);
const part = (name, port, on, ...more) =>
  fleet.start(name, [name.split('-')[0], '--redis', redis.url, '--port', String(port), '--instance-id', name, '--log-level', 'info', ...more], { under: core(on) });
const reader = (number) =>
  part(`reader-${number}`, ports[number - 1], number === 1 ? 1 : 0, '--own-descriptors', '--connect-rate', String(rate), '--drain-seconds', '300');
const programs = [], own = [];
const posting = [];

const control = (method, path) =>
  new Promise((resolve, reject) => {
    const request = http.request({ socketPath: socket, method, path }, (response) => {
      let text = '';
      response.on('data', (data) => (text += data)).on('end', () => resolve(JSON.parse(text)));
    });
    request.on('error', reject).end();
  });
const metric = async (url, name) => sum(await scrape(url), name);

// The delays of the others' own viewers, from the moment of posting, with that moment.
const delays = [];
async function watchOthers(system, others) {
  const videos = (await Promise.all(others.map((url) => videosOf(system, url, OTHERS.videos)))).flat();
  for (const video of videos)
    for (let i = 0; i < OTHERS.viewers; i++) {
      const viewer = new Viewer({ video, user: `own${i}` });
      await viewer.connect(others[videos.indexOf(video) < OTHERS.videos ? 0 : 1]);
      viewer.body.on('data', (data) => {
        const now = performance.now();
        for (const [, at] of String(data).matchAll(/"comment":"at ([\d.]+)"/g)) delays.push({ at: Number(at), ms: now - Number(at) });
      });
      own.push(viewer);
    }
  commentOn(system, videos, OTHERS.everyMs);
}
// A comment on one of the videos after the other, each with the time at which it was posted.
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
function commentOn(system, videos, everyMs) {
  let n = 0;
  posting.push(setInterval(() => {
    const body = JSON.stringify({ userid: 'poster', videoid: videos[n++ % videos.length], comment: `at ${performance.now()}` });
    const request = http.request(`${system.comment}/comment`, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (response) => response.resume());
    request.on('error', () => {}).end(body);
  }, everyMs));
}
const within = ([from, to]) => delays.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms);
const quantiles = (windows) => {
  const all = windows.flatMap(within).sort((a, b) => a - b);
  return { p50: all[Math.floor(all.length / 2)], p99: all[Math.floor(all.length * 0.99)], deliveries: all.length };
};
const window = async (ms) => {
  const from = performance.now();
  await pause(ms);
  return [from, performance.now()];
};

try {
  const manager = await part('manager-1', 0, 0, '--control', socket);
  const comment = await part('comment-1', 0, 0, '--manager-url', manager);
  const system = { manager, comment };
  const load = (count) =>
    programs.push(new Program(['clients', '--comment-url', comment, '--manager-url', manager, '--statistics-url', 'http://127.0.0.1:9', '--videos', String(VIDEOS), '--viewers', String(count),
      '--rate', '0', '--distribution', 'uniform', '--log-level', 'error'], { under: core(1) }));

  const first = await reader(1);
  await until(async () => (await call('GET', `${manager}/health`)).json.availableReaderApis === 1, 'the reader');
  for (let left = viewers; left > 0; left -= EACH) load(Math.min(left, EACH));
  await until(async () => {
    const failed = programs.find(({ end }) => end);
    if (failed) throw Object.assign(new Error(failed.stderr), { final: true });
    return (await metric(first, 'chorus_reader_viewers')) >= viewers;
  }, 'all viewers', 120_000);
  const others = [await reader(2), await reader(3)];
  await until(async () => (await call('GET', `${manager}/health`)).json.availableReaderApis === 3, 'the others');
  await watchOthers(system, others);
  if (comments) commentOn(system, Array.from({ length: VIDEOS }, (_, i) => `video${i + 1}`), 1000 / comments);
  await pause(how === 'lost' ? 20_000 : 2_000); // for times to reconnect after, which come with heartbeats

  const series = [];
  let last = 0, dropped = listenOverflows(), begun, ended;
  // Looks at all once a second, as exactly as it can, until `done`.
  const follow = async (done) => {
    begun = performance.now();
    for (let n = 1, before = begun; n < 120 && !done(); n++) {
      await pause(begun + n * 1000 - performance.now());
      const now = performance.now();
      const [status, counts] = await Promise.all([control('GET', '/status'), Promise.all(others.map((url) => metric(url, 'chorus_reader_resumed_viewers_total')))]);
      const came = counts[0] + counts[1];
      const connects = status.readers.filter((r) => others.includes(r.readerUrl)).map((r) => r.connects);
      const at = ['reader-1', 'reader-2', 'reader-3'].map((name) => status.readers.find((r) => r.instanceId === name)?.viewers ?? 0);
      series.push({ came: came - last, rate: ((came - last) * 1000) / (now - before), pace: PACE * (connects[0] + connects[1]), viewers: at });
      [last, before] = [came, now];
    }
  };
  const quiet = [], beside = [];
  if (how === 'steps') {
    for (let n = 0; n < STEP.count; n++) {
      quiet.push(await window(STEP.seconds * 1000));
      await control('POST', '/drain?reader=reader-1');
      await pause(STEP.settleMs);
      const counts = await Promise.all(others.map((url) => metric(url, 'chorus_reader_resumed_viewers_total')));
      beside.push(await window(STEP.seconds * 1000));
      await control('POST', '/stay?reader=reader-1');
      const after = await Promise.all(others.map((url) => metric(url, 'chorus_reader_resumed_viewers_total')));
      series.push({ rate: (after[0] + after[1] - counts[0] - counts[1]) / STEP.seconds });
      await pause(STEP.settleMs);
    }
    quiet.push(await window(STEP.seconds * 1000));
  } else {
    quiet.push(await window(5_000));
    const from = performance.now();
    fleet.part('reader-1').kill(how === 'drain' ? 'SIGTERM' : 'SIGKILL').then(() => (ended = (performance.now() - from) / 1000));
    await follow(() => last >= viewers);
    beside.push([from, performance.now()]);
    await pause(3_000);
    quiet.push(await window(5_000));
  }
  const spread = await Promise.all(others.map((url) => metric(url, 'chorus_reader_viewers')));
  console.log(JSON.stringify({ how, viewers, rate, comments, series, ended, dropped: listenOverflows() - dropped, spread, quiet: quantiles(quiet), beside: quantiles(beside),
    each: { quiet: quiet.map((w) => quantiles([w])), beside: beside.map((w) => quantiles([w])) },
    log: fleet.stderr.split('\n').filter((line) => /role=chorus event=draining|drain_cut/.test(line)) }));
} finally {
  posting.forEach(clearInterval);
  for (const viewer of own) viewer.close();
  await Promise.all(programs.map((program) => program.kill('SIGKILL')));
  await fleet.kill('SIGKILL');
  await redis.release();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(0);
