// Set-ups: embedded.
import assert from 'node:assert/strict';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const names = ['round-robin', 'least-loaded', 'hash'];
const simulate = async (...flags) => {
  const [text, json] = await Promise.all([run(['simulate', ...flags]), run(['simulate', '--json', ...flags])]);
  assert.equal(text.code, 0, text.stderr);
  return { text: text.stdout, ...JSON.parse(json.stdout) };
};
const rows = (text, name) => [...text.matchAll(new RegExp(`^ *${name} +(\\d.*)$`, 'gm'))].map(([, rest]) => rest.replaceAll(',', '').match(/[\d.]+/g).map(Number));

scenario('several policies are shown side by side', { setups: ['embedded'] }, async () => {
  const { text, policies } = await simulate('--policy', names.join(','));
  for (const { policy, subscriptions, viewers } of policies) {
    const [row] = rows(text, policy);
    const figures = [subscriptions, viewers].flatMap((s) => [s.max, s.min, s.standardDeviation, s.balanceFactor]);
    assert.deepEqual(row, figures.map((figure) => Number(figure.toFixed(2))), policy);
  }
  assert.ok(!text.includes('reader-1'), 'not reader by reader');
});

scenario('a policy gives the same result alone and beside others', { setups: ['embedded'] }, async () => {
  const { policies } = await simulate('--policy', names.join(','));
  for (const [i, name] of names.entries()) {
    const alone = await simulate('--policy', name);
    assert.deepEqual(alone.policies, [policies[i]]);
    assert.match(alone.text, /reader-1: /);
  }
});

scenario('--lose-reader in text: what moves, and the balance afterwards', { setups: ['embedded'] }, async () => {
  const { text, policies: [{ readerLost: lost }] } = await simulate('--lose-reader', '3');
  assert.match(text, new RegExp(`^reader-3 fails: ${lost.videosMoved} videos .*, ${lost.viewersMoved} viewers`, 'm'));
  const [, after] = text.split('Balance afterwards, per reader (4)');
  assert.deepEqual(rows(after, 'viewers')[0].slice(0, 4), [2500, 625, lost.viewers.max, lost.viewers.min]);
});

scenario('least-loaded evens out viewers, round-robin videos', { setups: ['embedded'] }, async () => {
  const { policies: [roundRobin, leastLoaded, hash] } = await simulate('--policy', names.join(','), '--videos', '1000', '--viewers', '25000');
  assert.equal(roundRobin.subscriptions.standardDeviation, 0);
  assert.ok(leastLoaded.subscriptions.standardDeviation > 0);
  assert.ok(leastLoaded.viewers.standardDeviation < roundRobin.viewers.standardDeviation / 2);
  assert.ok(hash.viewers.max < 1.25 * hash.viewers.average + 300, 'a bound, but for what the last video brings');
  const { policies: [old] } = await simulate('--policy', 'least-viewers');
  assert.equal(old.policy, 'least-loaded', 'an earlier name');
});
