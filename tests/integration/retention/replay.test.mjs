// A replay: what was said, when, and nothing that has been deleted. The archive itself is tested in tests/unit/test_embedded_archive.
// CI also: up-redis, memory. They have no archive, and replay the log.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, moderate, post, postMany } from '../lib/api.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { scenario } from '../lib/scenario.mjs';
import { setup } from '../lib/system.mjs';

const archives = setup === 'embedded' && process.env.CHORUS_ENGINE !== 'memory';
const archive = archives ? { 'archive-days': 2, 'log-entries': 5, 'log-min-age-ms': 0 } : {};

async function replay(system, video, query = '', headers = {}) {
  const answer = await call('GET', `${system.comment}/videos/${video}/replay${query}`, { headers });
  const lines = answer.status === 200 ? answer.text.split('\n').slice(0, -1).map((line) => JSON.parse(line)) : [];
  return { ...answer, lines };
}

scenario('all that was posted, with offsets, and nothing of what was deleted', async (t) => {
  const system = await t.system({ flags: archive });
  const comments = [];
  for (let i = 0; i < 80; i += 20) comments.push(...await postMany(system, 'v', 20, { text: (n) => `comment ${i + n}` }));
  await moderate(system, 'v', 'DELETE', `comments/${comments[3].id}`); // it has left the log where there is an archive
  await moderate(system, 'v', 'PUT', 'pin', { id: comments.at(-1).id });
  const { lines, headers, text } = await replay(system, 'v');
  assert.match(headers['content-type'], /^application\/x-ndjson/);
  assert.deepEqual(lines.map(({ id }) => Number(id.split('-')[1])), Array.from({ length: 82 }, (_, i) => i + 1));
  assert.equal(lines[0].t, 0);
  assert.ok(lines.every(({ t: at }, i) => !i || at >= lines[i - 1].t), 'offsets go up');
  assert.deepEqual(lines.filter(({ type }) => !type).map(({ t: at, ...comment }) => comment), comments.filter((_, i) => i !== 3));
  assert.deepEqual(Object.keys(lines[3]), ['t', 'type', 'id']);
  assert.equal(lines[3].type, 'blank');
  assert.ok(!text.includes(`"${comments[3].comment}"`));
  assert.deepEqual(lines.slice(80).map(({ type, target }) => [type, target]), [['retract', comments[3].id], ['pin', comments.at(-1).id]]);

  const { t: middle } = lines[60], window = (from, to) => lines.filter(({ t: at }) => at >= from && at <= to);
  assert.deepEqual((await replay(system, 'v', `?from_ms=${middle}`)).lines, window(middle, Infinity));
  assert.deepEqual((await replay(system, 'v', `?from_ms=${lines[30].t}&to_ms=${middle}`)).lines, window(lines[30].t, middle));
  assert.deepEqual((await replay(system, 'v', `?from_ms=${lines.at(-1).t + 1}`)).lines, []);
  assert.deepEqual((await replay(system, 'v', `?after=${lines[9].id}&limit=68`)).lines, lines.slice(10, 78));

  const tag = { 'if-none-match': headers.etag };
  assert.equal((await replay(system, 'v', '', tag)).status, 304);
  await moderate(system, 'v', 'DELETE', `comments/${comments[4].id}`);
  assert.equal((await replay(system, 'v', '', tag)).lines[4].type, 'blank', 'a deletion makes copies invalid');
});

scenario('offsets count from the start', async (t) => {
  const system = await t.system({ flags: archive });
  const early = await post(system, 'v', 'early');
  await moderate(system, 'v', 'POST', 'start');
  const first = await post(system, 'v', 'first');
  await moderate(system, 'v', 'POST', 'end');
  const { lines } = await replay(system, 'v');
  assert.deepEqual(lines.map(({ type, id }) => type ?? id), [early.id, 'start', first.id, 'end']);
  assert.equal(lines[1].t, 0);
  assert.ok(lines[0].t <= 0 && lines[2].t >= 0);
  const since = (await replay(system, 'v', '?from_ms=0')).lines;
  assert.ok(since.some(({ type }) => type === 'start') && since.at(-1).type === 'end');
});

scenario('what is missing is said', { skip: archives && 'an archive misses nothing' }, async (t) => {
  const system = await t.system({ flags: { 'log-entries': 5, 'log-min-age-ms': 0 } });
  await postMany(system, 'v', 16, { atOnce: 1 });
  const { lines: [gap, first] } = await replay(system, 'v');
  const seq = (id) => Number(id.split('-')[1]);
  assert.equal(gap.type, 'gap');
  assert.deepEqual([seq(gap.from), seq(gap.to), gap.missed, gap.reason], [1, seq(first.id) - 1, seq(first.id) - 1, 'expired']);
  assert.ok(seq(first.id) > 1);
});

scenario('who may not read it, and what is asked for wrongly', async (t) => {
  const key = makeKey('ES256', 'k'), file = join(t.folder(), 'keys.json');
  writeFileSync(file, keySet(key));
  const system = await t.system({ flags: { 'jwt-keys': file, 'internal-token': 'between-services' } });
  const by = (token) => ({ authorization: `Bearer ${token}` }), service = by('between-services');
  const ask = async (query, headers, video = 'v') => {
    const { status, json } = await replay(system, video, query, headers);
    return [status, json?.code];
  };
  await post(system, 'v', 'text', { headers: service });
  assert.deepEqual(await ask('', by(makeToken(key, claims({}, { can: ['read'], videos: ['v'] })))), [200, undefined]);
  assert.deepEqual(await ask('', by(makeToken(key, claims({}, { can: ['read'], videos: ['other'] })))), [403, 'not_allowed']);
  assert.deepEqual(await ask('', by(makeToken(key, claims({}, { can: ['post'] })))), [403, 'not_allowed']);
  assert.deepEqual(await ask('', {}), [401, 'token_missing']);
  assert.deepEqual(await ask('', service, 'never-seen'), [404, 'unknown_video']);
  for (const query of ['?from_ms=-1', '?from_ms=x', '?from_ms=5&to_ms=4', '?limit=0', '?after=1']) assert.deepEqual(await ask(query, service), [400, 'invalid_field'], query);
});
