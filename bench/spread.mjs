// One video whose viewers are spread over three readers: spread.mjs VIEWERS RATE SECONDS. Prints JSON: the viewers of each reader over
// time, what the viewers have seen, and the CPU per delivery of one reader before and of the set after.
import { call } from '../tests/integration/lib/api.mjs';
import { Clients } from '../tests/integration/lib/clients.mjs';
import { scrape, sum } from '../tests/integration/lib/exposition.mjs';
import { Fleet } from '../tests/integration/lib/fleet.mjs';
import { RedisServer } from '../tests/integration/lib/redis.mjs';
import { pause, until } from '../tests/integration/lib/time.mjs';
import { listenOverflows } from './kernel.mjs';

const [viewers, rate, seconds] = process.argv.slice(2).map(Number);
const READERS = 3;
const EACH = 6_000; // viewers of a load process
const HOT_AFTER_MS = 15_000; // in which one reader alone is measured; 3,000 unless told otherwise
const MOST = Math.floor(viewers / 0.65); // viewers of a reader: at 40 % of it is the mark, and all together need three readers
const MARK = Math.ceil(0.4 * MOST);

const redis = await new RedisServer().start();
const fleet = new Fleet();
const programs = [];
try {
  const part = (name, ...more) => fleet.start(name, [name.split('-')[0], '--redis', redis.url, '--port', '0', '--instance-id', name, '--log-level', 'warn', ...more], {});
  const manager = await part('manager-1', '--hot-after-ms', String(HOT_AFTER_MS));
  const comment = await part('comment-1', '--manager-url', manager);
  const readers = [];
  for (let n = 1; n <= READERS; n++)
    readers.push(await part(`reader-${n}`, '--workers', '1', '--own-descriptors', '--max-viewers', String(MOST)));
  await until(async () => (await call('GET', `${manager}/health`)).json.availableReaderApis === READERS, 'the readers');

  const metric = async (url, name) => sum(await scrape(url), name);
  const each = (name) => Promise.all(readers.map((url) => metric(url, name)));
  const total = (list) => list.reduce((a, b) => a + b, 0);
  // CPU in microseconds, and deliveries, of all readers.
  const work = async () => ({ us: 1e6 * total(await each('process_cpu_seconds_total')), deliveries: total(await each('chorus_reader_deliveries_total')) });
  const perDelivery = (a, b) => (b.us - a.us) / (b.deliveries - a.deliveries);

  const begun = performance.now(), dropped = listenOverflows();
  for (let left = viewers; left > 0; left -= EACH) {
    const flags = { videos: 1, viewers: Math.min(left, EACH), rate: left === viewers ? rate : 0, 'log-level': 'error' };
    programs.push(new Clients({ comment, manager, statistics: 'http://127.0.0.1:9' }, flags).program);
  }

  const times = [];
  const found = {};
  let one, set;
  const isEven = (now) => total(now) >= viewers && Math.max(...now) <= (1.15 * total(now)) / READERS;
  for (;;) {
    const at = (performance.now() - begun) / 1000;
    const now = await each('chorus_reader_viewers');
    const hot = await metric(manager, 'chorus_manager_hot_readers');
    times.push([at, ...now]);
    if (!found.mark && Math.max(...now) >= MARK) found.mark = at;
    if (!found.all && total(now) >= viewers) found.all = at;
    if (found.all && !one?.begin && at > found.all + 2) one = { begin: await work() };
    if (one && !found.set) one.end = await work();
    if (!found.set && hot) found.set = at;
    if (found.set && !found.even && isEven(now)) found.even = at;
    if (found.even && !set && at > found.even + 2) set = { begin: await work() };
    if (found.even && at > found.even + seconds) break;
    if (at > 240) throw new Error(`not spread: ${now}`);
    await pause(250);
  }
  set.end = await work();
  const atEnd = await each('chorus_reader_viewers');
  const moved = total(await each('chorus_reader_moved_viewers_total'));
  for (const program of programs) await program.kill('SIGTERM'); // the one that posts first
  const seen = {};
  for (const { stdout } of programs)
    for (const [, name, n] of stdout.split('\n').filter((line) => line.startsWith('clients ended')).join(' ').matchAll(/ (\w+)=(\d+)(?=\s|$)/g)) seen[name] = (seen[name] ?? 0) + Number(n);
  console.log(JSON.stringify({ viewers, rate, found, times, atEnd, seen, moved, dropped: listenOverflows() - dropped, one: one?.end && perDelivery(one.begin, one.end), hotAfterMs: HOT_AFTER_MS, set: perDelivery(set.begin, set.end) }));
} finally {
  await Promise.all(programs.map((program) => program.kill('SIGKILL')));
  await fleet.kill('SIGKILL');
  await redis.release();
}
