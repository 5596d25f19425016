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
      await isOk(this.servers);
      return this;
    }
    this.started = true;
    await this.settle();
    const buses = await freePorts(this.servers.length);
    this.servers.forEach((server, i) => {
      server.busPort = buses[i];
      server.args.push('--cluster-port', String(buses[i]));
    });
    await Promise.all(this.servers.map((server) => server.start()));
    this.primaries = await form(this.servers, this.primaryCount);
    return this;
  }

  // As CLUSTER NODES says: {id, port, flags, ...}.
  nodes(server) {
    return nodesOf(server);
  }

  // The primary that has a slot, as `server` sees it.
  ownerOf(slot, server = this.servers.find(({ program }) => program && !program.end)) {
    return ownerOf(this.servers, slot, server);
  }

  // Moves a slot with its keys, as `redis-cli --cluster reshard` does.
  move(slot, from, to) {
    return moveSlot(this.servers, slot, from, to, { password: this.password });
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

// What follows is for any servers that have {address, port, busPort, command()}.

const allOf = (servers, holds, what) => until(async () => (await Promise.all(servers.map(holds))).every(Boolean), what, 20_000);
const isOk = (servers) => allOf(servers, async (server) => /cluster_state:ok/.test(await server.command('CLUSTER', 'INFO')), 'the Cluster');

// Makes a Cluster of servers that run and know nothing: primaries first, then replicas of each in turn. Gives each its `id`; returns
// the primaries.
export async function form(servers, primaryCount) {
  const primaries = servers.slice(0, primaryCount), replicas = servers.slice(primaryCount), [first, ...others] = servers;
  await Promise.all(primaries.map((server, i) => server.command('CLUSTER', 'ADDSLOTSRANGE', Math.ceil((i * SLOTS) / primaryCount), Math.ceil(((i + 1) * SLOTS) / primaryCount) - 1)));
  await Promise.all(servers.map((server, i) => server.command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)));
  for (const server of others) await server.command('CLUSTER', 'MEET', first.address, first.port, first.busPort);
  for (const server of servers) server.id = await server.command('CLUSTER', 'MYID');
  await allOf(servers, async (server) => (await nodesOf(server)).length === servers.length, 'all servers to know each other');
  for (const [i, server] of replicas.entries()) {
    await until(() => server.command('CLUSTER', 'REPLICATE', primaries[i % primaryCount].id), 'a replica', 10_000);
  }
  await isOk(servers);
  await until(async () => (await Promise.all(replicas.map((server) => server.command('INFO', 'replication')))).every((info) => /master_link_status:up/.test(info)), 'replicas to have the data', 15_000);
  return primaries;
}

async function nodesOf(server) {
  const text = await server.command('CLUSTER', 'NODES');
  return text.trim().split('\n').map((line) => {
    const [id, address, flags] = line.split(' ');
    return { id, port: Number(address.match(/:(\d+)@/)[1]), flags: flags.split(',') };
  });
}

export async function ownerOf(servers, slot, server) {
  for (const [first, last, [, , id]] of await server.command('CLUSTER', 'SLOTS')) {
    if (slot >= first && slot <= last) return servers.find((one) => one.id === id);
  }
  return undefined;
}

// between(): awaited before each step, in which a share of the keys moves.
export async function moveSlot(servers, slot, from, to, { password, batch = 100, between = () => {} } = {}) {
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  for (;;) {
    await between();
    const keys = await from.command('CLUSTER', 'GETKEYSINSLOT', slot, batch);
    if (!keys.length) break;
    const auth = password ? ['AUTH', password] : [];
    await from.command('MIGRATE', to.address, to.port, '', 0, 5_000, 'REPLACE', ...auth, 'KEYS', ...keys);
  }
  await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  for (const server of new Set([from, ...servers])) {
    if (server !== to && !server.program.end) await server.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id).catch(() => {}); // replicas refuse
  }
}
