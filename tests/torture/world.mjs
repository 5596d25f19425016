// The system under torture: a fleet of processes around a store of Redis servers (stores/), or one `up` on the embedded engine.
// Each part has its own address, so that the network between any two can fail.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call } from '../integration/lib/api.mjs';
import { Clock } from '../integration/lib/faketime.mjs';
import { freePorts } from '../integration/lib/ports.mjs';
import { Program } from '../integration/lib/process.mjs';
import { until } from '../integration/lib/time.mjs';
import { Network, clientAddress, namespaces } from './network.mjs';
import { PATIENCE_MS, Part } from './part.mjs';
import { Cluster } from './stores/cluster.mjs';
import { Pair } from './stores/pair.mjs';
import { Sentinels } from './stores/sentinel.mjs';

const READERS = 3;
const stores = { redis: Pair, cluster: Cluster, sentinel: Sentinels };
const flags = (values) => Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
const usual = { 'log-level': 'warn', 'statistics-interval-ms': 1000 };
// Nothing expires within a run, also where a clock is set forward by an hour.
const AGE_MS = 36_000_000;
// A reader that is ended in order gives three viewers a second to the others, so that this takes a while.
const draining = { 'connect-rate': 5, 'drain-seconds': 5 };
// A video of more than 40 % of that many viewers gets a second reader, and soon loses it again when they have left. All of the run find
// room at one reader.
const MOST = 48;
const hotReading = { 'max-viewers': MOST }, hotManaging = { 'hot-after-ms': 500, 'cool-after-ms': 1_500 };
const logged = { ...usual, 'log-age-ms': AGE_MS, 'log-entries': 1_000_000, 'log-video-bytes': '1g' };

export class World {
  parts = [];
  orders = new Set(); // that are not over
  lossesMs = [];
  began = performance.now();

  // clocks: whether the wall clock of each part can be stepped. drains: whether readers give their viewers away at a pace. hot: whether
  // a crowd makes a video hot. confirm: how many replicas have to have a comment. diskMb: of each file system that can be filled.
  constructor({ engine, clocks = false, drains = false, hot = false, confirm = 0, diskMb = 256 }) {
    Object.assign(this, { engine, clocks, drains, hot, confirm, diskMb });
    this.scratch = mkdtempSync(join(tmpdir(), 'chorus-torture-'));
    this.network = new Network();
  }

  get nowMs() {
    return performance.now() - this.began;
  }
  part(name) {
    return this.parts.find((part) => part.name === name);
  }
  ofRole(role) {
    return this.parts.filter((part) => part.role === role);
  }
  // All of Chorus.
  get services() {
    return this.parts.filter(({ isStore }) => !isStore);
  }
  get readers() {
    return this.engine === 'embedded' ? this.part('up').readerUrls : this.ofRole('reader').map(({ url }) => url);
  }
  get comments() {
    return this.engine === 'embedded' ? [this.part('up').url] : this.ofRole('comment').map(({ url }) => url);
  }
  get statistics() {
    return this.engine === 'embedded' ? this.part('up').statisticsUrl : this.part('statistics').url;
  }

  get control() {
    return join(this.scratch, 'control.sock');
  }
  // `chorus ctl`; returns how it ended. What does not answer is ended with the world.
  async order(...words) {
    const program = new Program(['ctl', ...words, '--control', this.control]);
    this.orders.add(program);
    const end = await program.ended;
    this.orders.delete(program);
    return end;
  }

  // What the store may have lost by now, since `from`.
  mayLose(from) {
    this.lossesMs.push([from, this.nowMs]);
  }

  // A folder; where mounting is allowed, a file system of its own.
  disk(name) {
    const folder = join(this.scratch, name);
    mkdirSync(folder);
    if (namespaces) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${this.diskMb}m`, 'none', folder]);
    return folder;
  }

  // The port that is asked for, where the part has an address of its own.
  async port(port) {
    return namespaces ? port : (await freePorts(1))[0];
  }
  async place(name, port) {
    const address = await this.network.join(name);
    const clock = this.clocks ? new Clock(this.#clockFolder(name)) : undefined;
    return { address, port: await this.port(port), under: this.network.under(name), clock, env: clock?.env ?? {}, scratch: this.scratch };
  }
  #clockFolder(name) {
    const folder = join(this.scratch, `clock-${name}`);
    mkdirSync(folder);
    return folder;
  }
  add(part, { clock }) {
    part.clock = clock;
    this.parts.push(part);
    return part;
  }

  async open() {
    await this.network.open();
    await (this.engine === 'embedded' ? this.#openUp() : this.#openFleet());
    for (const part of this.services) part.start();
    await Promise.all(this.services.map((part) => part.answers(async () => (await call('GET', `${part.url}/ready`)).status === 200)));
  }

  async #openUp() {
    const place = await this.place('up', 3000);
    const [manager, statistics, ...readers] = namespaces ? [6000, 5000, 4001, 4002, 4003] : await freePorts(2 + READERS);
    const data = this.disk('up-data');
    const up = new Part('up', { ...place, args: () => ['up', '--data', data, ...flags({
      ...logged, bind: place.address, 'internal-from': `${clientAddress}/32`, 'manager-port': manager, 'comment-port': place.port,
      'statistics-port': statistics, 'reader-ports': readers.join(','), readers: READERS, 'heartbeat-ms': 1000, control: this.control,
      ...(this.hot && { ...hotReading, ...hotManaging }),
    }), ...(this.hot ? ['--hot-set'] : [])] });
    const at = (port) => `http://${place.address}:${port}`;
    this.add(Object.assign(up, { folder: data, readerUrls: readers.map(at), statisticsUrl: at(statistics) }), place);
  }

  async #openFleet() {
    this.store = new stores[this.engine](this);
    await this.store.open();
    const statistics = await this.#service('statistics', 5000, {});
    const manager = await this.#service('manager', 6000, { control: this.control, ...(this.hot && hotManaging) });
    const rest = { 'manager-url': manager.url, 'statistics-url': statistics.url };
    const reading = { 'statistics-url': statistics.url, 'heartbeat-ms': 1000, 'log-age-ms': AGE_MS, ...(this.drains && draining), ...(this.hot && hotReading) };
    for (let i = 1; i <= READERS; i++) await this.#service(`reader-${i}`, 4001, reading);
    for (let i = 1; i <= 2; i++) await this.#service(`comment-${i}`, 3000, { ...rest, ...logged });
  }

  async #service(name, port, more) {
    const place = await this.place(name, port);
    const from = namespaces ? { 'internal-from': '10.77.0.0/24' } : {};
    const role = name.split('-')[0];
    return this.add(new Part(name, { ...place, args: () => [role, ...flags({
      ...usual, ...from, ...(this.confirm && { 'confirm-replicas': this.confirm }), redis: this.store.url, bind: place.address, port: place.port, 'instance-id': name, ...this.#known(role, more),
    })] }), place);
  }
  #known(role, more) {
    return role === 'manager' ? { ...more, 'statistics-url': this.part('statistics').url } : more;
  }

  // All that was done to it is undone, and everything runs.
  async heal() {
    for (const part of this.parts) {
      part.clock?.set(0);
      part.signal('SIGCONT');
    }
    if (this.store) await until(async () => (await this.store.heal(), true), 'Redis to be as it was', PATIENCE_MS);
    for (const part of this.services) {
      part.start();
      part.limit({ nofile: 4096 });
    }
    if (this.hot) await Promise.all(this.readers.map((_, i) => until(async () => (await this.order('stay', `reader-${i + 1}`)).code === 0, 'a reader to stay', PATIENCE_MS / 2)));
    await Promise.all(this.services.map((part) => part.answers(async () => (await call('GET', `${part.url}/ready`)).status === 200)));
  }

  // Violations in themselves.
  get crashes() {
    return this.services.flatMap(({ crashes }) => crashes);
  }
  // The names of those that have ended, at least once.
  get endedServices() {
    return this.services.filter(({ ended }) => ended).map(({ name }) => name);
  }
  get complaints() {
    return this.services.flatMap(({ allComplaints }) => allComplaints);
  }

  async close() {
    this.store?.close();
    await Promise.all([...this.orders].map((order) => order.kill('SIGKILL')));
    await Promise.all(this.parts.map((part) => part.close()));
    if (namespaces) {
      for (const { folder } of this.parts.filter((part) => part.folder)) execFileSync('umount', ['--lazy', folder]);
    }
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

// Fills a file system to the last block; returns the function that frees it.
export function fillUp(folder) {
  const filler = join(folder, 'filler');
  const { bavail, bsize } = statfsSync(folder);
  spawnSync('fallocate', ['-l', String(bavail * bsize), filler]); // fails if the store has just taken some of it
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k', 'oflag=append', 'conv=notrunc']);
  return () => rmSync(filler, { force: true });
}
