// CI also: up-redis. Each engine has its own lines.
import assert from 'node:assert/strict';
import { owner, post, resolve } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const FORM = /^level=(debug|info|warn|error) role=[a-z]+(-\d+)? event=[a-z_]+( [a-z_]+=("([^"\\]|\\.)*"|[^\s"=]+))*$/;
const lines = (text) => text.trim().split('\n');

// A video that is resolved, assigned, commented on and watched.
async function watchOne(t, flags = {}) {
  const system = await t.system({ flags });
  const reader = await owner(system, 'film-1');
  await resolve(system, 'film-1');
  const viewer = await t.watch(reader, { video: 'film-1' });
  const { id } = await post(system, 'film-1', 'Great video!');
  await viewer.reaches(id);
  return system;
}

const SHOWN = [['placement', 'assigned'], ['manager', 'resolved'], ['comment', 'published'], ['reader-\\d', 'delivered']];

scenario('the log shows videos assigned and resolved, and comments posted, published and delivered', async (t) => {
  const system = await watchOne(t);
  for (const [role, event] of SHOWN) await system.program.says(new RegExp(`^level=info role=${role} event=${event} video=film-1`, 'm'));
  for (const line of lines(system.stderr)) assert.match(line, FORM);
  assert.doesNotMatch(system.stderr, /^level=(debug|warn|error) /m, 'nothing is wrong, and debug is off');
});

scenario('--log-format json logs one object a line, each with its time', async (t) => {
  const began = Date.now();
  const system = await watchOne(t, { 'log-format': 'json' });
  for (const [, event] of SHOWN) await system.program.says(new RegExp(`"event":"${event}"`));
  const objects = lines(system.stderr).map((line) => JSON.parse(line));
  for (const object of objects) {
    assert.deepEqual(Object.keys(object).slice(0, 4), ['time', 'level', 'role', 'event']);
    assert.equal(new Date(object.time).toISOString(), object.time);
    assert.ok(Date.parse(object.time) >= began - 1 && Date.parse(object.time) <= Date.now());
  }
  for (const [role, event] of SHOWN) {
    const found = objects.find((object) => object.event === event);
    assert.match(found.role, new RegExp(`^${role}$`));
    assert.equal(found.video, 'film-1');
  }
  assert.equal(objects.find(({ event }) => event === 'delivered').viewers, 1, 'a number is a number');
});

scenario('the log is sampled under load', async (t) => {
  const system = await t.system();
  const count = () => lines(system.stderr).length;
  const before = count();
  for (let i = 0; i < 3_000; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => post(system, 'busy', `${i + k}`)));
  assert.ok(count() - before < 1_500, `${count() - before} lines for 3,000 comments`);
});

scenario('a client cannot forge a log line', async (t) => {
  const system = await t.system({ flags: { 'log-level': 'debug' } });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const text = 'x\nlevel=error role=manager event=forged\r\nlevel=error role=manager event=forged\u001b[31m'.replace('\u001b', '');
  const { id } = await post(system, 'v', text, { name: 'level=error role=manager' });
  await viewer.reaches(id);
  assert.doesNotMatch(system.stderr, /^level=error/m);
  for (const line of lines(system.stderr)) assert.match(line, FORM);
});

scenario('a stream that has ended is in the log, with the number that its beginning has', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'film-1');
  await post(system, 'film-1', 'before');
  const viewer = await t.watch(reader, { video: 'film-1', query: { history: 5 } });
  const { id } = await post(system, 'film-1', 'during');
  await viewer.reaches(id);
  viewer.close();
  const [line] = await system.program.says(/^.* event=stream_closed .*$/m);
  const [, stream] = /event=connected video=film-1 .* stream=([1-9]\d*)$/m.exec(system.stderr);
  const bytes = viewer.events.reduce((sum, { text }) => sum + text.length, 0);
  const found = /video=film-1 stream=(\d+) duration_ms=\d+ events=2 bytes=(\d+) reason=client_closed$/.exec(line);
  assert.ok(found, line);
  assert.equal(found[1], stream);
  assert.ok(Number(found[2]) > bytes, `${found[2]} bytes, and the events have ${bytes}`);
});

scenario('--log-level error logs nothing else', async (t) => {
  const system = await t.system({ flags: { 'log-level': 'error' } });
  await post(system, 'v', 'hello');
  const { stderr } = await system.stop();
  assert.equal(stderr, '');
});
