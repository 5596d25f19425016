// A pseudo-terminal of util-linux's script(1), in which a shell runs a command: what it writes, and keys for it.
import { spawn, spawnSync } from 'node:child_process';
import { until, within } from './time.mjs';

const quoted = (word) => `'${String(word).replaceAll("'", "'\\''")}'`;

export class Terminal {
  output = '';

  // Afterwards the shell says whether the terminal is as it was before, and the exit code.
  constructor(words, { columns = 80, rows = 24, env = {} } = {}) {
    const command = `stty cols ${columns} rows ${rows}; trap : INT; before=$(stty -g); echo "<$(tty)>"; `
      + `${words.map(quoted).join(' ')}; code=$?; test "$before" = "$(stty -g)" && echo "<as before, code $code>"`;
    this.child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, TERM: 'xterm', REDIS_URL: '', ...env }, stdio: 'pipe' });
    this.child.stdout.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  press(keys) {
    this.child.stdin.write(keys);
  }

  // Waits until it shows something; returns the match.
  shows(pattern, ms) {
    return until(() => this.output.match(pattern), () => `${pattern} on the terminal: ${JSON.stringify(this.output.slice(-2_000))}`, ms);
  }

  // Waits for a picture in which a line, or several, match: the last one may have been read only in part.
  draws(pattern) {
    return until(() => this.lines.join('\n').match(pattern), () => `${pattern} in ${JSON.stringify(this.lines)}`);
  }

  // Forgets what it has shown.
  clear() {
    this.#findTty();
    this.output = '';
  }

  #findTty() {
    return (this.tty ??= this.output.match(/<(\/dev\/pts\/\d+)>/)?.[1]);
  }

  async resize(columns, rows) {
    await until(() => this.#findTty(), 'the name of the terminal');
    const { status, stderr } = spawnSync('stty', ['-F', this.tty, 'cols', columns, 'rows', rows], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }

  // The lines of the last complete picture of a program that draws from the top (ESC [H), without colours.
  get lines() {
    const pictures = this.output.split('\x1b[H');
    return plain(pictures.at(-1)).split(/\r+\n/);
  }

  async end(ms = 10_000) {
    await within(this.ended, ms, () => `the end; the terminal shows ${JSON.stringify(this.output.slice(-2_000))}`);
    return this.output;
  }

  async release() {
    this.child.stdin.destroy();
    // A hangup does not end what runs in it.
    if (this.child.exitCode === null && this.#findTty()) {
      const { stdout } = spawnSync('ps', ['-o', 'pid=', '-t', this.tty.replace('/dev/', '')], { encoding: 'utf8' });
      spawnSync('kill', ['-KILL', ...(stdout.match(/\d+/g) ?? [])]);
    }
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

// Text without control sequences.
export const plain = (text) => text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');

export function openTerminal(t, words, options) {
  const terminal = new Terminal(words, options);
  t.after(() => terminal.release());
  return terminal;
}
