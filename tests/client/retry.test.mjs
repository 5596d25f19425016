// When the client connects again, asks for another reader, gives up; and how it posts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Clock } from './lib/clock.mjs';
import { FakeWorld } from './lib/fake-world.mjs';
import { Random, forSeeds } from './lib/random.mjs';
import { Watcher } from './lib/watcher.mjs';

const begin = (random = new Random(1)) => {
  const clock = new Clock(), world = new FakeWorld(clock, random);
  return { clock, world };
};
const isConnect = ({ path }) => path.endsWith('/connect');
const answer = (status, body = {}, headers = {}) => ({ status, ok: status < 300, headers: new Headers(headers), json: async () => body });

// A server whose answers are a function of the request and of how many have gone to its path. registers: also to /register.
function scripted(reply, options = {}) {
  const clock = new Clock(), requests = [];
  const fetch = async (url, init) => {
    const { pathname, searchParams } = new URL(url);
    requests.push({ ms: clock.ms, url, path: pathname, query: searchParams, ...init, json: init.body && JSON.parse(init.body) });
    if (pathname === '/register' && !options.registers) return answer(200, { readerUrl: 'http://r1.test' });
    const response = await reply(requests.at(-1), requests.filter(({ path }) => path === pathname).length);
    init.signal.addEventListener('abort', () => response.fail?.(init.signal.reason));
    return response;
  };
  const watcher = new Watcher({ clock, random: new Random(1) }, { fetch, ...options });
  return { clock, requests, watcher, live: watcher.live, at: (path) => requests.filter((each) => each.path === path) };
}
// A stream of these bytes, which stays open, or ends in good order.
const stream = (text, ends, hold) => {
  let controller;
  const body = new ReadableStream({ start: (own) => (controller = own) });
  controller.enqueue(new TextEncoder().encode(text));
  if (ends) controller.close();
  hold?.(() => controller.close());
  return { ...answer(200, {}, { 'content-type': 'text/event-stream' }), body, fail: (reason) => controller.error(reason) };
};
const CONNECTED = 'id: 5-1\ndata: {"type":"connected"}\n\n';

test('a dead reader is asked at most twice before the comment API is asked again, ever more rarely', async () => {
  await forSeeds(20, async (random) => {
    const { clock, world } = begin(random);
    const { live, states } = new Watcher(world);
    await clock.pass(20_000);
    assert.equal(live.state.name, 'live');
    world.kill(world.owner);
    const before = world.requests.length, lost = clock.ms;
    await clock.pass(600_000);
    const attempts = world.requests.slice(before);
    let row = 0;
    for (const each of attempts) assert.ok((row = isConnect(each) ? row + 1 : 0) <= 2, 'three times in a row');
    const connects = attempts.filter(isConnect);
    assert.ok(connects.length >= 20 && connects.length <= 120, `${connects.length} attempts in ten minutes`);
    for (const { ms, name, retryInMs } of states) if (name === 'reconnecting') assert.ok(retryInMs <= (ms - lost < 5_000 ? 1_700 : 30_000), `${retryInMs} ms`);
    live.close();
  });
});

test('a client is back within 5 s of the death of its reader, if the video has another after 3 s', async () => {
  await forSeeds(200, async (random) => {
    const { clock, world } = begin(random);
    const watcher = new Watcher(world);
    await clock.pass(20_000);
    world.kill(world.owner);
    const missed = [world.append(), world.append()];
    await clock.pass(3_000);
    world.move();
    await clock.pass(2_000);
    watcher.check();
    assert.equal(watcher.comments.length, missed.length);
    watcher.live.close();
  });
});

test('silence is a dead connection after 2.5 heartbeats, of the length that the reader has named', async () => {
  for (const [told, ms] of [['', 37_500], [',"heartbeatMs":60000', 150_000], [',"heartbeatMs":1000', 37_500]]) {
    const { clock, live, at } = scripted(() => stream(CONNECTED.replace('}', `${told}}`)));
    await clock.pass(ms - 100);
    assert.equal(at('/connect').length, 1);
    assert.equal(at('/connect')[0].query.get('heartbeat'), '15');
    await clock.pass(3_000);
    assert.equal(at('/connect').length, 2);
    assert.equal(at('/connect')[1].query.get('last_event_id'), '5-1');
    live.close();
  }
});

test('a proxy that ends in good order what is cut does not end a quiet video', async () => {
  let end;
  const { live, clock, at } = scripted(() => stream(CONNECTED, false, (close) => (end = close)));
  for (let cuts = 1; cuts <= 4; cuts++) {
    await clock.pass(20_000);
    end();
    await clock.pass(5_000);
    assert.deepEqual([live.state.name, at('/connect').length], ['live', cuts + 1]);
  }
  live.close();
});

test('204 ends it; an orderly end does if nothing follows it', async () => {
  const over = scripted(() => answer(204));
  await over.clock.pass(60_000);
  assert.deepEqual([over.live.state.name, over.at('/connect').length], ['ended', 1]);
  const ended = scripted(() => stream(CONNECTED, true));
  await ended.clock.pass(60_000);
  assert.deepEqual([ended.live.state.name, ended.at('/connect').length], ['ended', 2]);
  const proxied = scripted((_, n) => (n === 1 ? stream(CONNECTED, true) : stream('id: 5-1\ndata: {"type":"connected"}\n\nid: 5-2\ndata: {"id":"5-2","userid":"a","comment":"x"}\n\n')));
  await proxied.clock.pass(10_000);
  assert.equal(proxied.live.state.name, 'live');
  assert.equal(proxied.watcher.comments.length, 1);
  for (const { live } of [over, ended, proxied]) live.close();
});

test('the end of the video ends it once the server has confirmed that, without a word in between; a start goes on', async () => {
  const END = CONNECTED + 'event: end\nid: 5-2\ndata: {"type":"end","id":"5-2"}\n\n';
  const over = scripted((_, n) => (n === 1 ? stream(END, true) : answer(204)));
  await over.clock.pass(60_000);
  assert.deepEqual([over.watcher.states.map(({ name }) => name), over.at('/connect').length], [['live', 'ended'], 2]);
  assert.equal(over.at('/connect')[1].query.get('last_event_id'), '5-2');
  const again = scripted((_, n) => (n === 1 ? stream(END, true) : stream('id: 5-2\ndata: {"type":"connected"}\n\nevent: start\nid: 5-3\ndata: {"type":"start","id":"5-3"}\n\n')));
  await again.clock.pass(60_000);
  assert.equal(again.live.state.name, 'live');
  for (const { live } of [over, again]) live.close();
});

test('a token whose time is over within seconds, again and again, does not end a quiet video', async () => {
  const expiry = 'event: end\ndata: {"type":"end","reason":"token"}\n\n', rooms = [];
  const tokens = ['t1', 't2', 't3', 't4'];
  const { live, clock, at } = scripted((_, n) => stream(CONNECTED + (n < 4 ? expiry : ''), n < 4),
    { token: () => tokens[Math.min(at('/connect').length, 3)], onRoom: (room) => rooms.push(room) });
  await clock.pass(30_000);
  const streams = at('/connect');
  assert.deepEqual([live.state.name, streams.length, rooms], ['live', 4, []]);
  assert.deepEqual(streams.map(({ headers }) => headers.authorization), tokens.map((token) => `Bearer ${token}`));
  live.close();
});

test('a gap begins after what was shown, and a reader that resumes too late leaves one', async () => {
  const shown = 'id: 5-2\ndata: {"id":"5-2","userid":"a","comment":"x"}\n\n';
  const gap = 'event: gap\nid: 5-6\ndata: {"type":"gap","from":"5-1","to":"5-6","missed":6,"reason":"slow"}\n\n';
  const { clock, live, watcher } = scripted((_, n) => (n === 1 ? stream(CONNECTED + shown + gap, true) : stream('id: 5-9\ndata: {"type":"connected"}\n\n')));
  await clock.pass(10_000);
  assert.deepEqual(watcher.gaps, [
    { type: 'gap', from: '5-3', to: '5-6', missed: 4, reason: 'slow' },
    { type: 'gap', from: '5-7', to: '5-9', missed: 3, reason: 'lost' },
  ]);
  assert.equal(live.position, '5-9');
  live.close();
});

test('a loss that was noticed late begins before what was shown since', async () => {
  const since = 'id: 6-1\ndata: {"id":"6-1","userid":"a","comment":"of the next epoch"}\n\n';
  const gap = 'event: gap\nid: 7-1\ndata: {"type":"gap","from":"5-2","to":"7-1","missed":null,"reason":"epoch"}\n\n';
  const { clock, live, watcher } = scripted(() => stream(CONNECTED + since + gap));
  await clock.pass(10_000);
  assert.deepEqual(watcher.gaps, [{ type: 'gap', from: '5-2', to: '7-1', missed: null, reason: 'epoch' }]);
  live.close();
});

test('a refusal is final from the comment API, and from a reader once the comment API has confirmed the reader', async () => {
  const invalid = scripted(() => answer(400, { error: 'videoid must be …', code: 'invalid_field' }), { registers: true });
  await invalid.clock.pass(60_000);
  const { name, code, error } = invalid.live.state;
  assert.deepEqual([name, code, error, invalid.requests.length], ['refused', 'invalid_field', 'videoid must be …', 1]);
  const reader = scripted(() => answer(403, { error: 'no', code: 'forbidden' }));
  await reader.clock.pass(60_000);
  assert.deepEqual(reader.requests.map(({ path }) => path), ['/register', '/connect', '/register', '/connect']);
  assert.equal(reader.live.state.name, 'refused');
});

test('a text that is refused is not sent again, and the error has the sentence and its code', async () => {
  const refusal = { error: 'A letter may have 8 marks at most.', code: 'too_many_marks' };
  const { live, at } = scripted(({ path }) => (path === '/comment' ? answer(400, refusal) : stream(CONNECTED)));
  await assert.rejects(live.post('Z\u0301'), { name: 'ChorusError', status: 400, message: refusal.error, code: refusal.code });
  assert.equal(at('/comment').length, 1);
  live.close();
});

test('a token is asked for with each request, and sent again where a redirect has dropped it', async () => {
  let n = 0;
  const { clock, live, requests } = scripted(
    ({ url }) => (url.startsWith('http://r2.test/') ? stream(CONNECTED) : { ...answer(401), redirected: true, url: url.replace('r1', 'r2') }),
    { token: async () => `t${++n}` },
  );
  await clock.pass(5_000);
  assert.equal(live.state.name, 'live');
  assert.deepEqual(requests.map(({ path, headers }) => [path, headers.authorization]), [['/register', 'Bearer t1'], ['/connect', 'Bearer t2'], ['/connect', 'Bearer t3']]);
  live.close();
});

test('a move is followed at once, to its very address and with the token; a moved client stays there', async () => {
  let cut;
  const { clock, live, at } = scripted(({ url }, n) => {
    if (n === 1) return { ...stream('event: move\ndata: {"type":"move","url":"http://r2.test/connect?a=b&hop=1"}\n\n', true), url };
    return { ...stream(CONNECTED, false, (end) => (cut = end)), url };
  }, { token: (n => () => `t${++n}`)(0) });
  await clock.pass(0);
  await clock.pass(1);
  assert.deepEqual([live.state.name, at('/connect').length], ['live', 2]);
  const [first, second] = at('/connect');
  assert.match(first.query.get('events'), /\bmove\b/);
  assert.deepEqual([second.url, first.headers.authorization, second.headers.authorization], ['http://r2.test/connect?a=b&hop=1', 'Bearer t2', 'Bearer t3']);
  await clock.pass(20_000);
  cut();
  await clock.pass(5_000);
  assert.match(at('/connect')[2].url, /^http:\/\/r2\.test\/connect\?userid=.*last_event_id=5-1/);
  live.close();
});

test('a stream that is to go on at another reader does so at once, from where the client stands', async () => {
  const comment = 'id: 5-2\ndata: {"id":"5-2","userid":"u","videoid":"v","comment":"hi","timestamp":"t"}\n\n';
  const { clock, live, requests, watcher } = scripted(({ url }) => {
    if (url.includes('r1.test')) return { ...stream(`${CONNECTED}${comment}event: move\ndata: {"type":"move","reader":"http://r2.test/in"}\n\n`), url };
    return { ...stream('id: 5-2\ndata: {"type":"connected"}\n\n'), url };
  });
  await clock.pass(0);
  await clock.pass(1);
  const [, second] = requests.filter(isConnect);
  assert.match(second.url, /^http:\/\/r2\.test\/in\/connect\?userid=.*last_event_id=5-2/);
  assert.equal(live.state.name, 'live');
  assert.ok(watcher.states.every(({ name }) => name !== 'reconnecting'));
  live.close();
});

test('readers that send each other a client are given up after 20 moves, for a pause', async () => {
  const { clock, live, at } = scripted(({ url }, n) => {
    const other = url.includes('//r1.') ? url.replace('r1', 'r2') : url.replace('r2', 'r1');
    return { ...(n > 40 ? stream(CONNECTED) : stream(`event: move\ndata: {"url":"${other}"}\n\n`, true)), url };
  });
  for (let i = 0; i < 50; i++) await clock.pass(1);
  assert.deepEqual([live.state.name, at('/connect').length], ['reconnecting', 21]);
  live.close();
});

test('Retry-After is waited for, and the browser that is online again does not wait', async () => {
  const { clock, live, requests, watcher } = scripted(() => answer(503, {}, { 'retry-after': '20' }), { registers: true });
  await clock.pass(19_000);
  assert.equal(requests.length, 1);
  await clock.pass(3_000);
  assert.equal(requests.length, 2);
  assert.ok(watcher.states.every(({ name, retryInMs }) => name === 'reconnecting' && retryInMs >= 20_000));
  live.close();
  const page = new EventTarget(), { clock: other, world } = begin();
  world.kill(world.owner);
  const { live: offline } = new Watcher(world, {}, { page });
  await other.pass(300_000);
  world.move();
  page.dispatchEvent(new Event('online'));
  await other.pass(500);
  page.dispatchEvent(new Event('online'));
  await other.pass(500);
  assert.equal(offline.state.name, 'live');
  offline.close();
});

const posting = (reply, options) => scripted((request, n) => (request.path === '/comment' ? reply(request, n) : stream(CONNECTED)), options);
const taken = ({ json }) => answer(201, { success: true, comment: { id: '5-2', ...json } });

test('a comment whose answer is lost, late or 503 is sent again with its key, and no other', async () => {
  const lost = [() => Promise.reject(new TypeError('reset')), ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))), () => answer(503, {}, { 'retry-after': '1' }), taken];
  const { clock, live, at } = posting((request, n) => lost[n - 1](request), { name: 'Ann' });
  const posted = live.post('x');
  await clock.pass(20_000);
  assert.deepEqual((await posted).comment, 'x');
  assert.deepEqual(at('/comment').map(({ json }) => json), Array(4).fill({ userid: 'u', videoid: 'v', comment: 'x', name: 'Ann' }));
  assert.equal(new Set(at('/comment').map(({ headers }) => headers['idempotency-key'])).size, 1);
  live.post('x');
  await clock.pass(100);
  assert.equal(new Set(at('/comment').map(({ headers }) => headers['idempotency-key'])).size, 2, 'once taken, the same text is another comment');
  live.close();
});

test('Enter twice sends once; a refused text keeps its key until it is taken; another text has another', async () => {
  const { clock, live, at } = posting((request, n) => (n < 3 ? answer(429, { error: 'slow down', code: 'too_many' }, { 'retry-after': '7' }) : taken(request)));
  const [first, second] = [live.post('x'), live.post('x')];
  const expected = { status: 429, code: 'too_many', message: 'slow down', retryAfterMs: 7_000 };
  const both = Promise.all([assert.rejects(first, expected), assert.rejects(second, expected)]);
  await clock.pass(100);
  await both;
  assert.equal(at('/comment').length, 1);
  const again = assert.rejects(live.post('x'), expected), other = live.post('y');
  await clock.pass(100);
  await Promise.all([again, other]);
  const last = live.post('x');
  await clock.pass(100);
  await last;
  const keys = at('/comment').map(({ json, headers }) => [json.comment, headers['idempotency-key']]);
  assert.deepEqual(keys.map(([text]) => text), ['x', 'x', 'y', 'x']);
  assert.deepEqual([keys[1][1], keys[3][1]], [keys[0][1], keys[0][1]]);
  assert.notEqual(keys[2][1], keys[0][1]);
  live.close();
});

test('a comment that nothing answers fails within half a minute', async () => {
  const { clock, live } = posting(() => Promise.reject(new TypeError('reset')));
  const failed = assert.rejects(live.post('x'), { name: 'ChorusError', status: 0, code: 'unreachable' });
  await clock.pass(30_000);
  await failed;
  live.close();
});

test('an exception of a callback is reported, and the stream goes on', () => {
  const script = `
    import { Clock } from './clock.mjs';
    import { FakeWorld } from './fake-world.mjs';
    import { Random } from './random.mjs';
    import { Watcher } from './watcher.mjs';
    process.on('unhandledRejection', ({ message }) => console.log(message));
    const clock = new Clock(), world = new FakeWorld(clock, new Random(1));
    const { live } = new Watcher(world, { onComment: ({ comment }) => { throw new Error(comment); } });
    await clock.pass(1_000);
    for (const text of ['one', 'two']) world.append(text);
    await clock.pass(1_000);
    console.log(live.state.name);
    live.close();`;
  const cwd = fileURLToPath(new URL('lib', import.meta.url));
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd, encoding: 'utf8' }), 'one\ntwo\nlive\n');
});

test('a pause is at least short and at most 30 s, whatever `retry:` says', async () => {
  for (const retry of ['0', '1', '1000000000000', '', 'soon', '-1']) {
    const { clock, live, watcher, at } = scripted((_, n) => {
      if (n > 100) live.close(); // far too often
      return stream(`retry: ${retry}\nid: 5-${n}\ndata: {"type":"connected"}\n\n`, true);
    });
    await clock.pass(20_000);
    assert.ok(at('/connect').length > 1 && at('/connect').length < 60, `retry: ${retry}: ${at('/connect').length} times in 20 s`);
    for (const { retryInMs = 0 } of watcher.states) assert.ok(retryInMs <= 30_000, `retry: ${retry}: a pause of ${retryInMs} ms`);
    live.close();
  }
});

test('one of a crowd comes back exactly when it was told, and asks which reader, as its own may be dead', async () => {
  for (const retry of [4_000, 9_000, 30_000, 34_000]) {
    const { clock, live, at } = scripted((_, n) => stream(n === 1 ? `retry: ${retry}\n${CONNECTED}` : CONNECTED, n === 1));
    await clock.pass(40_000);
    const [first, second] = at('/connect').map(({ ms }) => ms);
    assert.ok(second - first >= retry && second - first < retry + 100, `${retry}: after ${second - first} ms`);
    assert.equal(at('/register').length, 2);
    assert.equal(live.state.name, 'live');
    live.close();
  }
});

test('a store that has started over, even with lower numbers, goes on after a gap', async () => {
  const event = (id, comment) => `id: ${id}\ndata: {"id":"${id}","userid":"a","comment":"${comment}"}\n\n`;
  const beyond = (to) => `id: 5-3\ndata: {"type":"connected","newest":"${to}"}\n\nevent: gap\nid: ${to}\ndata: {"type":"gap","from":"5-4","to":"${to}","missed":null,"reason":"epoch"}\n\n`;
  for (const [to, next] of [['3-0', '3-1'], ['5-1', '5-2'], ['3-7', '3-8']]) {
    const { clock, live, watcher } = scripted((_, n) => (n === 1 ? stream(CONNECTED + event('5-2', 'x') + event('5-3', 'y'), true) : stream(beyond(to) + event(next, 'after'))));
    await clock.pass(10_000);
    assert.deepEqual(watcher.comments.map(({ comment, replayed }) => [comment, replayed]), [['x', false], ['y', false], ['after', false]]);
    assert.deepEqual(watcher.gaps.map(({ missed, reason }) => [missed, reason]), [[null, 'epoch']]);
    assert.equal(live.position, next);
    live.close();
  }
});

test('events that are no objects, or have the names of properties, are passed over', async () => {
  const odd = ['null', '7', '"text"', '[]', '{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{'];
  const { clock, live, watcher, at } = scripted(() => stream(CONNECTED + odd.map((data, i) => `id: 5-${i + 2}\ndata: ${data}\n\n`).join('')));
  await clock.pass(10_000);
  assert.deepEqual([live.state.name, live.position, at('/connect').length, watcher.comments.length], ['live', '5-8', 1, 0]);
  assert.equal({}.polluted, undefined);
  live.close();
});
