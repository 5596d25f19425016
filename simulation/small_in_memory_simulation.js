// Starts `chorus simulate` with the same arguments: node simulation/small_in_memory_simulation.js [OPTIONS]
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const built = join(__dirname, '..', 'build', 'chorus');
const binary = process.env.CHORUS_BIN || (existsSync(built) ? built : 'chorus');
const { error, status } = spawnSync(binary, ['simulate', ...process.argv.slice(2)], { stdio: 'inherit' });
if (error) {
  console.error(error.code === 'ENOENT'
    ? `There is no ${binary} yet. scripts/run builds it (and starts everything; Ctrl-C ends that).`
    : `${binary}: ${error.message}`);
}
process.exitCode = status ?? 1;
