// What the kernel of this machine has counted.
import { readFileSync } from 'node:fs';

// Connections that it refused because the queue of their listener was full.
export function listenOverflows() {
  const [names, values] = readFileSync('/proc/net/netstat', 'utf8').split('\n').filter((line) => line.startsWith('TcpExt:')).map((line) => line.split(' '));
  return Number(values[names.indexOf('ListenOverflows')]);
}
