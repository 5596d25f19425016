// A hot video is given to several readers, and taken back from them; no viewer loses, doubles or misses anything.
// Set-ups: embedded, processes.
// CI also: processes. Managers and readers meet in the store alone.
// Long: 15.
import assert from 'node:assert/strict';
import { health, owner, post, register } from '../lib/api.mjs';
import { scrape, sum } from '../lib/exposition.mjs';
import { startLoad } from '../lib/load.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';
import { until } from '../lib/time.mjs';

// 45 of 100 viewers are above the mark, which is 40 %; two readers are enough for them.
const MOST = 100;
const CROWD = 45;
const flags = { 'hot-after-ms': 500, 'cool-after-ms': 1_500, 'max-viewers': MOST, ...(setup === 'embedded' && { 'hot-set': true }) };
const TOO_MANY = setup === 'embedded' ? 30 : 20;
const WAIT_MS = 20_000;

// How many readers serve the only hot video, as the manager says; 0: there is none.
const setReaders = async (system) => sum(await scrape(system.manager), 'chorus_manager_hot_readers');
const viewersAt = async (reader) => (await health(reader)).activeConnections;

// The two readers that have the crowd, once each has its part: of so few viewers, a handful too many stay where they are, and
// more in `up`, whose readers share the room that each says it has.
const evenPair = (system) => until(async () => {
  if (await setReaders(system) !== 2) return false;
  const counts = await Promise.all(system.readers.map(async (reader) => [await viewersAt(reader), reader]));
  const [[most, a], [second, b], [none]] = counts.sort(([x], [y]) => y - x);
  return none === 0 && most + second === CROWD && most <= second + TOO_MANY && [a, b];
}, 'two readers with about as many viewers', WAIT_MS);

scenario('a hot video is spread evenly, and when it cools down nobody is cut', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const first = await owner(system, 'v');
  const load = await startLoad(t, system, { videos: ['v'], posters: 1, viewers: CROWD, everyMs: 50 });
  const members = await evenPair(system);
  assert.ok(members.includes(first), 'the first reader stays');
  const second = members.find((url) => url !== first);
  assert.ok(load.cuts >= 12 && load.cuts <= CROWD, `${load.cuts} viewers have moved`);
  if (system.redis) {
    assert.equal(await system.redis.command('GET', '{video:v}:set'), `1 ${first} ${second}`);
    assert.equal(await system.redis.command('GET', 'video:v:reader'), first, 'for those who know no sets');
  }

  // Newcomers: a member serves them, another reader redirects them to a member.
  const outside = system.readers.find((url) => !members.includes(url));
  assert.ok(members.includes((await register(system, 'v')).readerUrl));
  const guest = await t.watch(outside, { video: 'v' });
  assert.ok(members.includes(guest.url.origin));
  assert.equal(guest.redirects.length, 1);
  const stay = await t.watch(second, { video: 'v' });
  assert.equal(stay.redirects.length, 0);
  await load.more(3);
  await load.prove();

  load.closed = true; // the crowd leaves
  await until(async () => await setReaders(system) === 0, 'one reader', WAIT_MS);
  const { id } = await post(system, 'v', 'after it has cooled down');
  for (const viewer of [stay, guest]) {
    await viewer.reaches(id);
    assert.ok(!viewer.ended, 'nobody is cut');
  }
  assert.ok(await viewersAt(second) >= 1);
  await until(async () => (await register(system, 'v')).readerUrl === first, 'new viewers go to the first one');
});

scenario('a member that dies is replaced, and its viewers resume elsewhere', { setups: ['processes'], ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  const first = await owner(system, 'v');
  const load = await startLoad(t, system, { videos: ['v'], posters: 1, viewers: CROWD, everyMs: 50 });
  const second = (await evenPair(system)).find((url) => url !== first);
  await system.program.end1(`reader-${system.readers.indexOf(second) + 1}`, 'SIGKILL');
  system.readers = system.others(second);
  await until(async () => await setReaders(system) === 2 && (await system.redis.command('GET', '{video:v}:set')).startsWith('2 '), 'another member', WAIT_MS);
  await load.more(10);
  await load.prove();
});
