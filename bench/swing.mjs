// Viewers of one video whose number swings by 30 % around the mark at which it gets more readers: swing.mjs MINUTES PERIOD_SECONDS.
// Prints JSON: how often the set has changed, and what the viewers have seen.
import { call } from '../tests/integration/lib/api.mjs';
import { Clients } from '../tests/integration/lib/clients.mjs';
import { scrape, sum } from '../tests/integration/lib/exposition.mjs';
import { Fleet } from '../tests/integration/lib/fleet.mjs';
import { RedisServer } from '../tests/integration/lib/redis.mjs';
import { pause, until } from '../tests/integration/lib/time.mjs';

const [minutes, period] = process.argv.slice(2).map(Number);
const READERS = 3, MOST = 1_000, MARK = 0.4 * MOST;
const EACH = 10; // viewers of a load process

const redis = await new RedisServer().start();
const fleet = new Fleet();
const programs = [], ended = [];
try {
  const part = (name, ...more) => fleet.start(name, [name.split('-')[0], '--redis', redis.url, '--port', '0', '--instance-id', name, '--log-level', 'warn', ...more], {});
  const manager = await part('manager-1');
  const comment = await part('comment-1', '--manager-url', manager);
  const readers = [];
  for (let n = 1; n <= READERS; n++) readers.push(await part(`reader-${n}`, '--workers', '1', '--max-viewers', String(MOST)));
  await until(async () => (await call('GET', `${manager}/health`)).json.availableReaderApis === READERS, 'the readers');

  const load = (rate) => new Clients({ comment, manager, statistics: 'http://127.0.0.1:9' }, { videos: 1, viewers: EACH, rate, 'log-level': 'error' }).program;
  programs.push(load(2));
  const begun = performance.now(), sizes = [];
  let [least, most] = [Infinity, 0];
  for (let at = 0; at < minutes * 60; at = (performance.now() - begun) / 1000) {
    const wanted = Math.round((MARK * (1 + 0.3 * Math.sin((2 * Math.PI * at) / period))) / EACH);
    while (programs.length < wanted) programs.push(load(0));
    while (programs.length > wanted) ended.push(programs.splice(1, 1)[0].kill('SIGTERM'));
    await pause(500);
    const families = await scrape(manager);
    const viewers = (await Promise.all(readers.map(async (url) => sum(await scrape(url), 'chorus_reader_viewers')))).reduce((a, b) => a + b);
    const size = sum(families, 'chorus_manager_hot_readers') || 1;
    if (at > period) [least, most] = [Math.min(least, viewers), Math.max(most, viewers)];
    if (size !== sizes.at(-1)?.size) sizes.push({ at, size });
  }
  const families = await scrape(manager);
  const ends = await Promise.all([...ended, ...programs.map((program) => program.kill('SIGTERM'))]);
  const seen = {};
  for (const { stdout } of ends)
    for (const [, name, n] of (stdout.split('\n').filter((line) => line.startsWith('clients ended')).at(-1) ?? '').matchAll(/ (\w+)=(\d+)(?=\s|$)/g)) seen[name] = (seen[name] ?? 0) + Number(n);
  console.log(JSON.stringify({ minutes, period, mark: MARK, least, most, sizes, grown: sum(families, 'chorus_manager_set_growths_total'), shrunk: sum(families, 'chorus_manager_set_reductions_total'), seen }));
} finally {
  await Promise.all(programs.map((program) => program.kill('SIGKILL')));
  await fleet.kill('SIGKILL');
  await redis.release();
}
