// /openapi.json against the running system: each operation is asked, with what succeeds and with what is refused, and each
// answer must be as described. What the tables of routes have and the document has not, tests/unit/test_openapi finds; codes
// that only the source or only the document has, `scripts/check codes`.
// CI also: processes. The store and the services can be stopped there.
import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { call, owner, post, register } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { Description } from '../lib/openapi.mjs';
import { RawClient, exchange, jsonBytes, requestBytes } from '../lib/raw.mjs';
import { patchRoom, tryPost, waits } from '../lib/room.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const json = { 'Content-Type': 'application/json' };
const comment = { userid: 'u', videoid: 'v', comment: 'hello', name: 'Ann' };
const big = 'x'.repeat(2_000_000);

// What each operation is asked to make it succeed, by operationId: {target, body, headers}. A new operation needs a row.
const asked = {
  postComment: { body: comment },
  registerVideo: { body: { videoid: 'v' } },
  resolveVideo: { target: '/resolve/v' },
  listVideos: { target: '/videos?limit=20' },
  getVideo: { target: '/videos/v' },
  putVideo: { target: '/videos/v', body: { state: 'open' } },
  deleteVideo: { target: '/videos/v' },
  getRoom: { target: '/videos/v/room' },
  patchRoom: { target: '/videos/v/room', body: { slow_ms: 1 } },
  listBans: { target: '/videos/v/bans' },
  startVideo: { target: '/videos/w/start' },
  endVideo: { target: '/videos/w/end' },
  listAudit: { target: '/videos/v/audit' },
  listHeld: { target: '/videos/v/held' },
  react: { target: '/videos/v/reactions', body: { userid: 'ann', kind: 'heart' } },
  decideHeld: { target: '/videos/v/held/the held', body: { allow: true } },
  ban: { target: '/videos/v/bans/bob', body: { seconds: 600 } },
  liftBan: { target: '/videos/v/bans/bob' },
  eraseUser: { target: '/users/nobody/comments' },
  replayVideo: { target: '/videos/v/replay?from_ms=0&limit=5' },
  listComments: { target: '/videos/v/comments?limit=20' },
  pinComment: { body: { id: 'the first' } },
  unpinComment: {},
  deleteComment: { target: '/videos/v/comments/the first' },
  getStatistics: {},
  getLedger: { target: '/videos/v/ledger' },
  getDashboard: {},
  reportCommentApi: { body: { instanceId: 'c', totalComments: 1, commentsByVideo: { v: 1 }, activeTopics: ['video:v'], topicSubscribers: { 'video:v': 1 } } },
  reportReader: {
    body: { instanceId: 'r', activeConnections: 1, subscribedTopics: ['video:v'], messagesSent: 3, figures: { videos: 1 }, delays: { 3: 1 }, viewersByVideo: { v: 1 }, commentsPer1000s: { v: 100 } },
  },
  reportManager: { body: { instanceId: 'm', service: 'm', registeredVideos: 1, availableReaderApis: 1, registrationCount: 1, videoMappings: { v: 'http://a' } } },
  reportClient: { body: { clientId: 'c', userId: 'u', videoId: 'v', commentsGenerated: 1, commentsConsumed: 1, subscribedTopics: [], connectedReader: 'r' } },
  getHealth: {},
  getReady: {},
  getMetrics: {},
  getDescription: {},
  getRoot: { headers: { Accept: 'application/json' } },
  getWatchPage: { target: '/watch/v' },
  getModeratePage: { target: '/moderate/v' },
  getApiPage: {},
};
const streams = { watchVideo: { target: '/connect?userid=u&videoid=v' }, watchVideoByPost: { body: { userid: 'u', videoid: 'v' } } };

const urlOf = (system, role, reader) => (role === 'reader' ? reader ?? system.readers[0] : system[role]);
const plain = (path) => path.replace(/\{\w+\}/g, 'v');

function bytesOf({ method, path }, { target = plain(path), body, headers = {}, host } = {}) {
  const content = body === undefined ? { headers } : { headers: { ...json, ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) };
  return requestBytes(method, target, { host, ...content });
}

scenario('the document is OpenAPI 3.1, and the same at every port', async (t) => {
  const system = await t.system();
  const texts = await Promise.all(everyPort(system).map(async ([, url]) => (await call('GET', `${url}/openapi.json`)).text));
  assert.equal(new Set(texts).size, 1);
  const { valid, errors } = await new Validator().validate(JSON.parse(texts[0]));
  assert.ok(valid, JSON.stringify(errors));
  const ids = (await Description.of(system.comment)).operations().map(({ operation, role }) => `${operation.operationId} ${role}`);
  assert.equal(new Set(ids).size, ids.length, 'each operation has an id of its own');
});

// Those of an ordinary system, not only of a demo.
// An archive is no part of the set-ups: tests/integration/retention/archive.
const everywhere = (description) => description.operations().filter(({ role, operation }) => role !== 'archive' && !operation['x-only-with']);

// Has a comment wait; returns its id.
async function holdOne(system) {
  await patchRoom(system, 'v', { hold: true });
  const { id } = await waits(tryPost(system.comment, 'v', 'ann'), 'moderator');
  await patchRoom(system, 'v', { hold: false });
  return id;
}

scenario('every operation answers as described', async (t) => {
  const system = await t.system();
  const description = await Description.of(system.comment);
  const reader = await owner(system, 'v');
  const viewer = await RawClient.connect(reader); // without which there is no ledger
  t.after(() => viewer.destroy());
  viewer.send(requestBytes('GET', '/connect?userid=u&videoid=v'));
  await until(() => viewer.received.includes('\n\n'), 'the stream');
  const { id } = await post(system, 'v', 'the first');
  const held = await holdOne(system);
  const named = (request) => request && JSON.parse(JSON.stringify(request).replaceAll('the first', id).replaceAll('the held', held));
  for (const operation of everywhere(description)) {
    const { operationId, requestBody } = operation.operation;
    if (streams[operationId] || operationId === 'watchDashboard') continue;
    assert.ok(asked[operationId], `a request for ${operationId}: add one to this test`);
    const url = urlOf(system, operation.role, reader);
    const answer = await exchange(url, bytesOf(operation, named(asked[operationId])));
    assert.ok([200, 201, 202, 204].includes(answer.status), `${operation.role} ${operationId}: ${answer.status} ${answer.text}`);
    description.checkAnswer(operation, answer);
    const etag = answer.headers.etag;
    if (etag) description.checkAnswer(operation, await exchange(url, bytesOf(operation, { ...asked[operationId], headers: { 'If-None-Match': etag } })));
    const content = requestBody?.content['application/json'];
    if (content) {
      description.check(content.schema, named(asked[operationId]).body, `the request of ${operationId}`);
      description.check(content.schema, content.example, `the example of ${operationId}`);
    }
  }
});

// The names of a stream's events so far, each of which is as described.
function checkedEvents(description, operation, client) {
  const events = client.stream.split('\n\n').slice(0, -1).map((text) => ({ name: /^event: (.*)$/m.exec(text)?.[1] ?? 'message', data: /^data: (.*)$/m.exec(text)?.[1] }));
  return events.filter(({ data }) => data).map(({ name, data }) => {
    description.checkEvent(operation, name, JSON.parse(data));
    return name;
  });
}

scenario('older comments and the number of viewers are as described', async (t) => {
  const system = await t.system();
  const description = await Description.of(system.comment);
  const operation = description.operations().find(({ operation: { operationId } }) => operationId === 'watchVideo');
  const reader = await owner(system, 'v');
  for (let i = 0; i < 5; i++) await post(system, 'v', `comment ${i}`);
  const client = await RawClient.connect(reader);
  t.after(() => client.destroy());
  client.send(bytesOf(operation, { target: '/connect?userid=u&videoid=v&history=3&events=viewers' }));
  const names = await until(() => {
    const events = checkedEvents(description, operation, client);
    return events.includes('viewers') && events;
  }, 'the number of viewers');
  assert.equal(names.filter((name) => name === 'message').length, 4);
});

scenario('streams, their events and redirects are as described', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'log-entries': 3, 'log-min-age-ms': 0 } });
  const description = await Description.of(system.comment);
  const reader = await owner(system, 'v');
  const first = await post(system, 'v', 'the first');
  for (let i = 0; i < 300; i++) await post(system, 'v', `comment ${i}`, i % 2 ? { name: 'Ann' } : {});
  for (const operation of description.operations().filter(({ operation: { operationId } }) => streams[operationId])) {
    const { method } = operation;
    const other = system.others(reader)[0];
    const request = streams[operation.operation.operationId];
    const moved = await exchange(other, bytesOf(operation, { ...request, host: new URL(other).host }));
    assert.equal(moved.status, 307);
    description.checkAnswer(operation, moved);
    const viewer = await t.watch(reader, { video: 'v', method, from: first.id });
    const last = await post(system, 'v', `the last for ${method}`);
    await viewer.reaches(last.id);
    const { 'x-events': events } = description.response(operation, 200).content['text/event-stream'];
    assert.ok(events.message && events.gap);
    description.checkEvent(operation, 'message', viewer.connected.json ?? viewer.connected);
    assert.ok(viewer.gaps.length && viewer.comments.length);
    for (const each of viewer.gaps) description.checkEvent(operation, 'gap', each.json ?? each);
    for (const each of viewer.comments) description.checkEvent(operation, 'message', each.json ?? each);
  }
});

scenario('the stream of the dashboard is as described', async (t) => {
  const system = await t.system({ flags: { 'statistics-interval-ms': 200 } });
  const description = await Description.of(system.comment);
  const operation = description.operations().find(({ operation: { operationId } }) => operationId === 'watchDashboard');
  const client = await RawClient.connect(system.statistics);
  t.after(() => client.destroy());
  client.send(bytesOf(operation));
  const { 'x-events': described } = description.response(operation, 200).content['text/event-stream'];
  const names = await until(() => {
    const events = checkedEvents(description, operation, client);
    return events.filter((name) => name === 'sample').length > 1 && events;
  }, 'two samples');
  assert.deepEqual(names.slice(0, 2), ['hello', 'history']);
  for (const name of names) assert.ok(described[name]);
});

// Refusals that any operation may give, with the code.
const refusals = {
  bad_request: ({ method, path }) => Buffer.from(`${method} ${plain(path)} HTTP/1.1\r\nHost : a\r\n\r\n`),
  http_version: ({ method, path }) => Buffer.from(`${method} ${plain(path)} HTTP/3.7\r\nHost: a\r\n\r\n`),
  method_not_allowed: ({ path }) => requestBytes('PROPFIND', plain(path)),
  expectation_failed: ({ method, path }) => requestBytes(method, plain(path), { headers: { ...json, Expect: 'wonders' }, body: '{}' }),
  header_too_large: ({ method, path }) => requestBytes(method, plain(path), { headers: { 'X-Large': 'x'.repeat(70_000) } }),
  too_many_headers: ({ method, path }) => requestBytes(method, plain(path), { headers: Array.from({ length: 1_100 }, (_, i) => `X-${i}: 1`) }),
};
// Those of operations with a body, and with a parameter in the path.
const bodyRefusals = {
  unsupported_media_type: (operation) => requestBytes(operation.method, plain(operation.path), { body: '{}' }),
  invalid_json: (operation) => bytesOf(operation, { body: '{"a":' }),
  invalid_field: (operation) => bytesOf(operation, { body: { userid: 7, videoid: 7, instanceId: 7, clientId: 7, state: 7, slow_ms: 'x', seconds: 'x', id: 7 } }),
  body_too_large: (operation) => requestBytes(operation.method, plain(operation.path), { headers: ['Content-Type: application/json', `Content-Length: ${big.length}`] }),
};
// For operators only at the comment port of `up`: tests/integration/address/inner.
const guardedElsewhere = ['getDashboard', 'watchDashboard', 'getLedger'];
const requiresField = ({ requestBody }) => requestBody.content['application/json'].schema.required;

scenario('every refusal that can be provoked is as described', { ms: 90_000 }, async (t) => {
  const system = await t.system();
  const description = await Description.of(system.comment);
  const refused = async (operation, code, bytes) => {
    const answer = await exchange(urlOf(system, operation.role), bytes);
    const where = `${operation.role} ${operation.method} ${operation.path}: ${code}`;
    assert.ok(answer, `an answer, ${where}`);
    assert.equal(answer.json?.code, code, `${where}: ${answer.text}`);
    description.checkAnswer(operation, answer);
  };
  for (const operation of everywhere(description)) {
    const { path, method, operation: { requestBody, parameters = [] } } = operation;
    const resolved = parameters.map((each) => description.resolve(each));
    for (const [code, bytes] of Object.entries(refusals)) await refused(operation, code, bytes(operation));
    if (requestBody) for (const [code, bytes] of Object.entries(bodyRefusals)) await refused(operation, code, bytes(operation));
    if (requestBody && requiresField(operation.operation)) await refused(operation, 'missing_field', bytesOf(operation, { body: {} }));
    if (resolved.some(({ in: place, required }) => place === 'query' && required)) await refused(operation, 'missing_field', requestBytes(method, path));
    if (operation.operation.responses[403]?.$ref?.endsWith('/Forbidden') && !guardedElsewhere.includes(operation.operation.operationId)) await refused(operation, 'forbidden', bytesOf(operation, { body: {}, headers: { Origin: 'http://a' } }));
  }
  const find = (id, role) => description.operations().find((each) => each.operation.operationId === id && each.role === role);
  await refused(find('resolveVideo', 'manager'), 'invalid_field', requestBytes('GET', '/resolve/%24'));
  await refused(find('listComments', 'comment'), 'invalid_field', requestBytes('GET', '/videos/v/comments?limit=0'));
  await refused(find('listVideos', 'comment'), 'invalid_field', requestBytes('GET', '/videos?limit=0'));
  await refused(find('listVideos', 'statistics'), 'invalid_field', requestBytes('GET', '/videos?limit=101'));
  await refused(find('resolveVideo', 'manager'), 'not_registered', requestBytes('GET', '/resolve/never'));
  await refused(find('getHealth', 'manager'), 'not_found', requestBytes('GET', '/none'));
  const keyed = (text) => jsonBytes('POST', '/comment', { ...comment, comment: text }, { headers: { ...json, 'Idempotency-Key': 'k' } });
  await exchange(system.comment, keyed('once'));
  await refused(find('postComment', 'comment'), 'key_reused', keyed('twice'));
});

scenario('what only a demo serves is as described', { setups: ['embedded', 'up-redis'] }, async (t) => {
  const system = await t.system({ flags: { demo: true, 'log-level': 'warn', 'demo-restart-ms': 600_000 } });
  const description = await Description.of(system.comment);
  const host = new URL(system.statistics).host;
  const ask = async (id, options) => {
    const operation = description.operations().find((each) => each.operation.operationId === id);
    const answer = await exchange(system.statistics, bytesOf(operation, { host, ...options }));
    description.checkAnswer(operation, answer);
    return answer;
  };
  const { json: { token } } = await ask('getDemo');
  const headers = { Authorization: `Bearer ${token}` };
  const statuses = [];
  for (const [id, options] of [
    ['getDemo', { headers: { Origin: 'http://a' } }],
    ['killReader', { target: '/demo/readers/reader-1/kill' }],
    ['killReader', { target: '/demo/readers/none/kill', headers }],
    ['killReader', { target: '/demo/readers/reader-1/kill', headers }],
    ['killReader', { target: '/demo/readers/reader-1/kill', headers }],
  ]) statuses.push((await ask(id, options)).status);
  assert.deepEqual(statuses, [403, 403, 404, 202, 409]);
  await until(async () => (await ask('getDashboard')).json.notices.some(({ kind }) => kind === 'reader_lost'), 'a notice of the lost reader', 10_000);
});

const postOperation = (description) => description.operations().find(({ operation }) => operation.operationId === 'postComment');

scenario('limits refuse as described', async (t) => {
  const system = await t.system({ flags: { 'user-rate': 1, 'max-videos': 1, 'header-timeout-ms': 500 } });
  const description = await Description.of(system.comment);
  const operation = postOperation(description);
  const late = exchange(system.comment, Buffer.from('POST /comment HTTP/1.1\r\n'));
  const codes = await until(async () => {
    description.checkAnswer(operation, await exchange(system.comment, bytesOf(operation, { body: comment })));
    description.checkAnswer(operation, await exchange(system.comment, bytesOf(operation, { body: { ...comment, userid: `u${description.seen.size}`, videoid: `v${description.seen.size}` } })));
    const seen = [...description.seen].filter((each) => /too_fast|too_many_videos/.test(each));
    return seen.length === 2 && seen;
  }, 'both limits');
  assert.deepEqual(codes.sort(), ['POST /comment 429 too_fast', 'POST /comment 503 too_many_videos']);
  const answer = await late;
  assert.equal(answer.json.code, 'timeout');
  description.checkAnswer(operation, answer);
});

scenario('a store that is away, services that are gone: 503 as described', { setups: ['processes'], ms: 60_000 }, async (t) => {
  const system = await t.system();
  const description = await Description.of(system.comment);
  await register(system, 'v');
  const find = (id, role) => description.operations().find((each) => each.operation.operationId === id && each.role === role);
  const until503 = (id, role, code, bytes) => until(async () => {
    const operation = find(id, role);
    const answer = await exchange(urlOf(system, role), bytes ?? bytesOf(operation, asked[id]));
    description.checkAnswer(operation, answer);
    return answer.status === 503 && answer.json.code === code;
  }, `${id} at ${role}: ${code}`, 20_000);
  await system.program.end1('statistics', 'SIGKILL');
  await until503('getStatistics', 'comment', 'statistics_unavailable');
  for (const name of ['reader-1', 'reader-2', 'reader-3']) await system.program.end1(name, 'SIGKILL');
  await until503('registerVideo', 'comment', 'no_reader', jsonBytes('POST', '/register', { videoid: 'other' }));
  await until503('registerVideo', 'manager', 'no_reader', jsonBytes('POST', '/register', { videoid: 'other' }));
  await until503('getReady', 'manager', undefined);
  await system.redis.stop();
  await until503('postComment', 'comment', 'store_unavailable');
  await until503('listComments', 'comment', 'store_unavailable');
  await until503('getReady', 'comment', undefined);
});

scenario('a full store: 503 as described', { setups: ['up-redis', 'processes'] }, async (t) => {
  const system = await t.system();
  const description = await Description.of(system.comment);
  await system.redis.command('CONFIG', 'SET', 'maxmemory', '1');
  const operation = postOperation(description);
  await until(async () => {
    const answer = await exchange(system.comment, bytesOf(operation, { body: comment }));
    description.checkAnswer(operation, answer);
    return answer.json.code === 'store_full';
  }, 'a full store');
});

scenario('codes have one status everywhere, and those listed are those of operations', async (t) => {
  const system = await t.system();
  const description = await Description.of(system.comment);
  const listed = description.document['x-error-codes'];
  const used = new Set();
  for (const operation of description.operations()) {
    for (const { status, code } of description.codes(operation)) {
      assert.ok(listed[code], `${code} is listed`);
      if (status !== 'default') assert.equal(listed[code].status, Number(status), code);
      used.add(code);
    }
  }
  assert.deepEqual([...used].sort(), Object.keys(listed).sort());
});
