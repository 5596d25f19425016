// Starts `chorus simulate` with the same arguments: node simulation/small_in_memory_simulation.js [OPTIONS]
// Where Chorus is not built but its Docker image is (docker-compose up makes it), it runs in a container.
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const args = ['simulate', ...process.argv.slice(2)];
const image = process.env.CHORUS_IMAGE || 'chorus';

// The folder is mounted only for a file to be written there, as a file of this user.
function containerArgs() {
  const here = process.cwd();
  const writes = args.some((word) => word === '--html' || word.startsWith('--html='));
  const user = process.getuid ? ['--user', `${process.getuid()}:${process.getgid()}`] : [];
  return ['run', '--rm', ...(writes ? ['-v', `${here}:${here}`, '-w', here, ...user] : []), image, ...args];
}

const isImageThere = () => spawnSync('docker', ['image', 'inspect', image], { stdio: 'ignore', timeout: 10_000 }).status === 0;

function run(file, words) {
  const { error, status } = spawnSync(file, words, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
  return error;
}

function runInContainer() {
  const words = containerArgs();
  console.error(`Chorus is not built here, so: docker ${words.join(' ')}`);
  return run('docker', words);
}

function sayWhatToDo(binary) {
  console.error(`There is no ${binary} yet. scripts/run builds it (and starts everything; Ctrl-C ends that). With Docker alone:
  docker build -t ${image} . && docker run --rm ${[image, ...args].join(' ')}`);
}

const built = join(__dirname, '..', 'build', 'chorus');
const binary = process.env.CHORUS_BIN || (existsSync(built) ? built : 'chorus');
const error = run(binary, args);
if (error?.code === 'ENOENT') {
  if (!process.env.CHORUS_BIN && isImageThere()) runInContainer();
  else sayWhatToDo(binary);
} else if (error) {
  console.error(`${binary}: ${error.message}`);
}
