// One video whose viewers come at a pace and are spread over three readers, beside one whose viewers one reader has:
// spread.mjs VIEWERS PER_SECOND ROUNDS. Prints JSON: the viewers of each reader over time, what the viewers have seen, and in rounds
// that take turns the CPU per delivery of the three and of the one.
import { call, post } from '../tests/integration/lib/api.mjs';
import { Clients } from '../tests/integration/lib/clients.mjs';
import { scrape, sum } from '../tests/integration/lib/exposition.mjs';
import { Fleet } from '../tests/integration/lib/fleet.mjs';
import { RedisServer } from '../tests/integration/lib/redis.mjs';
import { pause, until } from '../tests/integration/lib/time.mjs';
import { listenOverflows } from './kernel.mjs';

const [viewers, perSecond, rounds] = process.argv.slice(2).map(Number);
const READERS = 3;
const EACH = viewers / 30; // viewers of a load process
const MOST = (2 * viewers) / 3; // viewers of a reader: at 40 % of it is the mark, and all together need three
const MARK = 0.4 * MOST;
const ROUND_MS = 8_000, SETTLE_MS = 2_000; // of posting, and until what was posted before has arrived
const VIDEO = 'video1'; // that chorus clients watch
const total = (list) => list.reduce((a, b) => a + b, 0);

// A manager, a comment API and readers around a Redis of their own.
class System {
  fleet = new Fleet();
  programs = [];

  async start(readers) {
    this.redis = await new RedisServer().start();
    const part = (name, ...more) => this.fleet.start(name, [name.split('-')[0], '--redis', this.redis.url, '--port', '0', '--instance-id', name, '--log-level', 'warn', ...more], {});
    this.manager = await part('manager-1');
    this.comment = await part('comment-1', '--manager-url', this.manager);
    this.readers = [];
    for (let n = 1; n <= readers; n++)
      this.readers.push(await part(`reader-${n}`, '--workers', '1', '--own-descriptors', '--max-viewers', String(MOST)));
    await until(async () => (await call('GET', `${this.manager}/health`)).json.availableReaderApis === readers, 'the readers');
    return this;
  }

  // More viewers, who never post.
  load(count) {
    const flags = { videos: 1, viewers: count, rate: 0, 'log-level': 'error' };
    this.programs.push(new Clients({ comment: this.comment, manager: this.manager, statistics: 'http://127.0.0.1:9' }, flags).program);
  }

  // Posts `rate` comments a second until the answer is called.
  post(rate) {
    const timer = setInterval(() => post(this, VIDEO, 'x'.repeat(120)).catch(() => this.failed++), 1_000 / rate);
    return () => clearInterval(timer);
  }
  failed = 0;

  async each(...names) {
    const families = await Promise.all(this.readers.map((url) => scrape(url)));
    return names.map((name) => families.map((family) => sum(family, name)));
  }

  // CPU in microseconds, deliveries and sends of all readers.
  async work() {
    const [cpu, deliveries, sends] = await this.each('process_cpu_seconds_total', 'chorus_reader_deliveries_total', 'chorus_reader_sends_total');
    return [1e6 * total(cpu), total(deliveries), total(sends)];
  }
  async measure(rate) {
    const stop = this.post(rate);
    await pause(SETTLE_MS);
    const before = await this.work();
    await pause(ROUND_MS);
    const after = await this.work();
    stop();
    await pause(SETTLE_MS);
    const [us, deliveries, sends] = after.map((value, i) => value - before[i]);
    return { us: us / deliveries, perSend: deliveries / sends, perSecond: (deliveries / ROUND_MS) * 1000 };
  }

  // What the viewers have seen, once they have been stopped.
  async stop() {
    await Promise.all(this.programs.map((program) => program.kill('SIGTERM')));
    const seen = {};
    for (const { stdout } of this.programs)
      for (const [, name, n] of stdout.split('\n').filter((line) => line.startsWith('clients ended')).join(' ').matchAll(/ (\w+)=(\d+)(?=\s|$)/g)) seen[name] = (seen[name] ?? 0) + Number(n);
    return seen;
  }
  async end() {
    await Promise.all(this.programs.map((program) => program.kill('SIGKILL')));
    await this.fleet.kill('SIGKILL');
    await this.redis?.release();
  }
}

// The viewers come; ends once all are there and have stayed where they are for a while.
async function arrive(system) {
  const times = [], found = {};
  const begun = performance.now();
  for (let n = 0; n * EACH < viewers; n++) setTimeout(() => system.load(Math.min(EACH, viewers - n * EACH)), (n * EACH * 1_000) / perSecond);
  for (let quietSince = 0; ;) {
    const [now, moved] = await system.each('chorus_reader_viewers', 'chorus_reader_moved_viewers_total');
    const hot = sum(await scrape(system.manager), 'chorus_manager_hot_readers');
    const at = (performance.now() - begun) / 1000, all = total(now), most = Math.max(...now);
    if (times.length && (all !== total(times.at(-1).now) || total(moved) !== times.at(-1).moved)) quietSince = at;
    times.push({ at, now, moved: total(moved), hot });
    if (most >= MARK) found.mark ??= at;
    if (all >= 2 * MARK) found.mark2 ??= at;
    if (hot >= 2) found.set ??= at;
    if (hot >= READERS) found.set2 ??= at;
    if (now.filter((n) => n >= 100).length >= 2) found.serves ??= at;
    if (now.every((n) => n >= 100)) found.serves2 ??= at;
    if (all >= viewers) found.all ??= at;
    found.even = most <= (1.15 * all) / READERS ? found.even ?? at : undefined;
    if (found.all && at > quietSince + 15) return { times, found };
    if (at > 150) throw new Error(`not all have come: ${now}`);
    await pause(250);
  }
}

const several = new System(), one = new System();
try {
  const dropped = listenOverflows();
  await several.start(READERS);
  await one.start(1);
  const stop = several.post(1);
  const { times, found } = await arrive(several);
  stop();
  for (let n = 0; n < viewers / READERS / EACH; n++) one.load(EACH);
  await until(async () => total((await one.each('chorus_reader_viewers'))[0]) >= viewers / READERS, 'the viewers of one reader', 60_000);
  const cost = [];
  for (let n = 0; n < rounds; n++) cost.push({ one: await one.measure(READERS), several: await several.measure(1) });
  const manager = await scrape(several.manager);
  const flaps = { grown: sum(manager, 'chorus_manager_set_growths_total'), shrunk: sum(manager, 'chorus_manager_set_reductions_total') };
  console.log(JSON.stringify({ viewers, perSecond, mark: MARK, most: MOST, each: EACH, found, times, flaps, cost, dropped: listenOverflows() - dropped,
    failed: several.failed + one.failed, atEnd: (await several.each('chorus_reader_viewers'))[0], seen: await several.stop() }));
} finally {
  await several.end();
  await one.end();
}
