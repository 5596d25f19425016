// The store is emptied while the system runs, as a client of another system on the same Redis does.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { call, owner, post } from '../lib/api.mjs';
import { freePorts } from '../lib/ports.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

async function startRedis(t) {
  const [port] = await freePorts(1);
  const words = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', t.folder()];
  const server = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    server.kill('SIGKILL');
    await once(server, 'close');
  });
  let said = '';
  server.stdout.setEncoding('utf8').on('data', (text) => (said += text));
  await until(() => said.includes('Ready to accept connections'), () => `Redis; it says:\n${said}`);
  return port;
}

const skip = spawnSync('redis-server', ['--version']).error && 'needs redis-server';

scenario('FLUSHDB with viewers connected: their reader keeps its videos, and the streams continue', { setups: ['embedded'], skip }, async (t) => {
  const port = await startRedis(t);
  const system = await t.system({ flags: { redis: `redis://127.0.0.1:${port}` } });
  const videos = ['a', 'b', 'c', 'd'];
  const owners = new Map();
  const viewers = [];
  for (const video of videos) {
    owners.set(video, await owner(system, video));
    viewers.push(await t.watch(owners.get(video), { video }));
    await viewers.at(-1).reaches((await post(system, video, 'before')).id);
  }
  assert.equal(spawnSync('redis-cli', ['-p', String(port), 'flushdb'], { encoding: 'utf8' }).stdout.trim(), 'OK');
  const stored = () => spawnSync('redis-cli', ['-p', String(port), 'mget', ...videos.map((video) => `video:${video}:reader`)], { encoding: 'utf8' });
  const wanted = videos.map((video) => owners.get(video));
  await until(() => assert.deepEqual(stored().stdout.trim().split('\n'), wanted) ?? true, 'the mappings to be back');
  for (const [i, video] of videos.entries()) {
    assert.equal((await call('GET', `${system.manager}/resolve/${video}`)).json.readerUrl, owners.get(video));
    await viewers[i].reaches((await post(system, video, 'after')).id);
    assert.ok(!viewers[i].ended, 'the stream goes on');
    assert.ok(viewers[i].gaps.length <= 1, 'one gap at most is announced');
    assert.deepEqual(viewers[i].comments.map(({ comment }) => comment).slice(0, 1), ['before']);
  }
});
