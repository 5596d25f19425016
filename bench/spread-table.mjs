// The figures of spread.mjs as Markdown: spread-table.mjs FILE
import { readFileSync } from 'node:fs';

const { rate, viewers, found, times, atEnd, seen, moved, dropped, hotAfterMs, one, set } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const seconds = (value) => `${value.toFixed(1)} s`;
const mean = atEnd.reduce((a, b) => a + b, 0) / atEnd.length;
const rows = [
  ['viewers of the video, comments', `${viewers}, ${rate}/s`],
  ['all had come after', seconds(found.all)],
  [`mark crossed, and three readers from then on (\`--hot-after-ms ${hotAfterMs}\`)`, `${seconds(found.mark)}, ${seconds(found.set - found.mark)}`],
  ['evened out (max/mean <= 1.15), from the decision on', seconds(found.even - found.set)],
  ['viewers of the readers at the end, max/mean', `${atEnd.join(', ')}: ${(Math.max(...atEnd) / mean).toFixed(3)}`],
  ['moved; streams cut; attempts refused', `${moved}; ${seen.cuts}; ${seen.refused}`],
  ['comments lost, doubled, out of order', `${seen.lost}, ${seen.duplicated}, ${seen.out_of_order} of ${seen.deliveries} deliveries`],
  ['refused by the kernel (ListenOverflows)', dropped],
  ['CPU of all three readers per delivery: one serves all, the set', one ? `${one.toFixed(2)} us, ${set.toFixed(2)} us (${(set / one).toFixed(2)})` : `not measured, ${set.toFixed(2)} us`],
];
console.log('| | |\n| --- | --- |');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);
console.log('\n| seconds from the decision on | viewers of each reader |\n| --- | --- |');
let [next, last] = [-1, ''];
for (const [at, ...now] of times) {
  if (at - found.set < next || now.join(', ') === last) continue;
  last = now.join(', ');
  console.log(`| ${(at - found.set).toFixed(1)} | ${last} |`);
  next = at - found.set + 1;
}
