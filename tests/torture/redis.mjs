// A Redis of the system under torture, with a file that survives it and a clock of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until, within } from '../integration/lib/time.mjs';
import { Part } from './part.mjs';

export class RedisPart extends Part {
  // onRepair(): what was wrong with its file has been cut off, and with it perhaps what it had acknowledged.
  constructor(name, { folder, onRepair, ...options }) {
    super(name, { ...options, file: 'redis-server', forks: true, args: () => this.#args() });
    this.folder = folder ?? mkdtempSync(join(options.scratch, `${name}-`));
    this.onRepair = onRepair;
  }

  // Everything is in its file before it answers, and survives kill -9.
  #args() {
    const settings = {
      bind: this.address, port: this.port, dir: this.folder, save: '', appendonly: 'yes', appendfsync: 'everysec', 'protected-mode': 'no',
      'repl-diskless-sync-delay': 0, 'repl-timeout': 5, 'repl-ping-replica-period': 1, 'auto-aof-rewrite-percentage': 0,
    };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
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
  async command(...words) {
    const client = new Redis({ host: this.address, port: this.port, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0, disconnectTimeout: 50 });
    client.on('error', () => {});
    try {
      return await within(client.call(...words.map(String)), 5_000, `${this.name} to answer ${words[0]}`);
    } finally {
      client.disconnect();
    }
  }

  follow(other) {
    return other ? this.command('REPLICAOF', other.address, other.port) : this.command('REPLICAOF', 'NO', 'ONE');
  }
  replication() {
    return this.command('INFO', 'replication').catch(() => '');
  }
  // Waits a moment for it to have its master's data.
  synced(ms = 6_000) {
    return until(async () => /master_link_status:up|role:master/.test(await this.replication()), 'a replica', ms).catch(() => {});
  }
}
