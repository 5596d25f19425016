// A network of the test's own: each part in a network namespace, all on one bridge. tests/torture/run has made the namespaces in
// which this process runs, so that everything here disappears with them. What is between two parts can be dropped or reset
// in one direction (nft), narrowed (tbf; netem is not everywhere), or unplugged.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const namespaces = process.env.TORTURE_NAMESPACES === '1';
const execute = promisify(execFile);
const prefix = '10.77.0.';

// Where viewers and posters are, and where the address that leads to the current Redis is.
export const clientAddress = namespaces ? `${prefix}1` : '127.0.0.1';
export const frontAddress = namespaces ? `${prefix}2` : '127.0.0.1';

export class Network {
  #count = 0;
  #addresses = new Map();

  async open() {
    if (!namespaces) return;
    await execute('ip', ['link', 'set', 'lo', 'up']);
    await execute('ip', ['link', 'add', 'bridge', 'type', 'bridge']);
    for (const address of [clientAddress, frontAddress]) await execute('ip', ['addr', 'add', `${address}/24`, 'dev', 'bridge']);
    await execute('ip', ['link', 'set', 'bridge', 'up']);
  }

  // A place in the network; returns its address.
  async join(name) {
    if (!namespaces) return '127.0.0.1';
    const address = `${prefix}${10 + ++this.#count}`;
    await execute('ip', ['netns', 'add', name]);
    await execute('ip', ['link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
    await execute('ip', ['link', 'set', `to-${name}`, 'master', 'bridge', 'up']);
    await this.#inside(name, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) await this.#inside(name, 'ip', 'link', 'set', device, 'up');
    this.#addresses.set(name, address);
    return address;
  }

  // The words in front of a command that runs there.
  under(name) {
    return namespaces ? ['nsenter', `--net=/run/netns/${name}`] : [];
  }
  #inside(name, ...command) {
    const [file, ...args] = [...this.under(name), ...command];
    return execute(file, args);
  }

  // What it sends to `other` ('out') or gets from it ('in') does not arrive ('drop'), or is reset ('reset'). other: a name or an
  // address; all if it is undefined. Returns the function that ends it.
  async block(name, other, direction, how = 'drop') {
    const address = this.#addresses.get(other) ?? other;
    const table = `block${++this.#count}`;
    const [hook, field] = direction === 'in' ? ['input', 'saddr'] : ['output', 'daddr'];
    const match = address ? `ip ${field} ${address} ` : '';
    const verdict = how === 'reset' ? 'meta l4proto tcp reject with tcp reset' : 'drop';
    await this.#inside(name, 'nft', `table ip ${table} { chain c { type filter hook ${hook} priority 0; ${match}${verdict}; }; }`);
    return () => this.#inside(name, 'nft', `delete table ip ${table}`).catch(() => {});
  }

  // All that it sends ('out') or gets ('in') passes at `rate`, such as 64kbit.
  async slow(name, direction, rate) {
    const inside = direction === 'out' ? (...words) => this.#inside(name, ...words) : (file, ...args) => execute(file, args);
    const device = direction === 'out' ? 'eth0' : `to-${name}`;
    await inside('tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', '4kb', 'latency', '2s');
    return () => inside('tc', 'qdisc', 'del', 'dev', device, 'root').catch(() => {});
  }

  async unplug(name) {
    await execute('ip', ['link', 'set', `to-${name}`, 'down']);
    return () => execute('ip', ['link', 'set', `to-${name}`, 'up']).catch(() => {});
  }
}
