// Processes of an earlier version and of this one around one Redis, as while a fleet is upgraded or goes back.
// Set-ups: processes.
// Needs: earlier. The program that stores and publishes log entries as text.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, owner, post } from '../lib/api.mjs';
import { Journal, compareIds, parseId } from '../lib/journal.mjs';
import { startLoad } from '../lib/load.mjs';
import { binary } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const earlier = join(dirname(binary), 'earlier', 'chorus');
const skip = existsSync(earlier) ? undefined : 'there is no earlier program: cmake --build build --target chorus_earlier makes it';
const options = { setups: ['processes'], skip, ms: 90_000 };
const flags = { 'log-entries': 100_000 };
const viewer = () => ({ query: { redirect: 'never' } });
const load = { videos: ['one', 'two'], posters: 4, viewers: 3, everywhere: true, viewer };

// Old ones and new ones of each role; `turned`: the other way round.
const mixed = (turned) => {
  const old = new Set(turned ? ['comment-2', 'manager', 'reader-2'] : ['comment', 'manager-2', 'reader-1', 'reader-3', 'statistics']);
  return { managers: 2, comments: 2, stable: true, flags, fileOf: (name) => (old.has(name) ? earlier : undefined), old };
};

for (const turned of [false, true]) {
  scenario(`old and new ones of each role${turned ? ', the other way round' : ''}: one order on each reader, also beyond a restart of Redis`, options, async (t) => {
    const system = await t.system(mixed(turned));
    const running = await startLoad(t, system, load);
    await running.more(50);
    await system.redis.stop();
    await system.redis.start(); // it has lost nothing, and is another run: epochs begin
    await running.more(50, 30_000);
    await running.prove();
    const epochs = new Set(running.followers[0].viewer.comments.map(({ id }) => parseId(id).epoch));
    assert.ok(epochs.size > 1, 'an epoch has begun');
  });

  scenario(`a fleet is ${turned ? 'taken back' : 'upgraded'} one process after the other, and nothing is lost, doubled or announced`, options, async (t) => {
    const before = turned ? undefined : earlier;
    const after = turned ? earlier : binary;
    const system = await t.system({ ...mixed(turned), fileOf: () => before });
    const running = await startLoad(t, system, load);
    for (const name of system.program.names) {
      await system.program.end1(name);
      await system.program.again(name, after);
      await running.more(2);
    }
    await running.more(20);
    await running.prove();
  });
}

scenario('an Idempotency-Key holds across versions, and so do mappings and statistics', options, async (t) => {
  const system = await t.system(mixed(false));
  const json = { userid: 'u', videoid: 'v', comment: 'once', name: 'Zo\u00eb "Z"' };
  for (const [key, doors] of [['k1', system.comments], ['k2', [...system.comments].reverse()]]) {
    const headers = { 'idempotency-key': key };
    const answers = [];
    for (const door of [...doors, ...doors]) answers.push(await call('POST', `${door}/comment`, { json, headers }));
    for (const { status, text } of answers) assert.equal(status, 201, text);
    for (const answer of answers) assert.deepEqual(answer.json, answers[0].json);
    for (const door of doors) assert.equal((await call('POST', `${door}/comment`, { json: { ...json, comment: 'other' }, headers })).status, 422);
  }
  const urls = await Promise.all(system.managers.map(async (manager) => (await call('GET', `${manager}/resolve/v`)).json.readerUrl));
  assert.equal(new Set(urls).size, 1);
});

// Other kinds are appended by the script itself, as the program sends it to Redis: no request of this version makes one.
const lua = new URL('../../../src/engine/redis/lua/', import.meta.url);
const read = (name) => readFileSync(fileURLToPath(new URL(`${name}.lua`, lua)), 'utf8');
function script(name) {
  const own = read(name);
  const needed = own.match(/^-- Needs: (.*)$/m)?.[1].split(', ') ?? [];
  return [...needed.map((part) => read(`shared/${part}`)), own].join('');
}
const DAY_MS = 24 * 3_600_000;
async function appendKind(system, video, kind, body) {
  const keys = [`{video:${video}}:log`, `{video:${video}}:pos`, 'chorus:comments'];
  const latest = Date.now() + DAY_MS;
  const args = ['', '0', `video:${video}`, DAY_MS, 30 * DAY_MS, latest, '!100000 0 0', kind, body, 0];
  const [outcome, id] = await system.redis.command('EVAL', script('append'), keys.length, ...keys, ...args);
  assert.equal(outcome, 'ok');
  return id;
}

// Numbers of entries that show nothing are passed over, and noted.
class PassingJournal extends Journal {
  passed = [];
  comment(event) {
    const [was, now] = [parseId(this.position), parseId(event.id)];
    for (let seq = (now.epoch === was.epoch ? was.seq : 0) + 1; seq < now.seq; seq++) this.position = `${now.epoch}-${seq}`, this.passed.push(this.position);
    super.comment(event);
  }
}

scenario('an entry of a kind that neither knows moves the position on each reader and shows nothing', options, async (t) => {
  const system = await t.system(mixed(false));
  const running = await startLoad(t, system, { ...load, videos: ['one'], viewer: () => ({ ...viewer(), journal: new PassingJournal() }) });
  const others = [];
  const append = async () => others.push(await appendKind(system, 'one', 907, '"target":"x"'), await appendKind(system, 'one', 908, ''));
  for (let i = 0; i < 20; i++) {
    await append();
    await running.more(1);
  }
  // One comes back, to a reader of the other version, and goes on without a gap.
  for (const { viewer: one } of running.followers) one.close();
  await append();
  await running.more(5);
  await running.prove();
  for (const { viewer: one } of running.followers) {
    const last = one.comments.at(-1).id;
    assert.deepEqual(one.journal.passed, others.filter((id) => compareIds(id, one.comments[0].id) > 0 && compareIds(id, last) < 0));
    assert.ok(one.journal.passed.length > 20);
  }
});

scenario('an epoch that begins with an entry of another kind is announced by none as a loss', options, async (t) => {
  const system = await t.system({ ...mixed(false), comments: 1 });
  await owner(system, 'v');
  const watchAll = () => Promise.all(system.readers.map((reader) => t.watch(reader, { video: 'v', ...viewer(), journal: new PassingJournal() })));
  const viewers = await watchAll();
  const first = await post(system, 'v', 'before');
  for (const one of viewers) await one.reaches(first.id);
  await system.redis.stop();
  await system.redis.start();
  await watchAll(); // it serves again
  const id = await appendKind(system, 'v', 907, '"target":"x"');
  assert.equal(parseId(id).seq, 1);
  const json = { userid: 'u', videoid: 'v', comment: 'after' };
  let answer;
  do answer = await call('POST', `${system.comment}/comment`, { json }); while (answer.status === 503);
  assert.equal(answer.status, 201, answer.text);
  for (const one of viewers) {
    await one.reaches(answer.json.comment.id);
    assert.deepEqual(one.gaps, []);
    assert.deepEqual(one.journal.passed, [id]);
  }
});

scenario('the newest comments and a listing are of both versions, with entries of other kinds between', options, async (t) => {
  const system = await t.system(mixed(false));
  const [reader, api] = [system.readers[1], system.comments[1]]; // of this version
  const stored = [];
  for (let i = 0; i < 60; i++) {
    const json = { userid: 'u', videoid: 'v', comment: `comment ${i}` };
    stored.push((await call('POST', `${system.comments[i % 2]}/comment`, { json })).json.comment);
    if (i % 3 === 0) await appendKind(system, 'v', 907, '"target":"x"');
    if (i === 30) for (let n = 0; n < 60; n++) await appendKind(system, 'v', 908, '');
  }
  for (const history of [1, 20, 50, 1_000]) {
    const one = await t.watch(reader, { video: 'v', fields: { history, redirect: 'never' }, journal: new PassingJournal() });
    await one.reaches(stored.at(-1).id);
    assert.deepEqual(one.comments, stored.slice(-history));
    assert.deepEqual(one.gaps, []);
  }
  for (const limit of [1, 7, 50, 200]) {
    const listed = [];
    for (let query = `limit=${limit}`; ;) {
      const { comments, more } = (await call('GET', `${api}/videos/v/comments?${query}`)).json;
      listed.unshift(...comments);
      if (!more) break;
      assert.ok(comments.length, 'a page has a comment to go on from');
      query = `limit=${limit}&before=${comments[0].id}`;
    }
    assert.deepEqual(listed, stored, `limit=${limit}`);
  }
});
