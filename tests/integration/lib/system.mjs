// A running Chorus, whatever it consists of. CHORUS_SETUP chooses the set-up; scenarios see addresses and verbs only,
// so that they hold for every set-up that can be built from the same contract.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './process.mjs';
import { freePorts } from './ports.mjs';
import { until, within } from './time.mjs';

export const setup = process.env.CHORUS_SETUP ?? 'embedded';

// A set-up starts its programs and returns {program, addresses}: program is the one that kill9() and limits mean.
const setups = {
  // One `chorus up` with everything in one process.
  async embedded({ ports, dataDir, readers, flags, args, ...options }) {
    const [manager, comment, statistics, ...readerPorts] = ports ?? [0, 0, 0, 0];
    const program = new Program([
      'up', '--data', dataDir, '--readers', String(readers),
      '--manager-port', String(manager), '--comment-port', String(comment), '--statistics-port', String(statistics),
      '--reader-ports', readerPorts.join(','), ...asArguments(flags), ...args,
    ], options);
    try {
      return { program, addresses: await readBox(program, readers) };
    } catch (error) {
      await program.kill('SIGKILL');
      throw error;
    }
  },
};

const asArguments = (flags) => Object.entries(flags).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)]));

// The start-up box holds one line for each address.
async function readBox(program, readers) {
  return until(() => {
    if (program.end) throw Object.assign(new Error(`chorus ended: ${JSON.stringify(program.end)}`), { final: true });
    const found = new Map();
    for (const [, name, url] of program.stdout.matchAll(/^\W*(manager|comment|statistics|reader-\d+)\b\W*?(http:\/\/[^\s/]+)/gm)) {
      found.set(name, url);
    }
    return found.size === 3 + readers ? found : undefined;
  }, () => `the box with its addresses; stdout:\n${program.stdout}\nstderr:\n${program.stderr}`);
}

class System {
  constructor(options) {
    this.options = { readers: 3, flags: {}, args: [], ...options };
    this.ownsData = this.options.dataDir === undefined;
    this.dataDir = this.options.dataDir ?? mkdtempSync(join(tmpdir(), 'chorus-test-'));
  }

  async start() {
    const { stable, readers } = this.options;
    if (stable && !this.ports) this.ports = await freePorts(3 + readers);
    const ports = this.ports?.slice(0, 3 + readers);
    const { program, addresses } = await setups[setup]({ ...this.options, ports, dataDir: this.dataDir });
    this.program = program;
    for (const role of ['manager', 'comment', 'statistics']) this[role] = addresses.get(role);
    this.readers = Array.from({ length: readers }, (_, i) => addresses.get(`reader-${i + 1}`));
    this.stopping = false;
    return this;
  }

  get pid() {
    return this.program.pid;
  }
  get stdout() {
    return this.program.stdout;
  }
  get stderr() {
    return this.program.stderr;
  }

  // The readers that are not `url`.
  others(url) {
    return this.readers.filter((reader) => reader !== url);
  }

  // How a stopped program ended: {code, signal, stdout, stderr}.
  stop(signal = 'SIGTERM') {
    this.stopping = true;
    return within(this.program.kill(signal), 10_000, `the end after ${signal}`);
  }
  kill9() {
    return this.stop('SIGKILL');
  }

  // The same data at the same addresses. options: what is different from now on.
  async restart(signal = 'SIGTERM', options = {}) {
    if (!this.options.stable) throw new Error('restart() needs startSystem({stable: true})');
    if (!this.program.end) await this.stop(signal);
    Object.assign(this.options, options);
    return this.start();
  }

  // The end of the test. A server that has died of itself, or did not end in order, fails it.
  async release() {
    try {
      if (!this.program) return;
      const died = this.program.end && !this.stopping;
      let hung = false;
      if (!this.program.end) {
        await this.stop().catch(() => {
          hung = true;
          return this.kill9();
        });
      }
      const { code, signal, stderr } = this.program.end;
      if (died || hung || code > 0 || ['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGPIPE'].includes(signal)) {
        const how = died ? 'of itself' : hung ? 'only by SIGKILL' : 'badly';
        throw new Error(`chorus ended ${how}, code ${code}, signal ${signal}:\n${stderr.slice(-4_000)}`);
      }
    } finally {
      if (this.ownsData) rmSync(this.dataDir, { recursive: true, force: true });
    }
  }
}

// options:
//   readers  how many (3)             flags   {'log-entries': 10}, given as --log-entries 10
//   stable   ports that restart() can have again       args   further words of the command line
//   dataDir  a folder that outlives this system        env, limits, output   as in process.mjs
export async function startSystem(options = {}) {
  const system = new System(options);
  try {
    return await system.start();
  } catch (error) {
    await system.release().catch(() => {});
    throw error;
  }
}
