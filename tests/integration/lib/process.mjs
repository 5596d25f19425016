// The program under test as a process: its output, exit and memory. Nothing of it outlives the test.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { until, within } from './time.mjs';

// Relative to the folder of the tests' caller; one without a slash is looked up in PATH.
const named = process.env.CHORUS_BIN ?? 'chorus';
export const binary = named.includes('/') ? resolve(named) : named;

const alive = new Set();
process.on('exit', () => {
  for (const program of alive) program.killAll();
});

export class Program {
  stdout = '';
  stderr = '';

  // file: what to run instead of the program under test. under: a command in front of it, in words.
  // limits: what it starts under, as prlimit names it: {nofile: 64}. output: a file for stdout instead of a pipe.
  // forks: its children die with it, however it ends. One that stayed would hold its output and its connections open.
  constructor(args, { env = {}, limits = {}, cwd, output, under = [], file: own = binary, forks = false } = {}) {
    const flags = Object.entries(limits).map(([name, value]) => `--${name}=${value}`);
    const [file, ...rest] = [...(flags.length ? ['prlimit', ...flags] : []), ...under, own, ...args];
    const sink = output ? openSync(output, 'w') : 'pipe';
    // A Redis in the environment of the tests is not for them.
    this.child = spawn(file, rest, { cwd, env: { ...process.env, REDIS_URL: '', REDIS_HOST: '', ...env }, stdio: ['ignore', sink, 'pipe'], detached: forks });
    this.forks = forks;
    if (forks) this.child.once('exit', () => this.killAll());
    if (output) closeSync(sink);
    alive.add(this);
    this.child.stdout?.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.ended = once(this.child, 'close').then(
      ([code, signal]) => {
        alive.delete(this);
        return (this.end = { code, signal, stdout: this.stdout, stderr: this.stderr });
      },
      (error) => {
        alive.delete(this);
        return (this.end = { code: -1, signal: null, stdout: '', stderr: `${error.message} (CHORUS_BIN names the binary)` });
      },
    );
  }

  get died() {
    return Boolean(this.end);
  }
  get pid() {
    return this.child.pid;
  }

  // Sends a signal that does not terminate it; returns to how many processes.
  signal(name) {
    this.child.kill(name);
    return 1;
  }
  kill(signal) {
    this.child.kill(signal);
    return this.ended;
  }
  // With its children, where it has a process group of its own.
  killAll() {
    try {
      if (this.forks) process.kill(-this.pid, 'SIGKILL');
      else this.child.kill('SIGKILL');
    } catch {} // none is left
  }

  // Waits for a line on stderr; returns the match.
  says(pattern, ms = 10_000) {
    return until(() => this.stderr.match(pattern), () => `${pattern} on stderr, which is:\n${this.stderr}`, ms);
  }

  // Sets limits of the running process, soft ones only, so that they can be raised again: {nofile: 40}, {fsize: 'unlimited'}.
  limit(limits) {
    const flags = Object.entries(limits).map(([name, value]) => `--${name}=${value}:`);
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(this.pid), ...flags], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`prlimit: ${stderr}`);
  }

  descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
  // How many descriptors each thread has in its table, which usually is the same table.
  descriptorsByThread() {
    return readdirSync(`/proc/${this.pid}/task`).map((thread) => readdirSync(`/proc/${this.pid}/task/${thread}/fd`).length);
  }

  // Resident memory now, or its highest ever, in bytes.
  memory(field = 'VmRSS') {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))[1]) * 1024;
  }
}

// Runs it to completion: {code, signal, stdout, stderr}.
export async function run(args, options) {
  const program = new Program(args, options);
  try {
    return await within(program.ended, 10_000, () => `the end of: chorus ${args.join(' ')}\n${program.stderr}`);
  } finally {
    if (!program.end) await program.kill('SIGKILL');
  }
}
