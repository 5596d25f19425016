// A primary, its replica, and Sentinels that promote one of the two when the other has died.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './ports.mjs';
import { Program } from './process.mjs';
import { RedisServer, tlsOfClient, tlsSettings } from './redis.mjs';
import { until, within } from './time.mjs';

const require = createRequire(import.meta.url);
export const NAME = 'main';

// The configuration of a Sentinel that knows no other yet. settings: as those of any server, {port, bind, dir, ...}.
export const settingsOf = (settings, { primary, quorum, downMs, password, sentinelPassword }) => [
  ...Object.entries(settings).map(([name, value]) => `${name} ${value}`), 'protected-mode no', ...(sentinelPassword ? [`requirepass ${sentinelPassword}`] : []),
  `sentinel monitor ${NAME} ${primary.address} ${primary.port} ${quorum}`,
  `sentinel down-after-milliseconds ${NAME} ${downMs}`, `sentinel failover-timeout ${NAME} 3000`,
  ...(password ? [`sentinel auth-pass ${NAME} ${password}`] : []), '',
].join('\n');

// What one says of the primary: {ip, port, flags, 'config-epoch', ...}.
export async function saidBy(sentinel) {
  const list = await sentinel.command('SENTINEL', 'MASTER', NAME);
  return Object.fromEntries(Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]));
}

class Sentinel {
  constructor(group, port) {
    Object.assign(this, { group, port, dir: mkdtempSync(join(tmpdir(), 'chorus-sentinel-')) });
  }

  // It keeps its state in its configuration.
  start() {
    const { primary, sentinels, downMs, password, sentinelPassword, tls } = this.group;
    const settings = { port: this.port, ...(tls && { ...tlsSettings(tls, this.port), 'tls-replication': 'yes' }) };
    const file = join(this.dir, 'sentinel.conf');
    writeFileSync(file, settingsOf({ ...settings, bind: '127.0.0.1', dir: this.dir }, { primary, quorum: Math.floor(sentinels.length / 2) + 1, downMs, password, sentinelPassword }));
    this.program = new Program([file, '--sentinel'], { file: 'redis-server' });
  }

  async command(...words) {
    const { Redis } = require('ioredis');
    const client = new Redis({ host: '127.0.0.1', port: this.port, password: this.group.sentinelPassword, ...(this.group.tls && { tls: tlsOfClient(this.group.tls) }), lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0, enableReadyCheck: false, disconnectTimeout: 50 });
    client.on('error', () => {});
    try {
      return await within(client.call(...words.map(String)), 5_000, `Sentinel to answer ${words[0]}`);
    } finally {
      client.disconnect();
    }
  }

  says() {
    return saidBy(this);
  }

  async release() {
    this.program?.child.kill('SIGCONT');
    if (this.program && !this.program.end) await this.program.kill('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class WatchedRedis {
  // sentinels: how many; downMs: after what silence a server counts as dead; sentinelPassword: what the Sentinels themselves ask for;
  // tls: of servers and Sentinels, as of a RedisServer.
  constructor({ sentinels = 1, downMs = 1_000, password, sentinelPassword, tls, args = [] } = {}) {
    const servers = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '5', ...(password ? ['--masterauth', password] : []), ...(tls ? ['--tls-replication', 'yes'] : []), ...args];
    Object.assign(this, { count: sentinels, downMs, password, sentinelPassword, tls });
    this.servers = [0, 1].map(() => new RedisServer({ args: servers, password, tls }));
    [this.primary] = this.servers;
  }

  get url() {
    const user = this.password ? `:${encodeURIComponent(this.password)}@` : '';
    return `sentinel${this.tls ? 's' : ''}://${user}${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`;
  }
  get replica() {
    return this.servers.find((server) => server !== this.primary);
  }

  async settle() {
    this.sentinels ??= (await freePorts(this.count)).map((port) => new Sentinel(this, port));
    return this;
  }

  // Resolves when the Sentinels could carry out a failover. Does nothing if it has been started.
  async start() {
    if (this.started) return this;
    this.started = true;
    await this.settle();
    await Promise.all(this.servers.map((server) => server.start()));
    await this.replica.replicaOf(this.primary.port);
    for (const sentinel of this.sentinels) sentinel.start();
    await until(async () => {
      for (const sentinel of this.sentinels) {
        const said = await sentinel.says();
        if (said['num-slaves'] !== '1' || Number(said['num-other-sentinels']) !== this.count - 1) throw new Error(JSON.stringify(said));
      }
      return true;
    }, 'the Sentinels to know all', 20_000);
    return this;
  }

  // Waits for the switch; returns when it was seen, by performance.now().
  async switched(ms = 20_000) {
    const { port } = this.replica;
    await until(async () => (await this.sentinels.at(-1).says()).port === String(port), 'the switch', ms);
    this.primary = this.replica;
    return performance.now();
  }

  command(...words) {
    return this.primary.command(...words);
  }

  async release() {
    await Promise.all([...(this.sentinels ?? []), ...this.servers].map((each) => each.release()));
  }
}
