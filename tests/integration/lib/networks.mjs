// Where attackers and the server are: on loopback, where limits need --limit-local; or in a network namespace of the test's own,
// in which whole networks are addresses of this machine without being a network of one of its interfaces. So they are strangers.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const inside = process.env.CHORUS_OWN_NETWORK === '1';
const upTo = (n) => Math.floor(Math.random() * n);
const group = () => upTo(65_536).toString(16);

// server: what it binds to; honest, watcher, poster(n): who is no attacker (watcher: its health checks); one(), many(): where a
// connection of an attack comes from.
export const networks = {
  loopback: { server: '127.0.0.1', honest: '127.0.0.4', watcher: '127.0.0.5', poster: (n) => `127.0.1.${n}`,
    one: () => '127.0.0.2', many: () => `127.${1 + upTo(250)}.${upTo(250)}.3` },
  ipv4: { server: '10.9.0.1', honest: '10.9.0.2', watcher: '10.9.0.4', poster: (n) => `10.9.0.${10 + n}`,
    one: () => '10.9.0.3', many: () => `10.9.${1 + upTo(250)}.${1 + upTo(250)}` },
  // Of IPv6, one attacker has a /64, and so a new address for each connection.
  ipv6: { server: 'fd00:9::1', honest: 'fd00:9:0:1::2', watcher: 'fd00:9:0:4::2', poster: (n) => `fd00:9:0:${10 + n}::1`,
    one: () => `fd00:9:0:3::${group()}:${group()}`, many: () => `fd00:9:1:${group()}::1` },
};

const succeeds = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

// Runs the test file once more in a network of its own, which ends with its processes, and exits; inside of that it prepares the
// network. Returns a reason to skip what needs it, or undefined.
export function enterOwnNetwork(url) {
  if (!inside) {
    if (!succeeds('unshare', '--net', 'ip', 'link', 'set', 'lo', 'up')) return 'network namespaces are not allowed here';
    const env = { ...process.env, CHORUS_OWN_NETWORK: '1' };
    const { status } = spawnSync('unshare', ['--net', process.execPath, ...process.execArgv, fileURLToPath(url)], { stdio: 'inherit', env });
    process.exit(status ?? 1);
  }
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  execFileSync('ip', ['route', 'add', 'local', '10.9.0.0/16', 'dev', 'lo']);
  return undefined;
}

// The same for IPv6, once that is done.
export function skipsIPv6() {
  const can = succeeds('ip', '-6', 'route', 'add', 'local', 'fd00:9::/32', 'dev', 'lo') && succeeds('sysctl', '-w', 'net.ipv6.ip_nonlocal_bind=1');
  return can ? undefined : 'there is no IPv6 here';
}
