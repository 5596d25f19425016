// GET /metrics: what Prometheus scrapes.
// CI also: processes. There each part is a process.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { call, owner, post } from '../lib/api.mjs';
import { checkError, everyPort } from '../lib/checks.mjs';
import { histograms, parse, scrape, sum } from '../lib/exposition.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('promtool finds nothing to complain about, at any port', async (t) => {
  const system = await t.system();
  await post(system, 'v', 'a comment');
  for (const [role, url] of everyPort(system)) {
    const { text } = await call('GET', `${url}/metrics`);
    execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] });
    parse(text);
    const head = await call('HEAD', `${url}/metrics`);
    assert.equal(head.status, 200, role);
    assert.equal(head.text, '', role);
  }
});

scenario('every port of a process shows the whole process', async (t) => {
  const system = await t.system();
  const parts = new Map();
  for (const [role, url] of everyPort(system)) {
    const families = await scrape(url);
    const { pid } = system.program.parts?.get(role) ?? system;
    const here = families.get('chorus_ready_parts').series.map(({ labels }) => labels);
    assert.ok(here.some((labels) => labels.role === role), `${role} is at its own port (pid ${pid})`);
    for (const labels of here) parts.set(JSON.stringify(labels), labels);
    assert.equal(families.get('chorus_build_info').series.length, 1);
    assert.equal(families.get('process_cpu_seconds_total').series.length, 1);
  }
  assert.equal([...parts.values()].filter(({ role }) => role === 'reader').length, 3);
  assert.equal(parts.size, 6);
});

scenario('the figures are those of /health', async (t) => {
  const system = await t.system();
  const viewers = await Promise.all(system.readers.map((reader) => t.watch(reader, { video: 'v' })));
  const last = [await post(system, 'v', '1'), await post(system, 'v', '2')].at(-1);
  for (const viewer of viewers) await viewer.reaches(last.id);
  assert.equal((await call('POST', `${system.comment}/comment`, { json: {} })).status, 400);
  for (const [role, url] of everyPort(system)) {
    const { instanceId: part, metrics } = (await call('GET', `${url}/health`)).json;
    const families = await scrape(url);
    let compared = 0;
    for (const [name, value] of Object.entries(metrics)) {
      if (!families.get(name)?.series[0].labels.part || !/_(comments|viewers|videos|deliveries|readers|registrations)(_total)?$/.test(name)) continue;
      assert.equal(sum(families, name, { part }), value, `${role}: ${name}`);
      compared++;
    }
    assert.ok(role === 'statistics' || compared, role);
  }
  const comment = await scrape(system.comment);
  assert.equal(sum(comment, 'chorus_comment_comments_total'), 2);
  assert.equal(sum(comment, 'chorus_http_responses_total', { role: 'comment', code: '4xx' }), 1);
});

const histogram = (families, name, labels = {}) => {
  const all = histograms(families.get(name)).filter((each) => Object.entries(labels).every(([label, value]) => each.labels[label] === value));
  assert.equal(all.length, 1, name);
  return all[0];
};

scenario('what became of posts, and how long comments took', async (t) => {
  const system = await t.system({ flags: { 'user-rate': 1 } });
  const url = await owner(system, 'v');
  const viewer = await t.watch(url, { video: 'v' });
  let last;
  for (let i = 0; i < 3; i++) last = await post(system, 'v', `comment ${i}`, { user: `user-${i}` });
  const again = await call('POST', `${system.comment}/comment`, { json: { userid: 'user-2', videoid: 'v', comment: 'at once' } });
  assert.equal(again.status, 429);
  const keyed = { headers: { 'Idempotency-Key': 'k' } };
  last = await post(system, 'v', 'once', { user: 'a', ...keyed });
  await until(async () => (await call('POST', `${system.comment}/comment`, { json: { userid: 'a', videoid: 'v', comment: 'once' }, ...keyed })).status === 201, 'the repeat');
  assert.equal((await call('POST', `${system.comment}/comment`, { json: { userid: 'a' } })).status, 400);
  await viewer.reaches(last.id);

  const families = await scrape(system.comment);
  const posts = (result) => sum(families, 'chorus_comment_posts_total', { result });
  assert.equal(posts('accepted'), 4);
  assert.equal(posts('repeated'), 1);
  assert.ok(posts('too_fast') >= 1);
  assert.equal(posts('invalid'), 1);
  assert.equal(posts('store_unavailable'), 0);
  const commits = histogram(families, 'chorus_comment_commit_seconds');
  assert.equal(commits.count, 4);
  assert.ok(commits.sum > 0 && commits.sum < 60, `${commits.sum} s`);
  const trips = histogram(families, 'chorus_engine_trip_seconds');
  assert.ok(trips.count >= 4 && trips.sum > 0);
  assert.ok(histogram(families, 'chorus_loop_lag_seconds').count > 0);

  const part = (await call('GET', `${url}/health`)).json.instanceId;
  // The time of a send is noted when the flush has ended.
  await until(async () => histogram(await scrape(url), 'chorus_reader_delivery_seconds', { part }).count === 4, 'the times of all sends');
  const reader = await scrape(url);
  const { counts, bounds, sum: all } = histogram(reader, 'chorus_reader_delivery_seconds', { part });
  const most = bounds.slice(0, -1).reduce((sofar, bound, i) => sofar + bound * (counts[i] - (counts[i - 1] ?? 0)), 0);
  assert.ok(all <= most + 1e-9, `no value is above its bucket: ${all} s, at most ${most} s`);
  assert.equal(sum(reader, 'chorus_reader_held_leases', { part }), 1);
  assert.ok(histogram(reader, 'chorus_workers_lag_seconds').count > 0);
});

scenario('a gap is counted for each viewer that gets it, by its reason', async (t) => {
  const system = await t.system({ flags: { 'log-entries': 3, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const first = await post(system, 'v', 'the first');
  for (let i = 0; i < 300; i++) await post(system, 'v', `comment ${i}`);
  for (let viewers = 0; viewers < 2; viewers++) {
    const viewer = await t.watch(reader, { video: 'v', from: first.id });
    await until(() => viewer.gaps.length, 'a gap');
  }
  const families = await scrape(reader);
  const part = (await call('GET', `${reader}/health`)).json.instanceId;
  assert.equal(sum(families, 'chorus_reader_gaps_total', { part, reason: 'expired' }), 2);
  assert.equal(sum(families, 'chorus_reader_gaps_total', { part, reason: 'epoch' }), 0);
  assert.equal(sum(families, 'chorus_reader_resumed_viewers_total', { part }), 2);
});

scenario('counters grow, and buckets are cumulative', async (t) => {
  const system = await t.system();
  const scrapes = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5; i++) await post(system, `v${i}`, 'text');
    scrapes.push(await scrape(system.comment));
  }
  for (const families of scrapes) {
    for (const family of families.values()) {
      if (family.type === 'counter') for (const { key, value } of family.series) assert.ok(value >= 0, key);
      if (family.type !== 'histogram') continue;
      for (const { bounds, counts, sum: all, count } of histograms(family)) {
        assert.equal(bounds.at(-1), Infinity, family.name);
        assert.deepEqual([...bounds].sort((a, b) => a - b), bounds, family.name);
        assert.deepEqual([...counts].sort((a, b) => a - b), counts, `${family.name}: ${counts}`);
        assert.equal(counts.at(-1), count, family.name);
        assert.ok(all >= 0, family.name);
      }
    }
  }
  for (const [i, families] of scrapes.slice(1).entries()) {
    for (const { name, type, series } of families.values()) {
      const before = new Map(scrapes[i].get(name).series.map(({ key, value }) => [key, value]));
      const grows = ({ key }) => type === 'counter' || (type === 'histogram' && !key.includes('_sum'));
      for (const each of series.filter(grows)) assert.ok(each.value >= before.get(each.key), each.key);
    }
  }
  assert.equal(sum(scrapes[2], 'chorus_comment_comments_total') - sum(scrapes[0], 'chorus_comment_comments_total'), 10);
});

scenario('the store is measured: files of the database', { setups: ['embedded'], disk: true }, async (t) => {
  const system = await t.system();
  await post(system, 'v', 'text');
  // Leases are written meanwhile.
  for (const [name, file] of [['database', 'chorus.db'], ['wal', 'chorus.db-wal']]) {
    await until(async () => sum(await scrape(system.comment), `chorus_engine_${name}_bytes`) === statSync(join(system.dataDir, file)).size, `the size of ${file}`);
  }
  assert.equal(sum(await scrape(system.comment), 'chorus_engine_reconnects_total'), 0);
});

scenario('the store is measured: connections to Redis that are made again', { setups: ['processes', 'up-redis'] }, async (t) => {
  const system = await t.system();
  await post(system, 'v', 'text');
  assert.equal(sum(await scrape(system.comment), 'chorus_engine_reconnects_total'), 0);
  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
  await system.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(async () => sum(await scrape(system.comment), 'chorus_engine_reconnects_total') === 2, 'both connections to be back');
  await until(async () => sum(await scrape(system.comment), 'chorus_engine_available_stores') === 1, 'the store');
});

scenario('videos make it no larger', async (t) => {
  const system = await t.system();
  const size = async () => (await Promise.all(everyPort(system).map(([, url]) => call('GET', `${url}/metrics`)))).reduce((all, { text }) => all + text.length, 0);
  const before = await size();
  let next = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < 500) await post(system, `video-${next++}`, 'text');
  }));
  const after = await size();
  assert.ok(after < before * 1.05, `${before} bytes without videos, ${after} with 500`);
});

scenario('only services may see it', async (t) => {
  const system = await t.system({ flags: { 'internal-token': 'secret' } });
  for (const [role, url] of everyPort(system)) {
    for (const headers of [{ 'X-Forwarded-For': '127.0.0.1' }, { Origin: 'http://127.0.0.1' }, { Via: '1.1 a', Authorization: 'Bearer guess' }]) {
      checkError(await call('GET', `${url}/metrics`, { headers }), 403, role);
    }
    await scrape(url, { 'X-Forwarded-For': '10.0.0.1', Authorization: 'Bearer secret' });
  }
});

scenario('an address outside --internal-from needs the token', async (t) => {
  const system = await t.system({ flags: { 'internal-from': '192.0.2.1', 'internal-token': 'secret' } });
  for (const [role, url] of everyPort(system)) {
    checkError(await call('GET', `${url}/metrics`), 403, role);
    await until(() => scrape(url, { Authorization: 'Bearer secret' }), `${role} with the token`);
  }
});
