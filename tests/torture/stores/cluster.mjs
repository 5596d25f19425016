// A Redis Cluster of three primaries and a replica of each, which takes a silence of 2.5 s for a death (a second is too little on a busy machine).
import { form, moveSlot, ownerOf, slotOf } from '../../integration/lib/cluster.mjs';
import { until } from '../../integration/lib/time.mjs';
import { PATIENCE_MS } from '../part.mjs';
import { RedisPart } from '../redis.mjs';
import { Shard, Watched } from './watched.mjs';

const PRIMARIES = 3, TIMEOUT_MS = 2_500;

export class Cluster extends Watched {
  promotions = ['', 'FORCE', 'TAKEOVER'];

  get url() {
    return `cluster://${this.servers.slice(0, PRIMARIES).map(({ address, port }) => `${address}:${port}`).join(',')}`;
  }

  async open() {
    const { world } = this, servers = [];
    for (const letter of ['a', 'b']) {
      for (let i = 1; i <= PRIMARIES; i++) {
        const name = `redis-${i}${letter}`, place = await world.place(name, 6379), busPort = await world.port(16379);
        const more = { 'cluster-enabled': 'yes', 'cluster-port': busPort, 'cluster-node-timeout': TIMEOUT_MS, 'cluster-replica-validity-factor': 0 };
        const part = new RedisPart(name, { ...place, folder: world.disk(name), more, bySocket: true, onRepair: () => world.mayLose(0) });
        servers.push(world.add(Object.assign(part, { busPort }), place));
      }
    }
    await Promise.all(servers.map((server) => server.begin()));
    await form(servers, PRIMARIES);
    this.shards = Array.from({ length: PRIMARIES }, (_, i) => new Shard(world, `shard-${i + 1}`, [servers[i], servers[PRIMARIES + i]]));
    this.watch();
  }

  // Of a key: as the first server sees it that answers.
  async shardOf(key) {
    const { servers } = this, slot = slotOf(key);
    const owner = await until(() => ownerOf(servers, slot, servers.find(({ running, stopped }) => running && !stopped)), `whose slot ${slot} is`);
    return this.shards.find((shard) => shard.servers.includes(owner));
  }
  async move(key, from, to, options) {
    await moveSlot(this.servers, slotOf(key), await from.primary(), await to.primary(), options);
  }

  async promote(shard, how) {
    await (await shard.replica()).command('CLUSTER', 'FAILOVER', ...(how ? [how] : []));
  }

  async settled() {
    await super.settled();
    await until(() => this.#agree(), 'the Cluster to be one', PATIENCE_MS / 2);
  }
  async #agree() {
    for (const server of this.servers) {
      const info = await server.command('CLUSTER', 'INFO');
      if (!/cluster_state:ok/.test(info)) throw new Error(`${server.name}: ${info}`);
    }
    return true;
  }
  async heal() {
    await super.heal();
    await this.#finishMoves();
  }
  // Of slots whose move was interrupted.
  async #finishMoves() {
    for (const shard of this.shards) {
      const from = await shard.primary(), nodes = await from.command('CLUSTER', 'NODES');
      for (const [, slot, way, id] of nodes.matchAll(/\[(\d+)-([<>])-([0-9a-f]+)\]/g)) {
        const other = this.servers.find((server) => server.id === id), [source, target] = way === '>' ? [from, other] : [other, from];
        await moveSlot(this.servers, Number(slot), source, target).catch(() => from.command('CLUSTER', 'SETSLOT', slot, 'STABLE'));
      }
    }
  }
}
