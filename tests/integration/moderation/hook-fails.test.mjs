// --review-hook: a hook that is slow, dead or mad costs a comment the time limit at most, and soon nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { Agent } from '../lib/undici.mjs';
import { call } from '../lib/api.mjs';
import { scrape, sum } from '../lib/exposition.mjs';
import { asking, newest, refused, send, startHook } from '../lib/hook.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const FAILURES = 10; // in a row, after which it is only probed
const reviews = async (system, answer) => sum(await scrape(system.comment), 'chorus_comment_reviews_total', { answer });
const isFailing = async (system) => sum(await scrape(system.comment), 'chorus_comment_review_failing') === 1;

scenario('what is no answer is a failure, and the fallback applies', { ms: 60_000 }, async (t) => {
  const hook = await startHook(t);
  const allowing = await t.system({ flags: { ...asking(hook), 'review-timeout-ms': 2_000 } });
  const denying = await t.system({ flags: { ...asking(hook), 'review-timeout-ms': 2_000, 'review-fallback': 'deny' } });
  const failures = {
    'no answer': () => {},
    'a cut': (question, response) => response.destroy(),
    'an error': (question, response) => response.writeHead(500).end('{"action":"deny"}'),
    'a redirect': (question, response) => response.writeHead(302, { location: hook.url }).end(),
    'no content': (question, response) => response.writeHead(204).end(),
    'no JSON': (question, response) => response.end('<html>'),
    'a list': () => [{ action: 'deny' }],
    'no action': () => ({ deny: true }),
    'another action': () => ({ action: 'Deny' }),
    'an action that is no text': () => ({ action: ['deny'] }),
    'text behind it': (question, response) => response.end('{"action":"deny"}{}'),
    'half of it': (question, response) => response.end('{"action":"deny"'),
    'a huge answer': () => ({ action: 'deny', more: 'x'.repeat(1 << 20) }),
    'an endless one': (question, response) => {
      response.write('{"action":"deny","more":"');
      const timer = setInterval(() => response.write('x'.repeat(100)), 1);
      response.on('close', () => clearInterval(timer));
    },
    'a replacement without a text': () => ({ action: 'replace' }),
    'an empty one': () => ({ action: 'replace', text: '' }),
    'one too long': () => ({ action: 'replace', text: 'x'.repeat(2001) }),
    'one with a control': () => ({ action: 'replace', text: 'x\u0001' }),
    'one with a NUL': () => ({ action: 'replace', text: 'x\0y' }),
    'one that breaks a rule for texts': () => ({ action: 'replace', text: '\u202egnorw' }),
    'half a character': (question, response) => response.end('{"action":"replace","text":"\\ud83d"}'),
  };
  let count = 0;
  for (const [name, answer] of Object.entries(failures)) {
    hook.answer = answer;
    const [allowed, denied] = await Promise.all([send(allowing, name), send(denying, name)]);
    assert.equal(allowed.status, 201, name);
    refused(denied, 503, 'review_unavailable');
    assert.equal(await reviews(allowing, 'failed'), ++count, name);
    hook.answer = () => ({ action: 'allow' }); // so that it is asked again
    assert.equal((await send(allowing, 'ok')).status, 201);
    assert.equal((await send(denying, 'ok')).status, 201);
  }
  assert.equal(await reviews(denying, 'failed'), count);
});

scenario('the fallback applies at the time limit, and a reload changes both', { ms: 60_000 }, async (t) => {
  const hook = await startHook(t, () => {});
  const config = join(t.folder(), 'chorus.conf');
  const write = (ms, fallback) => writeFileSync(config, `review-timeout-ms = ${ms}\nreview-fallback = ${fallback}\n`);
  write(200, 'allow');
  const system = await t.system({ flags: { 'review-hook': hook.url, config } });
  const began = performance.now();
  assert.equal((await send(system, 'waits')).status, 201);
  const took = performance.now() - began;
  assert.ok(took >= 195 && took < 5_000, `${took} ms`);
  write(20, 'deny');
  system.program.signal('SIGHUP');
  await until(async () => (await send(system, 'waits')).status === 503, 'the other fallback');
});

scenario('after some failures in a row the hook is only probed, and comes back by itself', { ms: 60_000 }, async (t) => {
  const hook = await startHook(t);
  const system = await t.system({ flags: asking(hook) });
  assert.equal((await send(system, 'first')).status, 201);
  await hook.stop();
  for (let i = 0; i < FAILURES; i++) {
    assert.equal(await isFailing(system), false);
    assert.equal((await send(system, `${i}`)).status, 201);
  }
  assert.equal(await isFailing(system), true);
  const failed = await reviews(system, 'failed'), began = performance.now();
  for (let i = 0; i < 100; i++) assert.equal((await send(system, `more ${i}`)).status, 201);
  const probes = (await reviews(system, 'failed')) - failed;
  assert.ok(probes <= Math.ceil((performance.now() - began) / 1000) + 1, `${probes} probes`);
  assert.ok((await reviews(system, 'skipped')) >= 100 - probes);
  hook.answer = () => ({ action: 'deny' });
  await hook.restart();
  await until(async () => (await send(system, 'again')).json.code === 'comment_denied', 'the hook to be asked again');
  assert.equal(await isFailing(system), false);
  for (const event of ['review_failing', 'review_back'])
    assert.equal((system.program.stdout + system.program.stderr).split(` event=${event} `).length - 1, 1, event);
});

scenario('a hook whose address does not answer at all delays no one else', async (t) => {
  const silent = net.createServer({ pauseOnConnect: true }); // accepts, and reads nothing
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const sockets = [];
  silent.on('connection', (socket) => sockets.push(socket));
  t.after(() => (sockets.forEach((socket) => socket.destroy()), new Promise((done) => silent.close(done))));
  const flags = { 'review-hook': `http://127.0.0.1:${silent.address().port}/`, 'review-timeout-ms': 10_000 };
  const system = await t.system({ flags });
  const dispatcher = new Agent({ connections: 300 });
  t.after(() => dispatcher.destroy());
  const waiting = Promise.all(Array.from({ length: 300 }, (_, i) => send(system, `${i}`, { dispatcher })));
  waiting.catch(() => {}); // the system ends first
  await until(async () => (await reviews(system, 'overflow')) > 0, 'questions beyond the bound');
  await until(async () => (await newest(system)).length === 44, 'the comments that were not asked about'); // 300 - 256
  assert.equal((await call('GET', `${system.comment}/health`)).status, 200);
  await system.release(); // with 256 questions under way
});
