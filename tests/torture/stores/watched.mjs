// What stores have in common that promote replicas by themselves: nobody says when they do, so their servers are watched. Commands
// reach them through sockets of the file system, whatever the nemesis does to the network.
import { pause, until } from '../../integration/lib/time.mjs';
import { PATIENCE_MS } from '../part.mjs';

const LOOK_MS = 100;
// A replica may have been a moment behind when all was as it should be.
const BEHIND_MS = 1_000;

// What INFO says: whether it is a master, who it is, and whether it was promoted since it was started; whether its file has all that
// it has; of a replica whether it has its master's data.
function stateOf(server, info) {
  const field = (name) => info.match(new RegExp(`^${name}:(.*?)\r?$`, 'm'))?.[1];
  return { server, role: field('role'), run: field('master_replid'), promoted: !/^0*$/.test(field('master_replid2') ?? ''), linked: field('master_link_status') === 'up',
    kept: field('aof_rewrite_in_progress') === '0' && field('aof_rewrite_scheduled') === '0' };
}

// A primary and its replica, which take turns.
export class Shard {
  constructor(world, name, servers) {
    Object.assign(this, { world, name, lock: name, servers, goodMs: world.nowMs, looks: 0 });
  }

  async primary() {
    return until(async () => (await this.#look()).find(({ role }) => role === 'master')?.server, `a primary of ${this.name}`);
  }
  async replica() {
    const primary = await this.primary();
    return this.servers.find((server) => server !== primary);
  }

  async #look() {
    return Promise.all(this.servers.map(async (server) => stateOf(server, server.running && !server.stopped ? await server.state(1_000) : '')));
  }

  // From the last moment at which all was as it should be to the next one, with a promotion in between, it may have lost something.
  async watch() {
    while (!this.closed) {
      const { world } = this, before = world.nowMs, states = await this.#look();
      const masters = states.filter(({ role }) => role === 'master'), [master] = masters;
      if (masters.some(({ server, run, promoted }) => server !== this.was?.server || (promoted && run !== this.was.run))) this.promoted = true;
      this.good = masters.length === 1 && states.every(({ role, linked, kept }) => kept && (role === 'master' || (role === 'slave' && linked)));
      if (this.good) {
        if (this.promoted && this.was) world.mayLose(this.goodMs - BEHIND_MS);
        Object.assign(this, { goodMs: before, was: master, promoted: false });
      }
      this.looks++;
      await pause(LOOK_MS);
    }
  }
  // By a look that begins from now on.
  settled() {
    const from = this.looks + 2;
    return until(() => this.good && this.looks >= from, () => `${this.name} to have a primary and its replica`, PATIENCE_MS / 2);
  }
}

export class Watched {
  constructor(world) {
    this.world = world;
  }
  get servers() {
    return this.shards.flatMap(({ servers }) => servers);
  }
  // All of it that services speak to.
  get doors() {
    return this.world.parts.filter(({ isStore }) => isStore).map(({ name }) => name);
  }
  beside(part) {
    return this.doors.filter((name) => name !== part.name);
  }
  locksOf(name) {
    const of = this.shards.filter(({ servers }) => servers.some((server) => server.name === name)).map(({ lock }) => lock);
    return of.length ? of : this.doors.filter((door) => door === name);
  }

  watch() {
    for (const shard of this.shards) shard.watch();
  }
  async settled() {
    await Promise.all(this.shards.map((shard) => shard.settled()));
  }
  async heal() {
    await Promise.all(this.servers.map((server) => server.begin()));
    await Promise.all(this.servers.map((server) => server.heal()));
    await this.settled();
  }
  close() {
    for (const shard of this.shards ?? []) shard.closed = true;
  }
}
