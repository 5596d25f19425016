// The cuts themselves: tests/torture/power-cut makes the image and says what happens.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { Dice } from './dice.mjs';

const VIDEOS = 3, POSTERS = 8, MOST_ANSWERS = 120;
const { values: options } = parseArgs({ options: { cuts: { type: 'string', default: '20' }, seed: { type: 'string', default: String(Date.now() % 1e6) } } });
const chance = new Dice(options.seed);
const folder = process.env.POWER_FOLDER, disk = `${folder}/disk`;
const answered = [], unknown = []; // {video, text, key, id}
let texts = 0;

function run(command, ...args) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${command}: ${stderr}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function start() {
  const port = await freePort();
  const child = spawn(process.env.CHORUS_BIN, ['up', '--durable', '--data', `${disk}/data`, '--single-port', '--comment-port', `${port}`,
    '--readers', '1', '--log-level', 'warn'], { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  const base = `http://127.0.0.1:${port}`;
  for (;;) {
    const ready = await fetch(`${base}/ready`).then((r) => r.ok, () => false);
    if (ready) return { child, base };
    assert.equal(child.exitCode, null, `it does not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function post({ base }, comment) {
  const response = await fetch(`${base}/comment`, { method: 'POST', body: JSON.stringify({ userid: 'u', videoid: comment.video, comment: comment.text }),
    headers: { 'content-type': 'application/json', 'idempotency-key': comment.key } });
  return response.status === 201 ? (await response.json()).comment.id : null;
}

// Posts until the power is cut. What was not answered by then may be stored or not.
async function poster(system, state) {
  while (!state.cut) {
    const number = ++texts;
    const comment = { video: `v${number % VIDEOS}`, text: `text ${number}`, key: `key-${number}` };
    const id = await post(system, comment).catch(() => null);
    if (!id || state.cut) unknown.push(comment);
    else answered.push({ ...comment, id });
    if (id && !state.cut && ++state.answers === state.last) state.onLast();
  }
}

async function untilCut(system) {
  const state = { cut: false, answers: 0, last: 1 + chance.below(MOST_ANSWERS) };
  const last = new Promise((resolve) => (state.onLast = resolve));
  const posters = Array.from({ length: POSTERS }, () => poster(system, state));
  await last;
  // The posters' answers that arrive while this process waits for the call are not counted as answered.
  state.cut = true;
  run('perl', '-e', process.env.POWER_SHUTDOWN, disk);
  system.child.kill('SIGKILL');
  await once(system.child, 'exit');
  await Promise.all(posters);
}

async function stored({ base }, video) {
  const response = await fetch(`${base}/videos/${video}/comments?limit=200`);
  assert.equal(response.status, 200);
  return (await response.json()).comments;
}

// All that was answered is there with its number, as far as a page reaches; a repeat finds it; none is there twice.
async function verify(system) {
  for (let v = 0; v < VIDEOS; v++) {
    const comments = await stored(system, `v${v}`);
    const there = new Map(comments.map(({ id, comment }) => [id, comment]));
    const mine = answered.filter(({ video }) => video === `v${v}`);
    for (const { id, text } of mine.slice(-150)) assert.equal(there.get(id), text, `${id} was answered and is lost`);
    assert.equal(new Set(comments.map(({ comment }) => comment)).size, comments.length, 'a text is there twice');
  }
  for (const comment of answered.slice(-3)) assert.equal(await post(system, comment), comment.id, 'a repeat is stored again');
  for (const comment of unknown.splice(0)) answered.push({ ...comment, id: await post(system, comment) });
}

for (let cut = 0; cut <= Number(options.cuts); cut++) {
  run('mount', '-o', 'loop', `${folder}/image`, disk);
  const system = await start();
  try {
    await verify(system);
    run(process.env.CHORUS_BIN, 'check', '--data', `${disk}/data`);
    if (cut < Number(options.cuts)) await untilCut(system);
  } finally {
    if (system.child.exitCode === null && system.child.signalCode === null) {
      system.child.kill('SIGKILL');
      await once(system.child, 'exit');
    }
  }
  run('umount', disk);
}
console.log(`power-cut: seed ${options.seed}: ${options.cuts} cuts, ${answered.length} comments answered, none lost`);
