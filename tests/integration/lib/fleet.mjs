// Several programs that are one system: together they look like one Program, and each is available by its name.
import { Program } from './process.mjs';
import { until, within } from './time.mjs';

export class Fleet {
  #parts = new Map(); // name => {args, options, program}
  #past = []; // programs that others have replaced

  // Starts it; returns its address, as it prints it.
  async start(name, args, options) {
    const part = { args, options, program: new Program(args, options) };
    this.#parts.set(name, part);
    const { program } = part;
    const [, url] = await until(() => {
      if (program.end) throw Object.assign(new Error(`chorus ended: ${JSON.stringify(program.end)}`), { final: true });
      return program.stdout.match(/^\W*[a-z]+(?:-\d+)?\b\W*?(http:\/\/[^\s/]+)/m);
    }, () => `the address of ${name}; stdout:\n${program.stdout}\nstderr:\n${program.stderr}`);
    return url;
  }

  part(name) {
    return this.#parts.get(name).program;
  }
  get names() {
    return [...this.#parts.keys()];
  }

  // Stops one of them, which is then not a failure; again() restarts it.
  end1(name, signal = 'SIGTERM') {
    const part = this.#parts.get(name);
    part.meant = true;
    return within(part.program.kill(signal), 10_000, `the end of ${name} after ${signal}`);
  }
  // Restarts it with the same arguments, at the same address if its port was given. file: another program.
  again(name, file) {
    const { args, options, program } = this.#parts.get(name);
    this.#past.push(program);
    return this.start(name, args, { ...options, ...(file && { file }) });
  }

  get #programs() {
    return [...this.#parts.values()].map(({ program }) => program);
  }
  get #everyone() {
    return [...this.#past, ...this.#programs];
  }
  get #running() {
    return this.#programs.filter(({ end }) => !end);
  }

  get stdout() {
    return this.#everyone.map(({ stdout }) => stdout).join('');
  }
  get stderr() {
    return this.#everyone.map(({ stderr }) => stderr).join('');
  }
  // Whether any has exited without being stopped.
  get died() {
    return [...this.#parts.values()].some(({ program, meant }) => program.end && !meant);
  }
  // How all of them exited, the worst of each.
  get end() {
    if (this.#running.length) return undefined;
    const ends = this.#everyone.map(({ end }) => end);
    const bad = ends.find(({ code, signal }) => code || !['SIGKILL', 'SIGTERM', null].includes(signal)) ?? ends.find(({ signal }) => signal) ?? ends[0];
    return { code: bad.code, signal: bad.signal, stdout: this.stdout, stderr: this.stderr };
  }

  signal(name) {
    return this.#running.reduce((sum, program) => sum + program.signal(name), 0);
  }
  async kill(signal) {
    await Promise.all(this.#running.map((program) => program.kill(signal)));
    return this.end;
  }
  says(pattern, ms = 10_000) {
    return until(() => this.stderr.match(pattern), () => `${pattern} on stderr, which is:\n${this.stderr}`, ms);
  }

  // Sums: a bound on the sum is a bound on each part.
  descriptors() {
    return this.#running.reduce((sum, program) => sum + program.descriptors(), 0);
  }
  descriptorsByThread() {
    return this.#running.flatMap((program) => program.descriptorsByThread());
  }
  memory(field) {
    return this.#running.reduce((sum, program) => sum + program.memory(field), 0);
  }
}
