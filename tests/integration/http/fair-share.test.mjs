// One client at full speed, on one connection or sixty, does not stop the others.
// Set-ups: embedded, up-redis.
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { call } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// Runs outside the test's thread: posts from `count` connections without waiting for responses, and counts these.
const attacker = `
const net = require('node:net');
const { workerData: { port, count, request, address, answers } } = require('node:worker_threads');
const block = Buffer.from(request.repeat(8));
const attack = () => {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress: address });
  const push = () => { while (socket.writable && socket.write(block)); };
  socket.on('data', (bytes) => Atomics.add(answers, 0, bytes.toString('latin1').split('HTTP/1.1 ').length - 1));
  socket.on('drain', push).on('error', () => {}).on('close', () => setTimeout(attack, 5));
  push();
};
for (let i = 0; i < count; i++) attack();
`;

// Returns a function that returns how many responses the attackers have had.
async function attack(t, system, body, address) {
  const answers = new Int32Array(new SharedArrayBuffer(4));
  const request = `POST /comment HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const worker = new Worker(attacker, { eval: true, workerData: { port: Number(new URL(system.comment).port), count: 60, request, address, answers } });
  t.after(() => worker.terminate());
  const answered = () => Atomics.load(answers, 0);
  await until(() => answered() > 300, () => `the attack to begin; ${answered()} answers`);
  return answered;
}

const nested = (size) => `{"userid":"a","videoid":"a","comment":"a","x":${'['.repeat(500)}${']'.repeat(500)}}`.padEnd(size);
const bodies = { 'the largest bodies that are taken': nested(16_384), 'bodies that are refused': '{"x":'.repeat(3_000) };

// How many responses the attackers get between an honest post and its response: the median of many.
async function meanwhile(system, answered) {
  const between = [];
  for (let i = 0; i < 60; i++) {
    const before = answered();
    const answer = await call('POST', `${system.comment}/comment`, { json: { userid: 'h', videoid: 'h', comment: `${i}` } });
    assert.equal(answer.status, 201, answer.text);
    between.push(answered() - before);
  }
  return between.sort((a, b) => a - b)[30];
}

// A post waits for each of the others at its own address once or twice, while a bounded piece of their work is done;
// for another address it does not wait at all.
for (const [what, body] of Object.entries(bodies)) {
  for (const [address, most] of [['127.0.0.1', 500], ['127.0.0.2', 200]]) {
    scenario(`sixty connections from ${address} that send ${what} leave room for others`, { ms: 60_000, setups: ['embedded', 'up-redis'] }, async (t) => {
      const system = await t.system({ flags: { 'log-level': 'error' } });
      const answered = await attack(t, system, body, address);
      const between = await meanwhile(system, answered);
      assert.ok(between <= most, `${between} answers to attackers during an honest post`);
    });
  }
}

scenario('large nested bodies cost nothing: they are refused by their length', { ms: 60_000, setups: ['embedded'] }, async (t) => {
  const system = await t.system();
  const answered = await attack(t, system, `{"x":[${Array.from({ length: 255 }, () => '['.repeat(500) + ']'.repeat(500))}]}`, '127.0.0.1');
  await meanwhile(system, answered);
});
