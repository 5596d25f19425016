// The set-ups of a system. A set-up starts its programs and returns {program, addresses}: program is the one that
// kill9() and limits apply to, or a Fleet of all; addresses are by name: manager, comment, statistics, reader-1, ...
import { spawnSync } from 'node:child_process';
import { call } from './api.mjs';
import { Fleet } from './fleet.mjs';
import { Program, binary } from './process.mjs';
import { until } from './time.mjs';

const asArguments = (flags) => Object.entries(flags).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)]));

// Names count from 1; the first of a role that is usually alone has no number.
export const partNames = ({ readers, managers = 1, comments = 1 }) => [
  'manager', 'comment', 'statistics', ...numbered('reader', 1, readers), ...numbered('manager', 2, managers), ...numbered('comment', 2, comments),
];
const numbered = (role, from, to) => Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => `${role}-${from + i}`);

// The start-up box holds one line for each address.
async function readBox(program, readers) {
  return until(() => {
    if (program.end) throw Object.assign(new Error(`chorus ended: ${JSON.stringify(program.end)}`), { final: true });
    const found = new Map();
    for (const [, name, url] of program.stdout.matchAll(/^\W*(manager|comment|statistics|reader-\d+)\b\W*?(http:\/\/\S+)/gm)) {
      found.set(name, url);
    }
    return found.size === 3 + readers ? found : undefined;
  }, () => `the box with its addresses; stdout:\n${program.stdout}\nstderr:\n${program.stderr}`);
}

// One `chorus up` with everything in one process, on the given store.
async function up(store, { portOf, readers, flags, args, ...options }) {
  const readerPorts = numbered('reader', 1, readers).map(portOf);
  const program = new Program([
    'up', ...store, '--readers', String(readers),
    '--manager-port', portOf('manager'), '--comment-port', portOf('comment'), '--statistics-port', portOf('statistics'),
    '--reader-ports', portOf('reader-1') === '0' ? '0' : readerPorts.join(','), ...asArguments(flags), ...args,
  ], options);
  try {
    const addresses = await readBox(program, readers);
    return { program, addresses };
  } catch (error) {
    await program.kill('SIGKILL');
    throw error;
  }
}

// The flags that a role knows, from its own help.
const known = new Map();
function flagsOf(role) {
  if (!known.has(role)) {
    const { stdout } = spawnSync(binary, [role, '--help'], { encoding: 'utf8' });
    known.set(role, new Set(Array.from(stdout.matchAll(/^ +--([a-z][a-z-]*)/gm), ([, name]) => name).concat(/--videos WHICH/.test(stdout) ? 'videos' : [])));
  }
  return known.get(role);
}
const roleOf = (name) => name.split('-')[0];

// Each role is a process of its own. Servers start before their clients.
async function processes({ redis, portOf, flags, args, wait = true, ...options }) {
  const names = partNames(options);
  for (const name of Object.keys(flags)) {
    if (!['manager', 'comment', 'reader', 'statistics'].some((role) => flagsOf(role).has(name))) throw new Error(`no role knows --${name}`);
  }
  const fleet = new Fleet();
  const addresses = new Map();
  const start = async (name) => {
    const role = roleOf(name);
    const all = {
      redis: redis.url, port: portOf(name), 'instance-id': name.includes('-') ? name : `${name}-1`,
      'manager-url': addresses.get('manager'), 'statistics-url': addresses.get('statistics'), ...flags, ...options.ownFlags?.(name),
    };
    const mine = Object.entries(all).filter(([flag, value]) => value !== undefined && flagsOf(role).has(flag));
    const file = options.fileOf?.(name);
    addresses.set(name, await fleet.start(name, [role, ...asArguments(Object.fromEntries(mine)), ...args], { ...options, ...(file && { file }) }));
  };
  try {
    for (const role of ['statistics', 'reader', 'manager', 'comment']) {
      await Promise.all(names.filter((name) => roleOf(name) === role).map(start));
    }
    if (wait) await Promise.all(names.map((name) => settled(name, addresses.get(name), options.readers)));
    return { program: fleet, addresses };
  } catch (error) {
    await fleet.kill('SIGKILL');
    throw error;
  }
}

// Ready, and a manager knows all the readers.
const settled = (name, url, readers) => until(async () => {
  const ready = await call('GET', `${url}/ready`);
  if (ready.status !== 200) throw new Error(ready.text);
  if (roleOf(name) !== 'manager') return true;
  const { json } = await call('GET', `${url}/health`);
  if (json.availableReaderApis < readers) throw new Error(JSON.stringify(json));
  return true;
}, () => `${name} at ${url} to be ready`);

export const setups = {
  embedded: ({ dataDir, ...options }) => up(['--data', dataDir], options),
  'up-redis': async ({ redis, wait = true, ...options }) => {
    const started = await up(['--redis', redis.url], options);
    try {
      if (wait) await Promise.all([...started.addresses].map(([name, url]) => settled(name, url, options.readers)));
      return started;
    } catch (error) {
      await started.program.kill('SIGKILL');
      throw error;
    }
  },
  processes,
  sentinel: processes, // on the primary that Sentinels name
  cluster: processes, // on a Redis Cluster
};
