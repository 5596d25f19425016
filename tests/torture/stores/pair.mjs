// Two Redis servers, one the other's replica, behind an address that leads to the one that is the primary: nothing but the nemesis
// promotes.
//
// What a store of the World is: `url`, the --redis of its services; `shards`, each {name, lock, primary()}, which is in force for what
// is done to it; `doors`, the addresses at which services find it, and beside(part), those that a server of it speaks to;
// locksOf(name), what else must not be done to a shard while something is done to that part; settled(), resolves when all is as it
// should be; heal(), which undoes what was done; close().
import { frontAddress } from '../network.mjs';
import { Front } from '../front.mjs';
import { RedisPart } from '../redis.mjs';

export class Pair {
  shards = [{ name: 'redis', lock: 'redis', primary: async () => this.primary }];
  doors = [frontAddress, frontAddress];

  constructor(world) {
    this.world = world;
  }
  get url() {
    return this.front.url;
  }
  get servers() {
    return this.world.ofRole('redis');
  }
  get other() {
    return this.servers.find((redis) => redis !== this.primary);
  }
  beside(part) {
    return [this.servers.find((redis) => redis !== part).name, frontAddress];
  }
  locksOf() {
    return [];
  }
  async settled() {}

  async open() {
    const { world } = this;
    for (const name of ['redis-a', 'redis-b']) {
      const place = await world.place(name, 6379);
      world.add(new RedisPart(name, { ...place, folder: world.disk(name), onRepair: () => world.mayLose(0) }), place);
    }
    [this.primary] = this.servers;
    await Promise.all(this.servers.map((redis) => redis.begin()));
    await this.other.follow(this.primary);
    this.front = await new Front(frontAddress, () => this.primary).open();
  }

  async heal() {
    for (const redis of this.servers) await redis.begin();
    await this.primary.follow();
    await this.primary.heal();
    this.front.cut(({ redis }) => redis !== this.primary);
  }
  close() {
    this.front?.close();
  }
}
