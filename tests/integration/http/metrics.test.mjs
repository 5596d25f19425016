// Set-ups: embedded, processes.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const health = async (url) => (await call('GET', `${url}/health`)).json;

scenario('/health shows every figure by a name that Prometheus takes, and the same value as under its old name', async (t) => {
  const system = await t.system();
  for (let i = 0; i < 3; i++) {
    const json = { userid: 'u', videoid: 'v', comment: `comment ${i}` };
    assert.equal((await call('POST', `${system.comment}/comment`, { json })).status, 201);
  }
  assert.equal((await call('POST', `${system.comment}/comment`, { json: {} })).status, 400);
  assert.equal((await call('GET', `${system.manager}/resolve/v`)).status, 200);

  for (const [role, url] of everyPort(system)) {
    const { metrics } = await health(url);
    for (const [name, value] of Object.entries(metrics)) {
      assert.match(name, /^chorus(_[a-z0-9]+)+$/, `${role}: ${name}`);
      assert.equal(typeof value, 'number', `${role}: ${name}`);
      if (name.endsWith('_total')) assert.ok(value >= 0, `${role}: ${name}`);
    }
    assert.ok(metrics.chorus_http_open_connections >= 1, role);
    assert.ok(metrics.chorus_http_requests_total >= 1, role);
    assert.ok(metrics.chorus_loop_turns_total >= 1, role);
    assert.ok(metrics.chorus_loop_busy_seconds_total >= metrics.chorus_loop_longest_turn_seconds, role);
  }

  const comment = await health(system.comment);
  assert.equal(comment.totalComments, 3);
  assert.equal(comment.metrics.chorus_comment_comments_total, 3);
  assert.equal(comment.metrics.chorus_http_4xx_responses_total, 1);
  assert.ok(comment.metrics.chorus_http_2xx_responses_total >= 3);
  assert.ok(comment.metrics.chorus_engine_trips_total >= 1);
  assert.ok(comment.metrics.chorus_engine_trip_seconds_total >= comment.metrics.chorus_engine_longest_trip_seconds);
  assert.ok(comment.metrics.chorus_engine_longest_trip_seconds > 0);
  assert.equal(comment.metrics.chorus_engine_failed_trips_total, 0);

  const manager = await until(async () => {
    const h = await health(system.manager);
    return h.registeredVideos === 1 && h;
  }, 'the manager to have counted the video');
  assert.equal(manager.metrics.chorus_manager_videos, 1);
  assert.equal(manager.metrics.chorus_manager_live_readers, manager.availableReaderApis);
  assert.equal(manager.idleClosed, manager.metrics.chorus_http_evicted_connections_total);

  const reader = await health(system.readers[0]);
  assert.ok(reader.metrics.chorus_workers_turns_total >= reader.metrics.chorus_workers_slow_turns_total);
  assert.ok(reader.metrics.chorus_workers_busy_seconds_total >= reader.metrics.chorus_workers_longest_turn_seconds);
  assert.deepEqual(Object.keys(reader.memory), ['used', 'max', 'full']);
  assert.equal(reader.memory.max, reader.metrics.chorus_memory_max_bytes);
  for (const [old, name] of [
    ['activeConnections', 'chorus_reader_viewers'],
    ['subscribedTopics', 'chorus_reader_videos'],
    ['messagesSent', 'chorus_reader_deliveries_total'],
    ['slowGaps', 'chorus_reader_slow_gaps_total'],
    ['stalled', 'chorus_reader_stalled_viewers_total'],
    ['redirected', 'chorus_reader_redirected_viewers_total'],
    ['shed', 'chorus_reader_shed_viewers_total'],
  ]) {
    assert.equal(reader[old], reader.metrics[name], old);
  }
});
