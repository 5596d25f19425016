// Set-ups: embedded.
import assert from 'node:assert/strict';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const numberOf = (text) => Number(text.replaceAll(',', ''));

// The figures behind a name at the start of a line.
function figures(text, name) {
  const line = text.split('\n').find((each) => each.trim().startsWith(`${name} `));
  assert.ok(line, `a line "${name}" in:\n${text}`);
  return line.trim().slice(name.length).match(/[\d,.]+/g).map(numberOf);
}

scenario('by default: 100 videos, 2,500 viewers, 5 readers, round-robin', { setups: ['embedded'] }, async () => {
  const { code, stdout, stderr } = await run(['simulate']);
  assert.equal(code, 0, stderr);
  assert.deepEqual(figures(stdout, 'total videos'), [100]);
  assert.deepEqual(figures(stdout, 'total viewers'), [2500]);
  assert.deepEqual(figures(stdout, 'average per video'), [25]);
  const [max] = figures(stdout, 'max');
  assert.ok(max >= 200 && max <= 300, `the top tier's video has ${max} viewers`);
  assert.ok(figures(stdout, 'min')[0] < 50);

  const [, top] = stdout.match(/Top 20 .*\n((?: +\d+\. .*\n)+)/);
  const viewers = top.trim().split('\n').map((line) => numberOf(line.match(/([\d,]+)$/)[1]));
  assert.equal(viewers.length, 20);
  assert.equal(viewers[0], max);
  assert.deepEqual(viewers, [...viewers].sort((a, b) => b - a));

  const buckets = ['1-100', '101-1000', '1001-5000', '5001-10000', '10001-50000', '50001+'];
  assert.deepEqual(buckets.map((name) => figures(stdout, name)[0]), [99, 1, 0, 0, 0, 0]);

  const readers = [...stdout.matchAll(/^(reader-\d+): 20 videos \(20\.00 %\), (\d+) viewers .*\n((?: +\d+\. .*\n){10})/gm)];
  assert.deepEqual(readers.map(([, name]) => name), [1, 2, 3, 4, 5].map((n) => `reader-${n}`));
  const held = readers.map(([, , count]) => Number(count));
  assert.equal(held.reduce((sum, count) => sum + count), 2500);

  assert.deepEqual(figures(stdout, 'subscriptions'), [100, 20, 20, 20, 0, 0]);
  const [total, average, most, least, deviation, factor] = figures(stdout, 'viewers');
  assert.deepEqual([total, average, most, least], [2500, 500, Math.max(...held), Math.min(...held)]);
  assert.ok(Math.abs(deviation - Math.sqrt(held.reduce((sum, count) => sum + (count - 500) ** 2, 0) / 5)) < 0.006);
  assert.ok(Math.abs(factor - ((most - least) / 500) * 100) < 0.006);
});

scenario('the same seed gives the same result, another seed another', { setups: ['embedded'] }, async () => {
  const [first, again, one, two] = await Promise.all(
    [[], [], ['--seed', '1'], ['--seed', '2']].map((flags) => run(['simulate', ...flags])),
  );
  assert.equal(first.stdout, again.stdout);
  assert.equal(first.stdout, one.stdout);
  assert.notEqual(one.stdout.replace('seed 1', ''), two.stdout.replace('seed 2', ''));
});
