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
