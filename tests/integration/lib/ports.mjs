// Port numbers for a system that has to come back at the same address. The kernel's own choice would do for the first
// start, but while the system is down, any outgoing connection on the machine may be given that number; so these lie
// below the range that the kernel gives to connections.
import net from 'node:net';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LOWEST = 10_240;
const [firstEphemeral] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/).map(Number);
// Far from the ports of browsers and the services' defaults, and inside 10240..32767 on any usual kernel.
const HIGHEST = Math.max(firstEphemeral, LOWEST + 1_000) - 1;

async function isFree(port) {
  const server = net.createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

// Between the check and listening another test may choose the same port, so a file reserves it until this process exits.
const taken = [];
process.on('exit', () => taken.forEach((file) => rmSync(file, { force: true })));
function take(port) {
  const file = join(tmpdir(), `chorus-port-${port}`);
  try {
    closeSync(openSync(file, 'wx'));
    taken.push(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

export async function freePorts(count) {
  const found = new Set();
  while (found.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (!found.has(port) && (await isFree(port)) && take(port)) found.add(port);
  }
  return [...found];
}
