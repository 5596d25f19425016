// A database file with bytes other than those written.
// Set-ups: embedded.
// CI also: asan. What a damaged file holds is read here.
// Long: 9.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { call, post, postMany, resolve } from '../lib/api.mjs';
import { checkError, everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded'];
const database = (system) => join(system.dataDir, 'chorus.db');

function overwrite(file, offset, bytes) {
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

// Overwrites a comment's text in the file.
function spoil(system, text, bytes) {
  const at = readFileSync(database(system)).indexOf(`"comment":"${text}`);
  assert.ok(at > 0, `${text} in the file`);
  overwrite(database(system), at + '"comment":"'.length, Buffer.from(bytes));
}

const send = (system, video) => call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: video, comment: 'x' } });

async function checkLost(system) {
  await until(async () => (await call('GET', `${system.comment}/ready`)).status === 503, 'the damage to be known', 10_000);
  for (const video of ['v', 'new']) for (let i = 0; i < 3; i++) checkError(await send(system, video), 503);
  for (const [role, url] of everyPort(system)) {
    const { status, json } = await call('GET', `${url}/health`);
    assert.equal(status, 200);
    assert.equal(json.status, 'degraded', role);
    assert.match(JSON.stringify(json), /chorus\.db is damaged.*good copy/, role);
    assert.equal((await call('GET', `${url}/ready`)).status, 503, role);
  }
}

// A viewer that has seen nothing but the first comment gets all the others, and a gap for the damaged one.
async function checkRead(t, system, stored, spoilt) {
  const { readerUrl } = await resolve(system, 'v');
  const viewer = await t.watch(readerUrl, { video: 'v', from: stored[0].id });
  await viewer.reaches(stored.at(-1).id);
  const sound = stored.slice(1).filter((_, i) => i + 1 !== spoilt);
  assert.deepEqual(viewer.comments.map(({ id, comment }) => [id, comment]), sound.map(({ id, comment }) => [id, comment]));
  assert.deepEqual(viewer.gaps.map(({ from, to }) => [from, to]), [[stored[spoilt].id, stored[spoilt].id]]);
}

// Far more pages than the few that are read at the start: the oldest 128 rows, and the newest.
const fill = (system) => postMany(system, 'v', 200, { text: (i) => `comment ${i} ${'.'.repeat(300)}`, atOnce: 1 });

for (const [what, bytes] of [['a line feed', '\n'], ['no UTF-8', [0xff]]]) {
  scenario(`damaged while stopped (${what}): damage is never streamed, and no comment is accepted any more`, { disk: true, setups }, async (t) => {
    const system = await t.system({ stable: true });
    const stored = await fill(system);
    assert.equal((await system.stop()).code, 0);
    spoil(system, 'comment 40 ', bytes);
    await system.restart();
    await checkRead(t, system, stored, 40);
    await checkLost(system);
    await system.program.says(/unavailable.*chorus\.db is damaged/);
    await system.restart('SIGKILL');
    await checkLost(system);
    await checkRead(t, system, stored, 40);
    await system.restart();
    await checkLost(system);
  });
}

scenario('damaged while running: noticed when it is read, and after a restart', { disk: true, setups }, async (t) => {
  const system = await t.system({ stable: true });
  const stored = await fill(system);
  await system.restart();
  await post(system, 'other', 'fine'); // nothing of `v` has been read yet
  spoil(system, 'comment 160 ', '\n');
  await checkRead(t, system, stored, 160);
  await checkLost(system);
  await system.restart();
  await checkLost(system);
});

scenario('pages overwritten while running: the rest is read, and no comment is accepted', { disk: true, setups }, async (t) => {
  const system = await t.system({ stable: true });
  const stored = await fill(system);
  await system.restart();
  const [first, last] = ['comment 140 ', 'comment 180 '].map((text) => readFileSync(database(system)).indexOf(`"comment":"${text}`) >> 12);
  for (let page = Math.min(first, last); page < Math.max(first, last); page++) overwrite(database(system), page << 12, Buffer.alloc(4096, 0xa5));
  const { readerUrl } = await resolve(system, 'v');
  const viewer = await t.watch(readerUrl, { video: 'v', from: stored[0].id });
  await viewer.reaches(stored.at(-1).id);
  assert.ok(viewer.gaps.length > 0, 'what is gone is announced');
  await checkLost(system);
  await system.restart();
  await checkLost(system);
});
