// A Redis of the system under torture, with a file that survives it and a clock of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until, within } from '../integration/lib/time.mjs';
import { Part } from './part.mjs';

export class RedisPart extends Part {
  // onRepair(): what was wrong with its file has been cut off, and with it perhaps what it had acknowledged.
  // more: settings of its own. bySocket: commands reach it whatever becomes of the network. configuration: a file with its settings
  // that it keeps itself from then on, which survives it: '' is that of a server, any other one that of a Sentinel.
  constructor(name, { folder, onRepair, more = {}, bySocket = false, configuration, ...options }) {
    super(name, { ...options, file: 'redis-server', forks: true, args: () => this.#args() });
    this.folder = folder ?? mkdtempSync(join(options.scratch, `${name}-`));
    Object.assign(this, { onRepair, more, configuration, socket: bySocket ? join(this.folder, 'socket') : undefined });
  }

  // Everything is in its file before it answers, and survives kill -9.
  get #settings() {
    return {
      bind: this.address, port: this.port, dir: this.folder, save: '', appendonly: 'yes', appendfsync: 'everysec', 'protected-mode': 'no',
      'repl-diskless-sync-delay': 0, 'repl-timeout': 5, 'repl-ping-replica-period': 1, 'auto-aof-rewrite-percentage': 0,
      ...(this.socket && { unixsocket: this.socket }), ...this.more,
    };
  }
  #args() {
    if (this.configuration === undefined) return Object.entries(this.#settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const file = join(this.folder, 'redis.conf'), lines = () => Object.entries(this.#settings).map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`).join('');
    if (!existsSync(file)) writeFileSync(file, this.configuration || lines());
    return [file, ...(this.configuration ? ['--sentinel', '--unixsocket', this.socket] : [])];
  }

  start() {
    const { end } = this.program ?? {};
    if (end && !this.program.meant && !this.closed && /redis-check-aof|Unrecoverable error|Fatal error loading/.test(end.stdout)) this.#repair();
    super.start();
  }
  // As an operator does: a file that it cannot load is cut off where it is damaged, or given up where that cannot be done.
  #repair() {
    const manifest = join(this.folder, 'appendonlydir', 'appendonly.aof.manifest');
    const { status } = spawnSync('redis-check-aof', ['--fix', manifest], { input: 'y\n' });
    if (status !== 0) this.forget();
    this.program = undefined; // it has been dealt with
    this.onRepair();
  }

  async begin() {
    this.start();
    await this.answers(async () => {
      this.start(); // where it has ended because of a full disk
      return (await this.command('PING')) === 'PONG';
    });
    return this;
  }
  forget() {
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true, force: true });
  }

  // One command on a connection of its own.
  command(...words) {
    return this.#command(5_000, ...words);
  }
  async #command(ms, ...words) {
    const at = this.socket ? { path: this.socket } : { host: this.address, port: this.port };
    const client = new Redis({ ...at, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0, enableReadyCheck: false, disconnectTimeout: 50 });
    client.on('error', () => {});
    try {
      return await within(client.call(...words.map(String)), ms, `${this.name} to answer ${words[0]}`);
    } finally {
      client.disconnect();
    }
  }

  follow(other) {
    return other ? this.command('REPLICAOF', other.address, other.port) : this.command('REPLICAOF', 'NO', 'ONE');
  }
  state(ms = 5_000) {
    return this.#command(ms, 'INFO').catch(() => '');
  }
  // What the nemesis has told it is as it was.
  async heal() {
    await this.command('CLIENT', 'UNPAUSE');
    await this.command('CONFIG', 'SET', 'maxmemory', 0);
    await this.command('CONFIG', 'SET', 'min-replicas-to-write', 0);
    await this.command('ACL', 'SETUSER', 'default', 'allchannels', '+@all');
  }
  // Waits a moment for it to have its master's data.
  synced(ms = 6_000) {
    return until(async () => /master_link_status:up|role:master/.test(await this.state()), 'a replica', ms).catch(() => {});
  }
}
