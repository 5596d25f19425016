// Two Redis servers, one the other's replica, and three Sentinels, which promote the one when the other has been silent for 2.5 s.
import { NAME, saidBy, settingsOf } from '../../integration/lib/sentinel.mjs';
import { until } from '../../integration/lib/time.mjs';
import { PATIENCE_MS } from '../part.mjs';
import { RedisPart } from '../redis.mjs';
import { Shard, Watched } from './watched.mjs';

const SENTINELS = 3, DOWN_MS = 2_500;

export class Sentinels extends Watched {
  promotions = [''];

  get sentinels() {
    return this.world.ofRole('sentinel');
  }
  get url() {
    return `sentinel://${this.sentinels.map(({ address, port }) => `${address}:${port}`).join(',')}/${NAME}`;
  }

  async open() {
    const { world } = this, servers = [];
    for (const letter of ['a', 'b']) servers.push(await this.#add(`redis-${letter}`, 6379));
    await Promise.all(servers.map((server) => server.begin()));
    await servers[1].follow(servers[0]);
    this.shards = [new Shard(world, 'redis', servers)];
    this.watch();
    for (let i = 1; i <= SENTINELS; i++) {
      const sentinel = await this.#add(`sentinel-${i}`, 26379);
      sentinel.configuration = settingsOf({ port: sentinel.port, bind: sentinel.address, dir: sentinel.folder }, { primary: servers[0], quorum: 2, downMs: DOWN_MS });
    }
    await Promise.all(this.sentinels.map((sentinel) => sentinel.begin()));
    await this.settled();
  }
  async #add(name, port) {
    const { world } = this, place = await world.place(name, port);
    return world.add(new RedisPart(name, { ...place, folder: world.disk(name), configuration: '', bySocket: true, onRepair: () => world.mayLose(0) }), place);
  }

  async promote(shard, how, sentinel = this.sentinels[0]) {
    await until(() => sentinel.command('SENTINEL', 'FAILOVER', NAME), 'a promotion', 15_000);
  }

  // All Sentinels know each other, and the primary as it is.
  async settled() {
    await super.settled();
    await until(() => this.#agree(), 'the Sentinels to agree', PATIENCE_MS / 2);
  }
  async #agree() {
    const { address, port } = await this.shards[0].primary();
    for (const sentinel of this.sentinels) {
      const said = await saidBy(sentinel);
      if (said.ip !== address || said.port !== String(port) || said.flags !== 'master' || said['num-slaves'] !== '1' || said['num-other-sentinels'] !== String(SENTINELS - 1)) {
        throw new Error(`${sentinel.name}: ${JSON.stringify(said)}`);
      }
    }
    return true;
  }
  async heal() {
    await Promise.all(this.sentinels.map((sentinel) => sentinel.begin()));
    await super.heal();
  }
}
