// A page of the documentation as its reader meets it: a folder, a shell, a Chorus, and the page's commands one after the other.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../integration/lib/ports.mjs';
import { scaled, until } from '../integration/lib/time.mjs';
import { commandsOf, noteOf } from './markdown.mjs';
import { compare } from './output.mjs';

export const tree = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const binary = resolve(process.env.CHORUS_BIN ?? join(tree, 'build/chorus'));
const PORTS = { comment: '3000', 'reader-1': '4001', 'reader-2': '4002', 'reader-3': '4003', statistics: '5000', manager: '6000', redis: '6379' };
const LIMIT_MS = 15_000;

// `chorus` on the PATH of a page: the defaults of its ports are the page's.
const wrapper = (port) => `#!/usr/bin/env bash
args=("$@")
has() {
    local arg
    for arg in "\${args[@]}"; do [[ $arg == "$1" || $arg == "$1="* ]] && return; done
    return 1
}
add() { has "$1" || args+=("$1" "$2"); }
has --help || case \${1-} in
    up)
        add --comment-port ${port('3000')}
        has --single-port || { add --statistics-port ${port('5000')}; add --manager-port ${port('6000')}; add --reader-ports ${['4001', '4002', '4003'].map(port)}; }
        ;;
    comment) add --port ${port('3000')} ;;
    statistics) add --port ${port('5000')} ;;
    manager) add --port ${port('6000')} ;;
    reader) add --port ${port('4001')} ;;
esac
exec '${binary}' "\${args[@]}"
`;
const redisWrapper = (port) => `#!/usr/bin/env bash
[[ " $* " == *" -p "* || " $* " == *" --port "* ]] && exec /usr/bin/"\${0##*/}" "$@"
[[ $0 == *cli ]] && exec /usr/bin/redis-cli -p ${port('6379')} "$@"
exec /usr/bin/redis-server --bind 127.0.0.1 --port ${port('6379')} --save '' "$@"
`;

const alive = new Set();
const killGroup = (child, signal) => {
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch {
    return false; // nothing is left of it
  }
};
process.on('exit', () => alive.forEach((child) => killGroup(child, 'SIGKILL')));

// Something that runs in a process group of its own, and what it prints.
class Running {
  output = '';
  seen = 0; // how much of it was compared already

  constructor(text, options, stdin = 'ignore') {
    this.child = spawn('bash', ['--noprofile', '--norc', ...(text === undefined ? [] : ['-c', `exec 2>&1\n${text}`])], { ...options, detached: true, stdio: [stdin, 'pipe', 'pipe'] });
    alive.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (this.output += chunk));
    this.ended = new Promise((done) => this.child.once('close', (code) => done((this.end = { code }))));
  }

  async stop() {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      if (!killGroup(this.child, signal)) break;
      let timer;
      await Promise.race([this.ended, new Promise((done) => (timer = setTimeout(done, scaled(5_000))))]);
      clearTimeout(timer);
    }
    alive.delete(this.child);
  }
}

export class Page {
  #running = [];
  #epochs = {};
  #count = 0;
  #last; // the command that an output belongs to: {where, printed, again} or {where, running}

  async start() {
    const free = (await freePorts(Object.keys(PORTS).length)).sort((a, b) => a - b).map(String); // as readers take turns by their URLs
    this.ports = Object.fromEntries(Object.values(PORTS).map((port, i) => [port, free[i]]));
    const port = (documented) => this.ports[documented];
    this.folder = mkdtempSync(join(tmpdir(), 'chorus-docs-'));
    const bin = join(this.folder, '.bin');
    mkdirSync(bin);
    for (const [name, text] of Object.entries({ chorus: wrapper(port), 'redis-cli': redisWrapper(port), 'redis-server': redisWrapper(port) })) {
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), 0o755);
    }
    for (const name of readdirSync(tree)) {
      if (!/^(\.|build|chorus-data$)/.test(name)) symlinkSync(join(tree, name), join(this.folder, name));
    }
    mkdirSync(join(this.folder, 'build'));
    symlinkSync(join(bin, 'chorus'), join(this.folder, 'build', 'chorus'));
    writeFileSync(join(this.folder, '.curlrc'), 'silent\nshow-error\n'); // no progress meter, as on a terminal
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CHORUS_(?!TEST_RUN)|REDIS_|PORT$|INSTANCE_ID$|READER_|STATISTICS_|COMMENT_|NODE_TEST)/.test(name)));
    this.options = {
      cwd: this.folder,
      env: {
        ...own, PATH: `${bin}:${process.env.PATH}`, HOME: this.folder, TMPDIR: this.folder, NO_COLOR: '1', CHORUS_BIN: join(bin, 'chorus'),
        COMMENT_API_URL: `http://127.0.0.1:${port('3000')}`, READER_API_MANAGER_URL: `http://127.0.0.1:${port('6000')}`, STATISTICS_API_URL: `http://127.0.0.1:${port('5000')}`,
      },
    };
    this.#shell();
    return this;
  }

  #shell() {
    this.shell = new Running(undefined, this.options, 'pipe');
    this.shell.child.stdin.on('error', () => {}); // it has been killed
    this.shell.child.stdin.write('exec 2>&1\n');
  }

  // A documented text with the ports and the ids that are the real ones here.
  #real(text) {
    const ports = text.replace(/((?:127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\]|host):|-ports? |-p )(\d{4})\b(-(?!\d{4}))?/g, (all, before, port, after = '') => `${before}${this.ports[port] ?? port}${after}`)
      .replace(/(--[a-z-]*ports? )(\S+)/g, (all, before, list) => before + list.replace(/\d{4}/g, (port) => this.ports[port] ?? port));
    return Object.entries(this.#epochs).reduce((all, [documented, real]) => all.replaceAll(documented, real), ports);
  }

  // Ends what runs, and starts these commands.
  async setUp(text) {
    await this.#stopRunning();
    if (text === 'none') return;
    const commands = text.split(/; */).map((command) => ({ command, running: this.#start(this.#real(command)) }));
    for (const { command, running } of commands) {
      await until(async () => {
        if (running.end) throw Object.assign(new Error(running.output), { final: true });
        if (command === 'redis-server') return /Ready to accept connections/.test(running.output);
        return (await Promise.all(this.#portsOf(command).map((port) => fetch(`http://127.0.0.1:${port}/ready`)))).every(({ ok }) => ok);
      }, `${command} to be ready`);
    }
  }

  #portsOf(command) {
    const [, role, port] = command.match(/^chorus (\w+)(?:.* --port (\d+))?/);
    const parts = { comment: ['comment'], statistics: ['statistics'], manager: ['manager'], reader: ['reader-1'] }[role]
      ?? (command.includes('--single-port') ? ['comment'] : Object.keys(PORTS).filter((part) => part !== 'redis'));
    return port ? [this.ports[port]] : parts.map((part) => this.ports[PORTS[part]]);
  }

  #start(text) {
    const running = new Running(text, this.options);
    this.#running.push(running);
    return running;
  }

  // Runs a block, and checks what its commands print, as far as that is documented. answered: by a block of its own.
  async run(block, { answered } = {}) {
    for (const { line, text, output } of commandsOf(block)) {
      const where = `line ${line}: ${text}\n`;
      const command = this.#real(text);
      const words = noteOf(block, 'runs until');
      const stays = words !== undefined || /\bcurl\b[^|]*\s-[A-Za-z]*N/.test(command);
      this.#last = stays ? { where, running: await this.#stay(command, words && this.#real(words), where) } : { where, printed: await this.#toItsEnd(command, where) };
      if (block.notes.includes('repeated')) this.#last.again = () => this.#toItsEnd(command, where);
      if (output !== undefined) await this.output(output);
      else if (!answered && !stays) assert.doesNotMatch(this.#last.printed, /^\{"error":.*"code":/m, `${where}is refused`);
    }
  }

  async #stay(command, words, where) {
    const running = this.#start(command);
    await until(() => {
      if (running.end && !(running.end.code === 0 && words)) throw Object.assign(new Error(`${where}ended with ${running.end.code}: ${running.output}`), { final: true });
      return words ? running.end || running.output.includes(words) : /^data: /m.test(running.output);
    }, () => `${where}to print ${words ?? 'an event'}; it printed:\n${running.output}`, LIMIT_MS);
    return running;
  }

  async #toItsEnd(command, where) {
    const file = `.block-${++this.#count}`;
    const begin = this.shell.output.length;
    writeFileSync(join(this.folder, file), `${command}\n`);
    this.shell.child.stdin.write(`code=0; trap 'code=$?' ERR; . ./${file} </dev/null; trap - ERR; echo "<end ${this.#count} $code>"\n`);
    const mark = new RegExp(`<end ${this.#count} (\\d+)>\\n`);
    const [all, code] = await until(() => {
      if (this.shell.end) throw Object.assign(new Error(`${where}ended the shell`), { final: true });
      return this.shell.output.slice(begin).match(mark);
    }, () => `${where}to end. If it stays, say until when: <!-- runs until: TEXT -->. It printed:\n${this.shell.output.slice(begin)}`, LIMIT_MS);
    const printed = this.shell.output.slice(begin, this.shell.output.indexOf(all, begin));
    assert.equal(code, '0', `${where}exits with ${code}:\n${printed}`);
    return printed;
  }

  // What the last command has printed, or will soon, or one that still runs.
  async output(documented) {
    const { where, printed, running, again } = this.#last;
    const expected = this.#real(documented);
    let last;
    const take = ({ missing, after, epochs }) => {
      last = missing;
      if (missing === undefined) Object.assign(this.#epochs, epochs);
      return missing === undefined && { after };
    };
    if (printed !== undefined && take(compare(expected, printed))) return;
    if (again) {
      await until(async () => take(compare(expected, await again())), () => `${where}to print the line\n  ${last}`);
      return;
    }
    const streams = running ? [running] : this.#running;
    await until(() => streams.some((each) => {
      const found = take(compare(expected, each.output.slice(each.seen)));
      if (found) each.seen = each.output.length - found.after.length;
      return found;
    }), () => `${where}to print the line\n  ${last}\nIt printed:\n${printed ?? ''}${streams.map((each) => each.output.slice(each.seen)).join('\n')}`, streams.length ? 5_000 : 1);
  }

  async #stopRunning() {
    await Promise.all(this.#running.splice(0).map((each) => each.stop()));
  }

  async end() {
    this.shell?.child.stdin.end();
    await Promise.all([this.#stopRunning(), this.shell?.stop()]);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
