// The expected traffic of the original. How long it takes is measured elsewhere; the limit here only distinguishes a program that
// finishes in a moment from one that does not.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

for (const readers of ['1', '3', '1000']) {
  scenario(`90,000 videos, 2,000,000 viewers, readers: ${readers}`, { setups: ['embedded'] }, async () => {
    const { code, stdout, stderr } = await run([
      'simulate', '--json', '--videos', '90000', '--viewers', '2000000', '--readers', readers,
      '--distribution', 'zipf:1', '--policy', 'round-robin,least-loaded,hash',
    ]);
    assert.equal(code, 0, stderr);
    const { audience, policies } = JSON.parse(stdout);
    assert.deepEqual([audience.totalVideos, audience.totalViewers], [90_000, 2_000_000]);
    assert.equal(policies.length, 3);
    for (const { subscriptions, viewers, readers: each } of policies) {
      assert.equal(each.length, Number(readers));
      assert.deepEqual([subscriptions.total, viewers.total], [90_000, 2_000_000]);
    }
    const [roundRobin, leastLoaded] = policies;
    assert.equal(roundRobin.subscriptions.max, Math.ceil(90_000 / readers));
    assert.ok(leastLoaded.viewers.standardDeviation <= roundRobin.viewers.standardDeviation);
  });
}

scenario('a celebrity is no hot spot with sets of readers, and readers are evened out, under each policy', { setups: ['embedded'] }, async () => {
  const flags = ['simulate', '--videos', '90000', '--viewers', '2000000', '--readers', '40', '--distribution', 'zipf:1', '--policy', 'round-robin,least-loaded,hash'];
  const [text, json] = await Promise.all([flags, [...flags, '--json']].map((args) => run(args)));
  assert.equal(json.code, 0, json.stderr);
  const { policies, readerCores } = JSON.parse(json.stdout);
  assert.deepEqual(policies.map(({ policy }) => policy), ['round-robin', 'least-loaded', 'hash']);
  for (const { policy, evenedOut: { sets, placed, withSets, rebalanced, minutes, readerCores: { after, celebrity } } } of policies) {
    assert.ok(placed.hottestReaderCores > 5 * readerCores, 'it needs more than five readers have');
    assert.ok(rebalanced.hottestReaderCores < readerCores && rebalanced.maxOfMean <= 1.25, policy);
    assert.equal(Math.max(...after).toFixed(1), rebalanced.hottestReaderCores.toFixed(1));
    assert.ok(celebrity.filter((each) => each > 0).length > 10);
    const row = [...text.stdout.matchAll(new RegExp(`^  ${policy} +(.*)$`, 'gm'))].at(-1)[1].replaceAll(',', '').split(/ +/).map(Number);
    const rounded = [placed, withSets, rebalanced].map((step) => [step.maxOfMean, step.hottestReaderCores].map((n) => Number(n.toFixed(2))));
    assert.deepEqual(row, [...rounded[0], sets, ...rounded[1], withSets.viewersMoved, ...rounded[2], rebalanced.videosMoved, rebalanced.viewersMoved, minutes]);
  }
});
