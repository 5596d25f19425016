// A Redis of its own with services around it: each either the original's or ours, started with the same environment,
// which has only the original's names. Nothing of a world outlives it.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../integration/lib/ports.mjs';
import { until } from '../integration/lib/time.mjs';

const originals = {
  manager: 'reader-api-manager.js', comment: 'comment-api.js', reader: 'reader-api.js', statistics: 'statistics-api.js', clients: 'client.js',
};

const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

class Process {
  output = '';

  constructor(name, [file, ...args], options) {
    this.name = name;
    this.child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    children.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      children.delete(this.child);
      this.end = { code, signal };
    });
  }

  // Waits for something that only holds while the process lives.
  until(probe, what, ms = 15_000) {
    return until(() => {
      if (this.end) throw Object.assign(new Error(`${this.name} ended: ${JSON.stringify(this.end)}\n${this.output.slice(-2_000)}`), { final: true });
      return probe();
    }, () => `${typeof what === 'function' ? what() : what}; ${this.name} says:\n${this.output.slice(-2_000)}`, ms);
  }

  says(pattern, ms) {
    return this.until(() => this.output.match(pattern), String(pattern), ms);
  }

  async stop(signal = 'SIGTERM') {
    if (!this.end) this.child.kill(signal);
    await this.ended;
  }
}

export class World {
  processes = [];

  // node: the Node that runs the original.
  constructor({ checkout, binary, node }) {
    Object.assign(this, { checkout, binary, node });
  }

  // The original uses no port of Redis but 6379, so a free address is chosen instead of a free port.
  async open() {
    this.folder = mkdtempSync(join(tmpdir(), 'chorus-interop-'));
    this.host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    const words = ['redis-server', '--bind', this.host, '--port', '6379', '--save', '', '--appendonly', 'no', '--dir', this.folder];
    await this.#add(new Process('redis', words)).says(/Ready to accept connections/);
    const [manager, comment, statistics] = await freePorts(3);
    this.ports = { manager, comment, statistics };
    return this;
  }

  #add(program) {
    this.processes.push(program);
    return program;
  }

  url(role) {
    return `http://localhost:${this.ports[role]}`;
  }

  get environment() {
    return {
      PATH: process.env.PATH, HOME: this.folder, REDIS_HOST: this.host,
      COMMENT_API_URL: this.url('comment'), STATISTICS_API_URL: this.url('statistics'), READER_API_MANAGER_URL: this.url('manager'),
    };
  }

  // role: a key of `originals`; maker: 'original' or 'chorus'.
  async start(role, maker, environment = {}) {
    const port = this.ports[role];
    const env = { ...this.environment, ...(port && { PORT: String(port) }), ...environment };
    const words = maker === 'chorus' ? [this.binary, role] : [this.node, join(this.checkout, 'src', originals[role])];
    const program = this.#add(new Process(`${maker} ${role}`, words, { env, cwd: this.folder }));
    program.url = env.PORT && `http://localhost:${env.PORT}`;
    if (role === 'clients') return program;
    if (maker === 'original') await program.says(/listening on port/);
    else await program.until(async () => (await fetch(`${program.url}/ready`)).ok, 'being ready');
    return program;
  }

  // A reader's name is part of its address; that is how the original recognises its own videos.
  async reader(maker, port) {
    port ??= (await freePorts(1))[0];
    return this.start('reader', maker, { PORT: String(port), INSTANCE_ID: `localhost:${port}` });
  }

  redis(...words) {
    return new Promise((resolve, reject) => {
      const cli = spawn('redis-cli', ['-h', this.host, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      cli.stdout.setEncoding('utf8').on('data', (more) => (text += more));
      cli.on('error', reject).on('close', () => resolve(text.trim()));
    });
  }

  // A service of ours that has exited by itself, or exits uncleanly, is a failure.
  async close() {
    const faults = [];
    for (const program of this.processes.reverse()) {
      const ours = program.name.startsWith('chorus');
      if (ours && program.end && !program.may_end) faults.push(`${program.name} had ended: ${JSON.stringify(program.end)}\n${program.output.slice(-2_000)}`);
      await program.stop(ours ? 'SIGTERM' : 'SIGKILL');
      if (ours && program.end.code !== 0) faults.push(`${program.name} ended with ${JSON.stringify(program.end)}\n${program.output.slice(-2_000)}`);
    }
    rmSync(this.folder, { recursive: true, force: true });
    if (faults.length) throw new Error(faults.join('\n'));
  }
}
