// A Redis Cluster: three primaries, each with or without a replica.
import { createRequire } from 'node:module';
import { freePorts } from './ports.mjs';
import { RedisServer } from './redis.mjs';
import { until } from './time.mjs';

const require = createRequire(import.meta.url);
const SLOTS = 16_384;
export const slotOf = (key) => require('cluster-key-slot')(key);

export class RedisCluster {
  // replicas: of each primary; timeoutMs: after what silence a server counts as dead; tls: as of a RedisServer.
  constructor({ primaries = 3, replicas = 0, timeoutMs = 1_000, password, tls, args = [] } = {}) {
    Object.assign(this, { primaryCount: primaries, replicas, password, tls });
    const common = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(timeoutMs), '--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1', ...(password ? ['--masterauth', password] : []), ...(tls ? ['--tls-cluster', 'yes', '--tls-replication', 'yes'] : []), ...args];
    this.servers = Array.from({ length: primaries * (1 + replicas) }, () => new RedisServer({ args: [...common], password, tls }));
  }

  get url() {
    const user = this.password ? `:${encodeURIComponent(this.password)}@` : '';
    return `cluster${this.tls ? 's' : ''}://${user}${this.servers.slice(0, 3).map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  async settle() {
    await Promise.all(this.servers.map((server) => server.settle()));
    return this;
  }

  stop() {
    return Promise.all(this.servers.map((server) => server.stop()));
  }
  kill9() {
    return Promise.all(this.servers.map((server) => server.kill9()));
  }

  // Resolves when all know all. Starts what has been stopped, and does nothing with what runs.
  async start() {
    if (this.started) {
      await Promise.all(this.servers.filter(({ program }) => program.end).map((server) => server.start()));
      await this.#isOk();
      return this;
    }
    this.started = true;
    await this.settle();
    const buses = await freePorts(this.servers.length);
    this.servers.forEach((server, i) => server.args.push('--cluster-port', String(buses[i])));
    await Promise.all(this.servers.map((server) => server.start()));
    this.primaries = this.servers.slice(0, this.primaryCount);
    const [first, ...others] = this.servers;
    await Promise.all(this.primaries.map((server, i) => server.command('CLUSTER', 'ADDSLOTSRANGE', Math.ceil((i * SLOTS) / this.primaryCount), Math.ceil(((i + 1) * SLOTS) / this.primaryCount) - 1)));
    await Promise.all(this.servers.map((server, i) => server.command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)));
    for (const server of others) await server.command('CLUSTER', 'MEET', '127.0.0.1', first.port, buses[0]);
    for (const server of this.servers) server.id = await server.command('CLUSTER', 'MYID');
    await this.#all(async (server) => (await this.nodes(server)).length === this.servers.length, 'all servers to know each other');
    for (const [i, server] of this.servers.slice(this.primaryCount).entries()) {
      await until(() => server.command('CLUSTER', 'REPLICATE', this.primaries[i % this.primaryCount].id), 'a replica', 10_000);
    }
    await this.#isOk();
    const links = this.servers.slice(this.primaryCount);
    await until(async () => (await Promise.all(links.map((server) => server.command('INFO', 'replication')))).every((info) => /master_link_status:up/.test(info)), 'replicas to have the data', 15_000);
    return this;
  }

  #isOk() {
    return this.#all(async (server) => /cluster_state:ok/.test(await server.command('CLUSTER', 'INFO')), 'the Cluster');
  }
  #all(holds, what) {
    return until(async () => (await Promise.all(this.servers.map(holds))).every(Boolean), what, 20_000);
  }

  // As CLUSTER NODES says: {id, port, flags, ...}.
  async nodes(server) {
    const text = await server.command('CLUSTER', 'NODES');
    return text.trim().split('\n').map((line) => {
      const [id, address, flags] = line.split(' ');
      return { id, port: Number(address.match(/:(\d+)@/)[1]), flags: flags.split(',') };
    });
  }

  // The primary that has a slot, as `server` sees it.
  async ownerOf(slot, server = this.servers.find(({ program }) => program && !program.end)) {
    for (const [first, last, [, port]] of await server.command('CLUSTER', 'SLOTS')) {
      if (slot >= first && slot <= last) return this.servers.find((one) => one.port === Number(port));
    }
    return undefined;
  }

  // Moves a slot with its keys, as `redis-cli --cluster reshard` does.
  async move(slot, from, to) {
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    for (;;) {
      const keys = await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100);
      if (!keys.length) break;
      const auth = this.password ? ['AUTH', this.password] : [];
      await from.command('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'REPLACE', ...auth, 'KEYS', ...keys);
    }
    await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    for (const server of new Set([from, ...this.servers])) {
      if (server !== to && !server.program.end) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id).catch(() => {}); // replicas refuse
    }
  }

  // Waits until a replica of it has taken its place; returns when, by performance.now().
  async promoted(primary, ms = 20_000) {
    const witness = this.servers.find((server) => server !== primary && !server.program.end);
    await until(async () => {
      const list = await witness.command('CLUSTER', 'SLOTS');
      return list.every(([, , [, port]]) => port !== primary.port);
    }, 'a replica to take over', ms);
    return performance.now();
  }

  // Waits until a server that has come back is a replica, and has the data.
  follows(server) {
    return until(async () => /role:slave[^]*master_link_status:up/.test(await server.command('INFO', 'replication')), 'a replica that follows', 30_000);
  }

  // One command on the server that has its first key.
  async command(...words) {
    const server = await this.ownerOf(slotOf(String(words[1] ?? '')));
    return server.command(...words);
  }

  async release() {
    await Promise.all(this.servers.map((server) => server.release()));
  }
}
