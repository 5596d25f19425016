// The address at which Chorus finds Redis: leads new connections to the current primary, existing ones stay where they are, as
// with a virtual address or a proxy in front of a failover.
import { once } from 'node:events';
import net from 'node:net';

export class Front {
  #pairs = new Set();

  // target(): the Redis of a new connection
  constructor(address, target) {
    Object.assign(this, { address, target });
  }

  async open() {
    this.server = net.createServer((client) => {
      const redis = this.target();
      const upstream = net.connect(redis.port, redis.address);
      const pair = { client, upstream, redis };
      this.#pairs.add(pair);
      for (const [from, to] of [[client, upstream], [upstream, client]]) {
        from.on('data', (bytes) => to.write(bytes) || (from.pause(), to.once('drain', () => from.resume())));
        from.on('error', () => {});
        from.on('close', () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
    this.server.listen(0, this.address);
    await once(this.server, 'listening');
    this.url = `redis://${this.address}:${this.server.address().port}`;
    return this;
  }

  // Cuts those that are chosen.
  cut(chosen = () => true) {
    for (const pair of this.#pairs) if (chosen(pair)) pair.client.resetAndDestroy();
  }
  close() {
    this.server?.close();
    this.cut();
  }
}
