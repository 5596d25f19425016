// `cmake --install`: what is there, under which paths, and that systemd accepts the units.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UNITS, analyze, filesIn, install, unitFile } from '../lib/installed.mjs';
import { top } from '../lib/monitoring.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const options = { setups: ['embedded'] };
const textOf = (...path) => readFileSync(join(...path), 'utf8');

scenario('with DESTDIR everything lands below it, with the paths of the prefix', options, async (t) => {
  const stage = t.folder();
  const chorus = join(stage, 'usr/local/bin/chorus');
  install('/usr/local', { DESTDIR: stage });
  const files = filesIn(stage);
  const expected = [
    'bin/chorus', 'share/doc/chorus/LICENSE', 'share/doc/chorus/NOTICE', 'share/doc/chorus/CHANGELOG.md', 'share/doc/chorus/copyright',
    'share/doc/chorus/operations.md', 'share/chorus/deploy/nginx/nginx.conf', 'share/man/man1/chorus.1', 'lib/sysusers.d/chorus.conf',
    'share/bash-completion/completions/chorus', ...UNITS.map((name) => `lib/systemd/system/${name}.service`),
  ];
  for (const file of expected) assert.ok(files.includes(`usr/local/${file}`), `${file} among\n${files.join('\n')}`);
  assert.deepEqual(files.filter((file) => !/^(usr\/local|etc\/chorus)\//.test(file)), []);
  for (const file of files.filter((name) => /\.service$|man1|sysusers/.test(name))) {
    assert.doesNotMatch(textOf(stage, file), new RegExp(`@[a-z]+@|${stage}`), file);
  }
  assert.match((await run(['--version'], { file: chorus })).stdout, /^chorus \d/);
  for (const name of UNITS) assert.match(textOf(unitFile(join(stage, 'usr/local'), name)), /^ExecStart=\/usr\/local\/bin\/chorus (up|manager|comment|reader|statistics|archive) --config \/etc\/chorus\/chorus.conf\b/m, name);
  assert.equal((await run(['config', 'check', join(stage, 'etc/chorus/chorus.conf')])).code, 0);
});

scenario('a configuration that is there is kept', options, async (t) => {
  const prefix = t.folder();
  install(prefix);
  const file = join(prefix, 'etc/chorus/chorus.conf');
  writeFileSync(file, 'readers = 5\n');
  assert.match(install(prefix), /Kept: /);
  assert.equal(readFileSync(file, 'utf8'), 'readers = 5\n');
  assert.match(textOf(unitFile(prefix, 'chorus')), new RegExp(` --config ${file} `));
});

scenario('systemd accepts the units, which expose little', options, async (t) => {
  const prefix = t.folder();
  install(prefix);
  const units = UNITS.map((name) => unitFile(prefix, name));
  const verified = analyze('verify', '--man=no', ...units);
  assert.equal(verified.output, '');
  assert.equal(verified.status, 0);
  for (const unit of units) {
    // In tenths, of at most 100. What is left is the network, and that it sees the file system.
    const { status, output } = analyze('security', '--offline=true', '--no-pager', '--threshold=12', unit);
    assert.equal(status, 0, output);
    const [, program] = textOf(unit).match(/^ExecStart=(\S+)/m);
    assert.equal(program, join(prefix, 'bin/chorus'));
  }
});

scenario('systemd accepts what the documentation adds for a secret', options, async (t) => {
  const prefix = t.folder();
  install(prefix);
  const unit = unitFile(prefix, 'chorus');
  const [added] = textOf(top, 'docs/configuration.md').match(/^\[Service\]\nLoadCredential=(.*\n)+?(?=```)/m);
  mkdirSync(`${unit}.d`);
  const verified = (text) => {
    writeFileSync(`${unit}.d/override.conf`, text);
    return analyze('verify', '--man=no', unit).output;
  };
  assert.match(verified(added.replace('LoadCredential', 'LoadCredentials')), /Unknown key/); // so that it is read
  assert.equal(verified(added), '');
  const name = added.match(/LoadCredential=([^:]+):/)[1];
  assert.equal(added.match(/^Environment=CHORUS_INTERNAL_TOKEN_FILE=%d\/(.*)$/m)?.[1], name);
});

scenario('the completion offers the commands, and the options of each', options, async (t) => {
  const prefix = t.folder();
  install(prefix);
  const offered = (...words) => execFileSync('bash', ['-c', '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chorus; printf "%s\\n" "${COMPREPLY[@]}"', '-',
    join(prefix, 'share/bash-completion/completions/chorus'), join(prefix, 'bin/chorus'), ...words], { encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(offered('rea'), ['reader']);
  assert.deepEqual(offered('reader', '--publ'), ['--public-url']);
});

scenario('the manual page has every command', options, async (t) => {
  const prefix = t.folder();
  install(prefix);
  const page = textOf(prefix, 'share/man/man1/chorus.1');
  const commands = Array.from((await run(['--help'])).stdout.matchAll(/^ {2}([a-z]+) /gm), ([, name]) => name);
  assert.ok(commands.includes('up'));
  for (const name of commands) assert.match(page, new RegExp(`^\\.B ${name}\\n\\w`, 'm'));
});
