import assert from 'node:assert/strict';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const flags = [
  'bind', 'data', 'manager-port', 'comment-port', 'statistics-port', 'reader-ports', 'readers', 'workers', 'heartbeat-ms',
  'stall-timeout-ms', 'unsubscribe-ms', 'header-timeout-ms', 'body-timeout-ms', 'statistics-interval-ms', 'log-entries', 'log-min-age-ms', 'log-video-bytes',
  'log-age-ms', 'max-videos', 'memory', 'durable', 'internal-from', 'internal-token', 'user-rate', 'log-level',
];

scenario('--version and --help answer on stdout', async () => {
  const version = await run(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^chorus \d+\.\d+\.\d+/);
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /\bup\b/);
  assert.equal(help.stderr, '');
});

scenario('every option is in `up --help` and in the table of docs/configuration.md', async () => {
  const [help, table] = [await run(['up', '--help']), await run(['options', '--markdown'])];
  assert.equal(help.code, 0);
  assert.equal(table.code, 0);
  for (const flag of flags) {
    assert.match(help.stdout, new RegExp(`--${flag}\\b`), 'up --help');
    assert.match(table.stdout, new RegExp(`^\\|.*--${flag}\\b.*\\|`, 'm'), 'options --markdown');
  }
});

scenario('the table says for each command what its --help says', async () => {
  const { stdout: table } = await run(['options', '--markdown']);
  const rows = [...table.matchAll(/^\| `--([^\s`]+)[^`]*`.*\| ([a-z, ]+) \|$/gm)].map(([, flag, commands]) => [flag, commands.split(', ')]);
  for (const command of ['up', 'manager', 'comment', 'reader', 'statistics', 'clients', 'simulate']) {
    const { stdout: help } = await run([command, '--help']);
    const inHelp = [...help.matchAll(/^  --(\S+)(?:(?! PATH +the same, read)\s)/gm)].map(([, flag]) => flag);
    const inTable = rows.filter(([, commands]) => commands.includes(command)).map(([flag]) => flag);
    assert.ok(inHelp.length > 5, help);
    assert.deepEqual(inTable, inHelp, command);
  }
});

const wrong = [
  [['dance'], /dance/], [['up', '--dance'], /--dance/], [['up', 'dance'], /dance/], [['up', '--readers'], /--readers/],
  [['up', '--readers', '0'], /--readers/], [['up', '--readers', 'three'], /--readers/], [['up', '--readers', '3x'], /--readers/],
  [['up', '--comment-port', '65536'], /--comment-port/], [['up', '--comment-port', '-1'], /--comment-port/],
  [['up', '--comment-port', ''], /--comment-port/], [['up', '--reader-ports', '4001,x'], /--reader-ports/],
  [['up', '--reader-ports', '4001,4002,4003', '--readers', '2'], /--reader-ports.* 2 at most/],
  [['up', '--heartbeat-ms', '99999999999999999999'], /--heartbeat-ms/], [['up', '--memory', 'lots'], /--memory is "lots", but must be a size from 64k to 1024g\./],
  [['up', '--log-level', 'loud'], /--log-level/], [['up', '--bind', 'not an address'], /--bind/],
  [['up', '--internal-from', '10.0.0.0/33'], /--internal-from/],
];
for (const [args, names] of wrong) {
  scenario(`wrong usage: chorus ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await run(args, { cwd: t.folder() });
    assert.equal(code, 2, stderr);
    assert.match(stderr, names);
    assert.equal(stdout, '');
  });
}

scenario('-h is --help, and each command lists what it accepts', async () => {
  assert.deepEqual(await run(['-h']), await run(['--help']));
  assert.deepEqual(await run(['reader', '-h']), await run(['reader', '--help']));
  assert.match((await run(['reader', '-h'])).stdout, /^usage: chorus reader \[OPTIONS\]\n[^]*\nEach can be set in the environment too: --an-option as CHORUS_AN_OPTION/);
  assert.match((await run(['probe', '-h'])).stdout, /^usage: chorus probe URL\n/);
  assert.doesNotMatch((await run(['probe', '-h'])).stdout, /environment/);
});

scenario('without a command it lists the commands, and exits 2', async () => {
  const { code, stderr } = await run([]);
  assert.equal(code, 2);
  assert.match(stderr, /\bup\b/);
});
