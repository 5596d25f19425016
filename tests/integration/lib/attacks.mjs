// An honest user beside attackers (attacker.mjs): viewers that read, a poster, and a look at /health, all the time.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from './undici.mjs';
import { health, owner, post } from './api.mjs';
import { networks } from './networks.mjs';
import { RawClient, requestBytes } from './raw.mjs';
import { scenario } from './scenario.mjs';
import { pause, slow, until, within } from './time.mjs';
import { watch } from './viewer.mjs';

export const attacks = ['half-sent heads', 'half-sent bodies', 'idle connections', '256 KB of nested JSON', 'invented videos', 'rotating user ids',
  'resumes that never read', 'unread answers', 'descriptors eaten'];

const portOf = (url) => Number(new URL(url).port);

// Starts connections that do it, in a process with that nice value: a thread would hold locks of the memory that the honest user needs, too.
// Returns {pid, end()} and {opened, closed, bytes}, which lag behind by some milliseconds.
export function startAttack(system, attack, { slots, addresses, network = 'loopback', resume, againMs = 10, nice = 0 }) {
  const all = [system.comment, system.manager, system.statistics, ...system.readers].map(portOf);
  const ports = { all, comment: [portOf(system.comment)], readers: system.readers.map(portOf) };
  const attacker = fork(new URL('./attacker.mjs', import.meta.url), [JSON.stringify({ attack, ports, slots, addresses, network, resume, againMs, nice })], { execArgv: [] });
  const exit = once(attacker, 'exit');
  const counts = { opened: 0, closed: 0, bytes: 0 };
  attacker.on('message', (newer) => Object.assign(counts, newer));
  return Object.assign(counts, {
    pid: attacker.pid,
    async end() {
      attacker.kill('SIGKILL');
      const [code] = await exit;
      assert.equal(code, null, 'the attacker failed');
    },
  });
}

const percentile = (values, p) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))];

class Honest {
  posts = []; // ms until the answer
  streams = []; // ms until the last of the viewers had it
  looks = 0; // at /health
  answers = []; // ms until they were answered
  stopping = false;

  async start(t, system, { viewers = 3, everyMs = 30, network = 'loopback' } = {}) {
    const { honest: localAddress, watcher } = networks[network];
    Object.assign(this, { system, everyMs, watcher });
    const reader = await owner(system, 'honest');
    this.viewers = await Promise.all(Array.from({ length: viewers }, () => watch(reader, { video: 'honest' })));
    for (const viewer of this.viewers) t.after(() => viewer.close());
    this.dispatcher = new Agent({ connections: 1, pipelining: 1, localAddress });
    t.after(() => this.dispatcher.destroy());
    this.ports = [system.comment, system.manager, system.statistics, ...system.readers];
    this.done = Promise.all([this.#post(), this.#look()]);
    this.done.catch((error) => (this.failure = Object.assign(error, { final: true })));
    t.after(() => (this.stopping = true));
    return this;
  }

  // A comment after the other, each when all viewers have the one before.
  async #post() {
    for (let i = 0; !this.stopping; i++) {
      const began = performance.now();
      const { id } = await until(() => this.#postOnce(i), `an answer to comment ${i}`, 20_000);
      this.posts.push(performance.now() - began);
      await Promise.all(this.viewers.map((viewer) => within(this.#seen(viewer, id), 20_000, `${id} to arrive`)));
      this.streams.push(Math.max(...this.viewers.map((viewer) => viewer.events.at(-1).at)) - began);
      await pause(this.everyMs);
    }
  }

  // A connection that is idle may be closed as a request is on its way: then it is sent again, as the same.
  async #postOnce(i) {
    const from = { comment: this.system.comment, dispatcher: this.dispatcher };
    try {
      return await post(from, 'honest', `comment ${i}`, { user: `user${i % 20}`, headers: { 'idempotency-key': `key-${i}` } });
    } catch (error) {
      if (error.code === 'ERR_ASSERTION') error.final = true; // any answer but 201
      throw error;
    }
  }

  async #seen(viewer, id) {
    while (viewer.position !== id) {
      if (viewer.fault) throw viewer.fault;
      if (viewer.ended) throw Object.assign(new Error(`an honest viewer was cut at ${viewer.position}`), { final: true });
      await pause(1); // not a busy loop: the server may need the core
    }
  }

  // On connections of its own, as a health check makes them.
  async #look() {
    for (let i = 0; !this.stopping; i++) {
      const url = this.ports[i % this.ports.length], began = performance.now();
      await until(async () => {
        const client = await RawClient.connect(url, { localAddress: this.watcher });
        try {
          await client.send(requestBytes('GET', '/health', { headers: { Connection: 'close' } }));
          const answer = await client.answer();
          if (answer) assert.equal(answer.status, 200);
          return answer;
        } finally {
          client.destroy();
        }
      }, `/health of ${url}`, 5_000);
      this.answers.push(performance.now() - began);
      this.looks++;
      await pause(20);
    }
  }

  // Throws if an honest viewer is worse off than without an attack.
  check() {
    for (const viewer of this.viewers) {
      if (viewer.fault) throw viewer.fault;
      assert.ok(!viewer.ended && viewer.gaps.length === 0, 'no honest viewer is cut, and none has a gap');
    }
  }

  // The latencies since the last call.
  figures() {
    const { posts: post, streams: stream, answers: look } = this;
    Object.assign(this, { posts: [], streams: [], answers: [] });
    return Object.fromEntries(Object.entries({ post, stream, look }).map(([name, values]) =>
      [name, { count: values.length, p50: percentile(values, 0.5), p99: percentile(values, 0.99), max: percentile(values, 1) }]));
  }

  async stop() {
    this.stopping = true;
    await this.done;
    this.check();
  }
}

export const startHonest = (t, system, options) => new Honest().start(t, system, options);

// Comments that a resume is sent, more than sockets buffer, each address within its limits. Returns the position before them.
export async function fill(system, network = 'loopback') {
  const ids = [];
  for (let n = 1; n <= 10; n++) {
    const dispatcher = new Agent({ connections: 1, localAddress: networks[network].poster(n) });
    const from = { comment: system.comment, dispatcher };
    for (let i = 0; i < 30; i++) ids.push((await post(from, 'honest', 'x'.repeat(1_900), { user: `u${n}-${i}` })).id);
    await dispatcher.destroy();
  }
  return ids[0];
}

// What all of it runs on: limits as they are by default, and little enough of everything that attackers can use it up.
export const attacked = {
  flags: { 'limit-local': true, memory: '16m', 'log-level': 'warn', 'internal-from': '127.0.0.1/32' }, limits: { nofile: 1_000 },
};
// The same where limits need no flag.
const attackedIn = (network) => {
  const { 'limit-local': ignored, ...flags } = attacked.flags;
  return network === 'loopback' ? attacked : { ...attacked, flags: { ...flags, bind: networks[network].server } };
};
const MEMORY_MB = 16 + 16; // beside --memory: answers of the store that have not been taken yet, caches, stacks; 12 have been seen in all

// Runs one attack for at least `ms`, and until `posts` honest comments have arrived and every port has been asked for its health.
export async function endure(system, honest, attack, { ms, posts = 10, ...options }) {
  const before = system.program.memory('VmHWM');
  const running = startAttack(system, attack, options);
  try {
    const until_ms = performance.now() + ms;
    const enough = { posts: honest.posts.length + posts, looks: honest.looks + honest.ports.length };
    await until(() => {
      if (honest.failure) throw honest.failure;
      honest.check();
      return performance.now() >= until_ms && running.opened >= 60 && honest.streams.length >= enough.posts && honest.looks >= enough.looks;
    }, () => `${posts} comments beside ${attack}; ${honest.streams.length} of ${enough.posts} have come, ${honest.looks} of ${enough.looks} looks at /health`,
    ms + 30_000);
  } finally {
    await running.end();
  }
  const grown = (system.program.memory('VmHWM') - before) / 2 ** 20;
  if (!slow) assert.ok(grown < MEMORY_MB, `${attack}: memory has grown by ${grown} MB`);
  return running;
}

// How many requests and connections the limits have refused.
const refusals = async (system) => {
  const { metrics } = await health(system.comment);
  return Object.keys(metrics).filter((name) => /^chorus_limits_too_many_/.test(name)).reduce((sum, name) => sum + metrics[name], 0);
};

// The long form: each attack for ten seconds, as a scenario of its own. What comes from one address has to reach its limits.
export function endureEach({ only = attacks, skip, network = 'loopback', ...options }) {
  for (const attack of only) {
    scenario(`${attack}: an honest user posts and watches, /health answers, and memory is bounded`, { ms: 60_000, skip }, async (t) => {
      const system = await t.system(attackedIn(network));
      const resume = await fill(system, network);
      const honest = await startHonest(t, system, { network });
      await endure(system, honest, attack, { ms: 10_000, resume, network, ...options });
      if (options.addresses === 'one') assert.ok(await refusals(system) > 0, 'limits were reached');
      await honest.stop();
    });
  }
}
