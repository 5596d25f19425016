// The containers of docker-compose.yml under a project name, an image name and ports of their own, seen from the host.
// COMPOSE is the command: `docker compose` or `docker-compose`; scripts/docker-test sets it and COMPOSE_PROJECT_NAME.
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { call } from '../integration/lib/api.mjs';
import { freePorts } from '../integration/lib/ports.mjs';
import { until } from '../integration/lib/time.mjs';

export const top = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [program, ...first] = (process.env.COMPOSE ?? 'docker compose').split(' ');
const name = process.env.COMPOSE_PROJECT_NAME;
if (!name) throw new Error('COMPOSE_PROJECT_NAME is not set: start scripts/docker-test');

export const services = [
  'redis', 'statistics-api', 'reader-api-manager', 'comment-api', 'reader-api-1', 'reader-api-2', 'reader-api-3', 'client',
];

async function run(file, args, env = {}) {
  try {
    const { stdout } = await promisify(execFile)(file, args, { cwd: top, env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    throw new Error(`${file} ${args.join(' ')}: ${error.stdout}\n${error.stderr}`);
  }
}

export const docker = (...args) => run('docker', args);

export class Project {
  static async make() {
    const project = new Project();
    const [manager, comment, statistics, prometheus, archive, ...readers] = await freePorts(8);
    project.ports = {
      MANAGER_PORT: manager, COMMENT_PORT: comment, STATISTICS_PORT: statistics,
      READER_1_PORT: readers[0], READER_2_PORT: readers[1], READER_3_PORT: readers[2], PROMETHEUS_PORT: prometheus,
      ARCHIVE_PORT: archive, MORE_TARGETS: 'archive:7000',
    };
    const url = (port) => `http://127.0.0.1:${port}`;
    Object.assign(project, { manager: url(manager), comment: url(comment), statistics: url(statistics), prometheus: url(prometheus), archive: url(archive), readers: readers.map(url) });
    return project;
  }

  compose(...args) {
    return run(program, [...first, ...args], this.ports);
  }

  // Starts everything and waits until every health check has passed. Returns the seconds that passed until every address answered
  // that it is ready, and until then.
  async up() {
    const begin = Date.now();
    const seconds = () => (Date.now() - begin) / 1000;
    await this.compose('up', '-d', '--no-build');
    const urls = [this.manager, this.comment, this.statistics, ...this.readers];
    const isReady = async (url) => (await call('GET', `${url}/ready`)).status === 200;
    await Promise.all(urls.map((url) => until(() => isReady(url), `${url} to be ready`, 90_000)));
    const ready = seconds();
    await until(async () => {
      const found = await this.containers();
      return found.length === services.length && found.every(({ State }) => State.Running && (State.Health?.Status ?? 'healthy') === 'healthy');
    }, 'all containers to be healthy', 90_000);
    return { ready, healthy: seconds() };
  }

  // Also starts the services of these profiles.
  upWith(...profiles) {
    return this.compose(...profiles.flatMap((profile) => ['--profile', profile]), 'up', '-d', '--no-build');
  }

  down(...args) {
    return this.compose('--profile', 'observability', '--profile', 'archive', 'down', '--remove-orphans', ...args);
  }

  // The output of `docker inspect` for each container.
  async containers() {
    const ids = (await docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${name}`)).split('\n').filter(Boolean);
    return ids.length ? JSON.parse(await docker('inspect', ...ids)) : [];
  }
}

export const serviceOf = (container) => container.Config.Labels['com.docker.compose.service'];
