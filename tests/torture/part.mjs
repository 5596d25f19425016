// One process of the system under torture, at its own address: started, killed, stopped, continued, started again.
import { Program } from '../integration/lib/process.mjs';
import { scaled, until } from '../integration/lib/time.mjs';

// Three minutes, for what has to happen on a busy machine, with a sanitizer or without; nothing is measured by it.
export const PATIENCE_MS = 180_000 / scaled(1);

const complaintsOf = (name, { stdout, stderr }) => (stdout + stderr).split('\n').filter((line) => line.includes(' ledger_not_closed ')).map((line) => `${name}: ${line}`);

export class Part {
  crashes = []; // ends by a signal that the test did not send
  complaints = []; // lines of the log that should never be there, of processes that have ended
  ended = false; // at any time
  refusals = 0; // ends with an error, as of one that finds its disk full at its start; then it is started again

  // args(part): its command line. file, forks: another program than Chorus, and whether it has children (process.mjs).
  constructor(name, { address, port, under = [], file, forks = false, args, env = {} }) {
    Object.assign(this, { name, address, port, under, file, forks, args, env });
  }
  get role() {
    return this.name.split('-')[0];
  }
  // Not of Chorus.
  get isStore() {
    return ['redis', 'sentinel'].includes(this.role);
  }
  get url() {
    return `http://${this.address}:${this.port}`;
  }
  get pid() {
    return this.program.pid;
  }
  get running() {
    return this.program && !this.program.end;
  }

  start() {
    if (this.running || this.closed) return;
    const { under, file, forks, env } = this;
    this.stopped = false;
    const program = (this.program = new Program(this.args(), { under, env, forks, ...(file && { file }) }));
    program.ended.then((end) => {
      this.ended = true;
      this.complaints.push(...complaintsOf(this.name, end));
      if (!program.meant) this.#onEnd(end);
    });
  }
  get allComplaints() {
    return [...this.complaints, ...(this.running ? complaintsOf(this.name, this.program) : [])];
  }
  // As a service manager does.
  #onEnd({ code, signal, stdout, stderr }) {
    this.refusals++;
    if (signal) this.crashes.push(`${this.name} ended by itself, code ${code}, signal ${signal}:\n${(stderr + stdout).slice(-2_000)}`);
    setTimeout(() => this.closed || this.start(), 500);
  }
  close() {
    this.closed = true;
    return this.kill();
  }

  // A stopped process dies of SIGKILL too.
  kill(signal = 'SIGKILL') {
    const { program } = this;
    if (!program || program.end) return undefined;
    program.meant = true;
    if (signal !== 'SIGKILL') program.child.kill('SIGCONT');
    return program.kill(signal);
  }

  // Whether it answers, which says that it has started.
  answers(probe) {
    return until(probe, () => `${this.name} to answer; output: ${(this.program.stderr + this.program.stdout).slice(-1_000)}`, PATIENCE_MS / 2);
  }

  signal(name) {
    this.stopped = name === 'SIGSTOP';
    if (this.running) this.program.signal(name);
  }
  limit(limits) {
    if (this.running) this.program.limit(limits);
  }
}
