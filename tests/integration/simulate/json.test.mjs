// Set-ups: embedded.
import assert from 'node:assert/strict';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const sum = (list, key) => list.reduce((total, entry) => total + entry[key], 0);
const names = ['round-robin', 'least-loaded', 'hash'];

async function simulate(...flags) {
  const { code, stdout, stderr } = await run(['simulate', '--json', ...flags]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function spreadAddsUp(spread, counts) {
  const total = counts.reduce((all, count) => all + count);
  const average = total / counts.length;
  const deviation = Math.sqrt(counts.reduce((all, count) => all + (count - average) ** 2, 0) / counts.length);
  const [max, min] = [Math.max(...counts), Math.min(...counts)];
  assert.deepEqual([spread.total, spread.max, spread.min], [total, max, min]);
  const near = (value, expected) => assert.ok(Math.abs(value - expected) <= 1e-6 * (1 + expected), `${value}, not ${expected}`);
  near(spread.average, average);
  near(spread.standardDeviation, deviation);
  near(spread.balanceFactor, ((max - min) / average) * 100);
}

function balanceAddsUp({ readers, subscriptions, viewers }, document) {
  assert.equal(sum(readers, 'subscriptions'), document.videos);
  assert.equal(sum(readers, 'viewers'), document.viewers);
  spreadAddsUp(subscriptions, readers.map((reader) => reader.subscriptions));
  spreadAddsUp(viewers, readers.map((reader) => reader.viewers));
}

for (const distribution of ['tiers', 'uniform', 'zipf:1.1']) {
  scenario(`the figures of --json add up: ${distribution}`, { setups: ['embedded'] }, async () => {
    const document = await simulate(
      '--videos', '3000', '--viewers', '77777', '--readers', '7', '--distribution', distribution, '--policy', names.join(','),
    );
    const { audience, policies } = document;
    assert.deepEqual([document.videos, document.viewers, document.readers, document.seed], [3000, 77777, 7, 1]);
    assert.deepEqual([audience.totalVideos, audience.totalViewers], [3000, 77777]);
    assert.equal(sum(audience.buckets, 'videos'), 3000);
    assert.equal(audience.topVideos.length, 20);
    assert.equal(audience.topVideos[0].viewers, audience.maxViewers);
    assert.deepEqual(policies.map(({ policy }) => policy), names);
    for (const each of policies) {
      assert.equal(each.readers.length, 7);
      balanceAddsUp(each, document);
      const tops = each.readers.flatMap(({ topVideos }) => topVideos);
      assert.equal(tops.length, 70);
      assert.equal(Math.max(...tops.map(({ viewers }) => viewers)), audience.maxViewers);
      assert.equal(new Set(tops.map(({ videoId }) => videoId)).size, 70, 'a video has one reader');
    }
  });
}

scenario('--lose-reader moves the videos of that reader, and no others', { setups: ['embedded'] }, async () => {
  const document = await simulate('--lose-reader', '2', '--policy', names.join(','));
  for (const { policy, readers, readerLost: lost } of document.policies) {
    const dead = readers.find(({ reader }) => reader === 'reader-2');
    assert.deepEqual([lost.reader, lost.videosMoved, lost.viewersMoved], ['reader-2', dead.subscriptions, dead.viewers], policy);
    assert.ok(dead.subscriptions > 0);
    assert.deepEqual(lost.readers.map(({ reader }) => reader), ['reader-1', 'reader-3', 'reader-4', 'reader-5']);
    balanceAddsUp(lost, document);
    for (const after of lost.readers) {
      const before = readers.find(({ reader }) => reader === after.reader);
      assert.ok(after.subscriptions >= before.subscriptions && after.viewers >= before.viewers, `${policy}, ${after.reader}`);
    }
  }
});
