// Set-ups: embedded.
import assert from 'node:assert/strict';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('simulate --help lists the options and their defaults', { setups: ['embedded'] }, async () => {
  const { code, stdout } = await run(['simulate', '--help']);
  assert.equal(code, 0);
  for (const [flag, fallback] of Object.entries({
    videos: '100', viewers: '2500', readers: '5', seed: '1', distribution: 'tiers', policy: 'round-robin', 'lose-reader': '0',
  })) {
    assert.match(stdout, new RegExp(`--${flag} .*\\(default ${fallback}\\)`));
  }
  assert.match(stdout, /--json/);
  assert.doesNotMatch(stdout, /--bind/);
});

const wrong = {
  videos: ['0', '-1', 'many', '1000001'], viewers: ['0', '2500.5'], readers: ['0', '1001'], seed: ['-1'],
  distribution: ['normal', 'zipf:', 'zipf:-1', ''], policy: ['random', 'hash,', ',hash', 'hash,hash', ''], 'lose-reader': ['6', '-1', 'reader-1'],
};
for (const [flag, values] of Object.entries(wrong)) {
  for (const value of values) {
    scenario(`wrong usage: simulate --${flag} "${value}"`, { setups: ['embedded'] }, async () => {
      const { code, stdout, stderr } = await run(['simulate', `--${flag}`, value]);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`^chorus simulate: --${flag} .*\\. Try .*\\n$`));
      assert.equal(stdout, '');
    });
  }
}

scenario('the only reader cannot die', { setups: ['embedded'] }, async () => {
  const { code, stderr } = await run(['simulate', '--readers', '1', '--lose-reader', '1']);
  assert.equal(code, 2);
  assert.match(stderr, /--lose-reader/);
});

scenario('output that cannot be written is an error', { setups: ['embedded'] }, async () => {
  for (const flags of [[], ['--json']]) {
    const { code, stderr } = await run(['simulate', ...flags], { output: '/dev/full' });
    assert.equal(code, 1);
    assert.match(stderr, /could not be written/);
  }
});

scenario('one video, one viewer, more readers than videos', { setups: ['embedded'] }, async () => {
  const { code, stdout } = await run(['simulate', '--videos', '1', '--viewers', '1', '--readers', '3']);
  assert.equal(code, 0);
  assert.match(stdout, /^reader-3: 0 videos/m);
});
