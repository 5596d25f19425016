// `chorus export VIDEO` and `chorus erase USER`. Those of an archive beside Redis are in retention/archive.
// CI also: up-redis. It exports the log, which is without an archive here.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { call, moderate, post, postMany } from '../lib/api.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';

const archives = setup === 'embedded' && process.env.CHORUS_ENGINE !== 'memory';
const archive = archives ? { 'archive-days': 2, 'log-entries': 5, 'log-min-age-ms': 0 } : {};
const exported = (url, ...words) => run(['export', 'v', '--comments', url, ...words]);

scenario('a video is exported, and a user erased', async (t) => {
  const system = await t.system({ flags: archive });
  const comments = await postMany(system, 'v', 440);
  await moderate(system, 'v', 'DELETE', `comments/${comments[3].id}`);
  comments.push(await post(system, 'v', 'a "quote", a\nline', { user: 'bob', name: '=1+1' }));
  const { text } = await call('GET', `${system.comment}/videos/v/replay`);
  const whole = await exported(`${system.comment}/`);
  assert.deepEqual([whole.code, whole.stderr, whole.stdout], [0, '', text]);
  assert.ok(!whole.stdout.includes(`"${comments[3].comment}"`));

  const lines = text.split('\n').slice(0, -1), { t: middle } = JSON.parse(lines[300]);
  const window = lines.filter((line) => JSON.parse(line).t >= middle);
  assert.equal((await exported(system.comment, '--from-ms', middle)).stdout, `${window.join('\n')}\n`);
  assert.equal((await exported(system.comment, '--after', comments[430].id)).stdout, `${lines.slice(431).join('\n')}\n`);
  const table = (await exported(system.comment, '--format', 'csv')).stdout.split('\r\n');
  assert.equal(table.length, 1 + 440 + 1);
  assert.equal(table[0], 't,timestamp,id,userid,name,comment');
  assert.ok(table[440].endsWith(`,"${comments[440].id}","bob","'=1+1","a ""quote"", a\nline"`), table[440]);

  const full = await run(['export', 'v', '--comments', system.comment], { output: '/dev/full' });
  assert.equal(full.code, 1);
  assert.match(full.stderr, /The output cannot be written: No space left on device/);

  const erase = (...words) => run(['erase', 'poster', '--comments', system.comment, ...words]);
  const asks = await erase();
  assert.equal(asks.code, 2);
  assert.match(asks.stderr, /cannot be undone\. Give --yes/);
  const done = await erase('--yes');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^Comment API \S+: erased\. Comments: 439, held ones: 0, videos: 1\.\nArchive: none was named/);
  assert.match((await erase('--yes')).stdout, /: erased\. Comments: 0, held ones: 0, videos: 0\./);
  const left = (await exported(system.comment, '--format', 'csv')).stdout.split('\r\n').slice(1); // whose first entry may be another one now
  assert.deepEqual(left.map((row) => row.replace(/^\d+/, '')), [table[440].replace(/^\d+/, ''), '']);

  await system.stop();
  assert.equal((await erase('--yes')).code, 1);
  const gone = await exported(system.comment);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /cannot be reached/);
  for (const words of [['export'], ['export', 'a/b'], ['erase', '--yes'], ['export', 'v', '--after', 'x']]) assert.equal((await run(words)).code, 2);
});

scenario('what is missing is told', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 5, 'log-min-age-ms': 0 } });
  await postMany(system, 'v', 30, { atOnce: 1 });
  const { code, stdout, stderr } = await exported(system.comment);
  assert.equal(code, 3, stderr);
  const { type, missed } = JSON.parse(stdout.split('\n')[0]);
  assert.equal(type, 'gap');
  assert.match(stderr, new RegExp(`: ${missed} entries are missing`));
  const none = await run(['export', 'none', '--comments', system.comment]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /answers 404: There is nothing of this video/);
});

// A service that answers each question for a replay as it is told.
async function serve(t, answer) {
  const asked = [];
  const server = http.createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://x');
    asked.push(searchParams.get('after') ?? '');
    answer(response, asked.at(-1), asked.length);
  });
  t.after(() => (server.close(), server.closeAllConnections()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, asked };
}
const page = (from, to) => Array.from({ length: to - from }, (_, i) => `{"t":${from + i},"id":"7-${from + i}","comment":"x"}\n`).join('');
const tagged = (response) => response.setHeader('ETag', 'W/"7-300-0-1"');

scenario('a page that is cut is asked for again, and if it does not come, that is told', { setups: ['embedded'] }, async (t) => {
  const service = await serve(t, (response, after, n) => {
    if (n === 2) return response.write(page(201, 250)), void setTimeout(() => response.destroy(), 50);
    if (n === 3) return response.writeHead(503).end();
    tagged(response).end(after === '7-200' ? page(201, 300) : after ? '' : page(1, 201));
  });
  const { code, stdout, stderr } = await exported(service.url);
  assert.deepEqual([code, stdout], [0, page(1, 300)], stderr);
  assert.deepEqual(service.asked, ['', '7-200', '7-200', '7-200', '7-300']);

  const dead = await serve(t, (response, after) => (after ? response.writeHead(403).end() : tagged(response).end(page(1, 201))));
  const cut = await exported(dead.url);
  assert.deepEqual([cut.code, cut.stdout], [1, page(1, 201)]);
  assert.match(cut.stderr, /answers 403.\n.*Cut short\. To go on: --after 7-200/);
});

scenario('what was deleted while it was written is told', { setups: ['embedded'] }, async (t) => {
  for (const [line, tag, expected] of [
    ['{"t":9,"id":"7-301","type":"retract","target":"7-5"}\n', 0, 1], ['{"t":9,"id":"7-301","type":"retract","target":"7-1"}\n', 0, 0],
    ['{"t":9,"id":"7-301","type":"purge","userid":"ann"}\n', 0, 1], ['', 1, 1],
  ]) {
    const service = await serve(t, (response, after) => response.setHeader('ETag', `W/"7-300-${after === '7-300' ? tag : 0}-1"`).end(after === '7-300' ? line : page(5, 10)));
    const { code, stdout, stderr } = await exported(service.url);
    assert.deepEqual([code, stdout], [expected, page(5, 10)], line);
    assert.equal(/deleted meanwhile: export it again/.test(stderr), expected === 1);
  }
});
