// Viewers that leave a reader for two others: leave.mjs drain|lost VIEWERS RATE. Prints JSON: per second how many came to the
// others, and the delays of their own viewers.
import { call } from '../tests/integration/lib/api.mjs';
import { Clients } from '../tests/integration/lib/clients.mjs';
import { scrape, sum } from '../tests/integration/lib/exposition.mjs';
import { Fleet } from '../tests/integration/lib/fleet.mjs';
import { RedisServer } from '../tests/integration/lib/redis.mjs';
import { freePorts } from '../tests/integration/lib/ports.mjs';
import { pause, until } from '../tests/integration/lib/time.mjs';
import { listenOverflows } from './kernel.mjs';

const [how, viewers, rate] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const EACH = 12_000; // viewers of a load process
const VIDEOS = 12; // of each reader

const redis = await new RedisServer().start();
const fleet = new Fleet();
const [port1, port2, port3] = await freePorts(3);
const part = (name, port, ...more) => fleet.start(name, [name.split('-')[0], '--redis', redis.url, '--port', String(port), '--instance-id', name, '--log-level', 'info', ...more], {});
const reader = (name, port) => part(name, port, '--own-descriptors', '--connect-rate', String(rate), '--drain-seconds', '300');
const programs = [];
try {
  const manager = await part('manager-1', 0);
  const comment = await part('comment-1', 0, '--manager-url', manager);
  const load = (videos, count, perSecond) =>
    programs.push(new Clients({ comment, manager, statistics: 'http://127.0.0.1:9' }, { videos, viewers: count, rate: perSecond, distribution: 'uniform', 'log-level': 'error' }).program);
  const metric = async (url, name) => sum(await scrape(url), name);
  const buckets = async (urls) => {
    const found = new Map();
    for (const url of urls) for (const [, le, n] of (await call('GET', `${url}/metrics`)).text.matchAll(/^chorus_reader_delivery_seconds_bucket\{.*le="([^"]+)"\} (\d+)/gm)) found.set(le, (found.get(le) ?? 0) + Number(n));
    return found;
  };
  // Between two looks, interpolated within its bucket.
  const p99 = (before, after) => {
    const rows = [...after].map(([le, n]) => [le === '+Inf' ? Infinity : Number(le), n - (before.get(le) ?? 0)]).sort((a, b) => a[0] - b[0]);
    const wanted = 0.99 * (rows.at(-1)?.[1] ?? 0);
    let [low, had] = [0, 0];
    for (const [le, n] of rows) {
      if (n >= wanted) return (le === Infinity ? low : low + ((le - low) * (wanted - had)) / (n - had)) * 1000;
      [low, had] = [le, n];
    }
    return 0;
  };

  const first = await reader('reader-1', port1);
  await until(async () => (await call('GET', `${manager}/health`)).json.availableReaderApis === 1, 'the reader');
  for (let left = viewers; left > 0; left -= EACH) load(VIDEOS, Math.min(left, EACH), left === viewers ? 20 : 0);
  await until(async () => (await metric(first, 'chorus_reader_viewers')) >= viewers, 'all viewers', 300_000);
  const others = [await reader('reader-2', port2), await reader('reader-3', port3)];
  await until(async () => (await call('GET', `${manager}/health`)).json.availableReaderApis === 3, 'the others');
  load(3 * VIDEOS, 300, 20); // on videos of the others, too
  await pause(23_000); // for times to reconnect, and a quiet measure
  const quiet = [await buckets(others)];
  await pause(5_000);
  quiet.push(await buckets(others));
  const dropped = listenOverflows(), begun = performance.now(), before = await buckets(others);
  const end = fleet.part('reader-1').kill(how === 'drain' ? 'SIGTERM' : 'SIGKILL');
  const seconds = [];
  let last = 0, ended;
  end.then(() => (ended = performance.now() - begun));
  for (let n = 1; last < viewers && n < 120; n++) {
    await pause(begun + n * 1000 - performance.now());
    const now = (await Promise.all(others.map((url) => metric(url, 'chorus_reader_resumed_viewers_total')))).reduce((a, b) => a + b);
    seconds.push(now - last);
    last = now;
  }
  const back = (performance.now() - begun) / 1000;
  await pause(1_000);
  const spread = await Promise.all(others.map((url) => metric(url, 'chorus_reader_viewers')));
  console.log(JSON.stringify({ how, viewers, rate, seconds, back, ended: ended / 1000, dropped: listenOverflows() - dropped, spread, quietP99: p99(...quiet), p99: p99(before, await buckets(others)),
    log: fleet.stderr.split('\n').filter((line) => /role=chorus event=draining|drain_cut/.test(line)) }));
} finally {
  await Promise.all(programs.map((program) => program.kill('SIGKILL')));
  await fleet.kill('SIGKILL');
  await redis.release();
}
