// A TCP proxy in front of a server that can fall silent towards some of its clients without closing anything: what a
// failover or a lost route looks like to them.
import { once } from 'node:events';
import net from 'node:net';

// Returns {port, mute(word), turnTo(port), cut(), close()}: mute() drops what the server sends on connections whose client
// has sent `word`; turnTo() sends new connections elsewhere; cut() closes the existing ones.
export async function startProxy(target) {
  const pairs = new Set();
  const server = net.createServer((client) => {
    const pair = { client, upstream: net.connect(target, '127.0.0.1'), said: '', muted: false };
    pairs.add(pair);
    client.on('data', (bytes) => {
      if (pair.said.length < 1_000) pair.said += bytes.toString('latin1');
      pair.upstream.write(bytes);
    });
    pair.upstream.on('data', (bytes) => pair.muted || client.write(bytes));
    for (const [socket, other] of [[client, pair.upstream], [pair.upstream, client]]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    mute(word) {
      const heard = [...pairs].filter(({ said }) => said.includes(word));
      for (const pair of heard) pair.muted = true;
      return heard.length;
    },
    turnTo(port) {
      target = port;
    },
    cut() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
    },
    close() {
      this.cut();
      server.close();
    },
  };
}
