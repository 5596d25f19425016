// A running Chorus, whatever it consists of. CHORUS_SETUP chooses the set-up; scenarios see addresses and verbs only,
// so that they hold for every set-up that can be built from the same contract.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './ports.mjs';
import { partNames, setups } from './setups.mjs';
import { makeStore } from './stores.mjs';
import { within } from './time.mjs';

export const setup = process.env.CHORUS_SETUP ?? 'embedded';

class System {
  ports = new Map(); // of a stable system, by the names of its parts

  constructor(options) {
    this.options = { readers: 3, flags: {}, args: [], ...options };
    this.ownsData = this.options.dataDir === undefined;
    this.dataDir = this.options.dataDir ?? mkdtempSync(join(tmpdir(), 'chorus-test-'));
  }

  async start() {
    const { stable, readers } = this.options;
    if (setup !== 'embedded' && !this.redis) {
      this.redis = makeStore(setup, this.options.redis);
      await (this.options.wait === false ? this.redis.settle() : this.redis.start());
    }
    const names = partNames(this.options);
    const missing = stable ? names.filter((name) => !this.ports.has(name)) : [];
    for (const port of await freePorts(missing.length)) this.ports.set(missing.shift(), port);
    const portOf = (name) => String(this.ports.get(name) ?? 0);
    const { program, addresses } = await setups[setup]({ ...this.options, portOf, redis: this.redis, dataDir: this.dataDir });
    this.program = program;
    for (const role of ['manager', 'comment', 'statistics']) this[role] = addresses.get(role);
    const all = (role) => names.filter((name) => name.startsWith(role)).map((name) => addresses.get(name));
    Object.assign(this, { managers: all('manager'), comments: all('comment'), readers: all('reader') });
    this.stopping = false;
    return this;
  }

  get pid() {
    return this.program.pid;
  }
  // The paths of what it keeps: there are sockets, too.
  get dataFiles() {
    return readdirSync(this.dataDir, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => join(this.dataDir, name));
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

  // How a stopped program exited: {code, signal, stdout, stderr}.
  stop(signal = 'SIGTERM') {
    this.stopping = true;
    return within(this.program.kill(signal), 10_000, `the end after ${signal}`);
  }
  kill9() {
    return this.stop('SIGKILL');
  }

  // Restarts with the same data at the same addresses. options: what is different from now on.
  async restart(signal = 'SIGTERM', options = {}) {
    if (!this.options.stable) throw new Error('restart() needs startSystem({stable: true})');
    if (!this.program.end) await this.stop(signal);
    Object.assign(this.options, options);
    return this.start();
  }
  // Its store is restarted with it, so that epochs end.
  async restartAll(signal = 'SIGTERM') {
    await this.stop(signal);
    if (this.redis) {
      await (signal === 'SIGKILL' ? this.redis.kill9() : this.redis.stop());
      await this.redis.start();
    }
    return this.restart();
  }

  // The end of the test. A server that has died by itself, or did not shut down cleanly, fails it.
  async release() {
    try {
      if (!this.program) return;
      const died = this.program.died && !this.stopping;
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
      await this.redis?.release();
      if (this.ownsData) rmSync(this.dataDir, { recursive: true, force: true });
    }
  }
}

// options:
//   readers  how many (3)             flags   {'log-entries': 10}, given as --log-entries 10
//   ownFlags further flags of a process, by its name, of set-ups that have several
//   fileOf   which program a process is, by its name: undefined, or the path of another one than the program under test
//   managers, comments  more than one, of set-ups that can      redis  as RedisServer's: {fsync: 'always'}, or a RedisPair, ...
//   wait     false: not for its Redis, which system.redis.start() starts later
//   stable   ports that restart() can have again       args   further words of the command line
//   dataDir  a folder that outlives this system        env, limits, output, under   as in process.mjs
export async function startSystem(options = {}) {
  const system = new System(options);
  try {
    return await system.start();
  } catch (error) {
    await system.release().catch(() => {});
    throw error;
  }
}
