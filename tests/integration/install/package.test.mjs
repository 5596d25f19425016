// The Debian package that cpack makes.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UNITS, build } from '../lib/installed.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('the package has the program, its units and its dependencies', { setups: ['embedded'] }, async (t) => {
  const folder = t.folder();
  const tool = (name, ...args) => execFileSync(name, args, { encoding: 'utf8', cwd: folder });
  tool('cpack', '--config', join(build, 'CPackConfig.cmake'), '-B', folder);
  const [name] = readdirSync(folder).filter((file) => file.endsWith('.deb'));
  const version = (await run(['--version'])).stdout.trim().split(' ')[1];
  assert.match(name, new RegExp(`^chorus_${version.replaceAll('.', '\\.')}_\\w+\\.deb$`));
  const fields = tool('dpkg-deb', '--field', name);
  for (const library of ['libc6', 'libhiredis', 'libjansson4', 'libsqlite3-0', 'libutf8proc']) assert.match(fields, new RegExp(`^Depends:.*\\b${library}`, 'm'));
  assert.match(fields, new RegExp(`^Version: ${version}$`, 'm'));
  tool('dpkg-deb', '--extract', name, 'there');
  const listed = tool('dpkg-deb', '--contents', name).split('\n');
  for (const line of listed.filter(Boolean)) assert.match(line, /^\S+ root\/root /, line);
  for (const unit of UNITS) {
    assert.match(tool('cat', `there/usr/lib/systemd/system/${unit}.service`), /^ExecStart=\/usr\/bin\/chorus /m);
  }
  assert.equal((await run(['config', 'check', join(folder, 'there/etc/chorus/chorus.conf')])).code, 0);
  assert.equal(tool('dpkg-deb', '--info', name, 'conffiles'), '/etc/chorus/chorus.conf\n');
  assert.match((await run(['--version'], { file: join(folder, 'there/usr/bin/chorus') })).stdout, /^chorus/);
  assert.match(tool('cat', 'there/usr/share/doc/chorus/copyright'), /the Chorus authors[^]*Fedor Indutny[^]*Troy D. Hanson/);
});
