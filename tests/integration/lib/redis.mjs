// A redis-server for one system: started, killed, stopped and continued; its data survives as on a disk.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './process.mjs';
import { freePorts } from './ports.mjs';
import { startProxy } from './proxy.mjs';
import { until, within } from './time.mjs';

// Loaded with the first connection, because it takes 0.07 s of CPU, and most scenarios need none.
const require = createRequire(import.meta.url);

// What a server with these files, {ca, certificate, key}, is configured with, and what a client of it needs.
export const tlsSettings = ({ ca, certificate, key }, port) => ({ port: 0, 'tls-port': port, 'tls-cert-file': certificate, 'tls-key-file': key, 'tls-ca-cert-file': ca });
export const tlsOfClient = ({ ca, certificate, key }) => ({ checkServerIdentity: () => {}, ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key) });

// Every write is in the append-only file before its reply, and survives a kill -9 of Redis, because the kernel has it.
// fsync 'always' extends that to power cuts, and keeps a slow disk from delaying a write.
export class RedisServer {
  address = '127.0.0.1';
  // tls: its files, {ca, certificate, key}; it then speaks nothing else.
  constructor({ fsync = 'everysec', user = '', password, database = 0, args = [], env, tls } = {}) {
    Object.assign(this, { fsync, user, password, database, args, env, tls });
    this.dir = mkdtempSync(join(tmpdir(), 'chorus-redis-'));
  }

  // The value of --redis for the roles.
  get url() {
    return `${this.tls ? 'rediss' : 'redis'}://${this.password ? `${this.user}:${encodeURIComponent(this.password)}@` : ''}127.0.0.1:${this.port}${this.database ? `/${this.database}` : ''}`;
  }

  // Reserves a port without starting, for systems that start before their Redis does.
  async settle() {
    this.port ??= (await freePorts(1))[0];
    return this;
  }

  async start() {
    await this.settle();
    const settings = {
      bind: '127.0.0.1', port: this.port, dir: this.dir, save: '', appendonly: 'yes', appendfsync: this.fsync,
      ...(this.password && { requirepass: this.password }),
      ...(this.tls && tlsSettings(this.tls, this.port)),
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.program = new Program([...args, ...this.args], { file: 'redis-server', env: this.env, forks: true });
    await until(async () => {
      if (this.program.end) throw Object.assign(new Error(`redis-server ended: ${this.program.stdout}`), { final: true });
      return (await this.command('PING')) === 'PONG';
    }, 'Redis to answer');
    return this;
  }

  async #end(signal) {
    this.resume(); // a stopped process cannot exit
    await within(this.program.kill(signal), 10_000, 'the end of Redis');
  }
  stop() {
    return this.#end('SIGTERM');
  }
  kill9() {
    return this.#end('SIGKILL');
  }
  // All data is gone, as after a failover to an empty replica.
  forget() {
    rmSync(this.dir, { recursive: true, force: true });
    this.dir = mkdtempSync(join(tmpdir(), 'chorus-redis-'));
  }
  // Saves its state; calling the returned function after kill9() restores it, as after a failover to a late replica.
  remember() {
    const copy = mkdtempSync(join(tmpdir(), 'chorus-redis-'));
    cpSync(this.dir, copy, { recursive: true });
    return () => {
      rmSync(this.dir, { recursive: true, force: true });
      this.dir = copy;
    };
  }
  suspend() {
    this.program.child.kill('SIGSTOP');
  }
  resume() {
    this.program.child.kill('SIGCONT');
  }

  // A connection that tries only once; the caller closes it.
  connection() {
    const { Redis } = require('ioredis');
    const client = new Redis({
      host: '127.0.0.1', port: this.port, password: this.password, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0,
      ...(this.tls && { tls: tlsOfClient(this.tls) }),
      disconnectTimeout: 50, // or its timer keeps the test from ending for two seconds
    });
    client.on('error', () => {}); // the command fails, too
    return client;
  }

  // One command on a connection of its own, so that what happens to the others does not affect it.
  async command(...words) {
    const client = this.connection();
    try {
      return await within(client.call(...words.map(String)), 5_000, `Redis to answer ${words[0]}`);
    } finally {
      client.disconnect();
    }
  }

  // Becomes a replica of the server at `port`; resolves once it has its data.
  async replicaOf(port) {
    await this.command('REPLICAOF', '127.0.0.1', port);
    await until(async () => /master_link_status:up/.test(await this.command('INFO', 'replication')), 'a replica to have its data');
  }
  promote() {
    return this.command('REPLICAOF', 'NO', 'ONE');
  }

  // How often each command has been called so far: {evalsha: 12, ...}, without those made by this query.
  async calls() {
    const found = {};
    for (const [, name, count] of (await this.command('INFO', 'commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
      found[name] = Number(count);
    }
    delete found.info;
    return found;
  }

  async release() {
    try {
      if (this.program && !this.program.end) await this.kill9();
    } finally {
      rmSync(this.dir, { recursive: true, force: true });
    }
  }
}

// Two servers, `second` a replica of `first`, and an address in front that leads to one of them. The replica's link goes
// through a proxy too, so that it can be cut before a failover, which then loses what was acknowledged afterwards.
export class RedisPair {
  constructor() {
    const args = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '5'];
    this.first = new RedisServer({ args });
    this.second = new RedisServer({ args });
  }

  get url() {
    return `redis://127.0.0.1:${this.front.port}`;
  }

  async start() {
    await Promise.all([this.first.start(), this.second.start()]);
    this.front = await startProxy(this.first.port);
    this.link = await startProxy(this.first.port);
    await this.second.replicaOf(this.link.port);
    return this;
  }

  // What is appended from now on is not replicated.
  cutLink() {
    this.link.turnTo(1); // a closed port
    this.link.cut();
  }

  // The address leads to `server` from now on. Connections to the other one are cut.
  turnTo(server) {
    this.front.turnTo(server.port);
    this.front.cut();
  }

  async release() {
    this.front?.close();
    this.link?.close();
    await Promise.all([this.first.release(), this.second.release()]);
  }
}
