// The figures of spread.mjs as Markdown: spread-table.mjs FILE
import { readFileSync } from 'node:fs';

const { viewers, perSecond, mark, most, each, found, times, flaps, cost, atEnd, seen, dropped, failed } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const seconds = (value) => `${value.toFixed(1)} s`;
const share = (counts) => (Math.max(...counts) * counts.length) / counts.reduce((a, b) => a + b);
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const worst = (list, digits) => `${median([...list]).toFixed(digits)} (${Math.min(...list).toFixed(digits)}-${Math.max(...list).toFixed(digits)})`;
const rows = [
  ['viewers of the video; all there after', `${viewers}; ${seconds(found.all)}`],
  [`one reader above the mark of ${mark} (40 % of \`--max-viewers ${most}\`) at; two readers, and the second with 100 viewers, from then on`,
    `${seconds(found.mark)}; ${seconds(found.set - found.mark)}, ${seconds(found.serves - found.mark)}`],
  ['twice as many viewers at; three readers, and the third with 100 viewers, from then on', `${seconds(found.mark2)}; ${seconds(found.set2 - found.mark2)}, ${seconds(found.serves2 - found.mark2)}`],
  ['max/mean of the three readers <= 1.15 from; at the end', `${found.even ? seconds(found.even) : 'never'}; ${share(atEnd).toFixed(3)} (${atEnd.join(', ')})`],
  ['viewers moved; streams cut; attempts refused', `${times.at(-1).moved}; ${seen.cuts}; ${seen.refused}`],
  ['comments lost, doubled, out of order', `${seen.lost}, ${seen.duplicated}, ${seen.out_of_order} of ${seen.deliveries} deliveries`],
  ['posts that failed; connections that the kernel refused (ListenOverflows)', `${failed}; ${dropped}`],
  ['the set has grown, shrunk', `${flaps.grown}, ${flaps.shrunk} times`],
];
console.log('| | |\n| --- | --- |');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);

const of = (who, what) => cost.map((round) => round[who][what]);
console.log(`\nCPU per delivery, in ${cost.length} rounds that take turns: one reader with ${viewers / atEnd.length} viewers and ${atEnd.length} comments/s, the set with ${viewers} and one a second.\n`);
console.log('| readers | deliveries/s | deliveries a send | CPU of the readers per delivery, us: median (least-most) |\n| --- | --- | --- | --- |');
for (const [who, name] of [['one', 'one'], ['several', 'three']])
  console.log(`| ${name} | ${median(of(who, 'perSecond')).toFixed(0)} | ${median(of(who, 'perSend')).toFixed(2)} | ${worst(of(who, 'us'), 2)} |`);
console.log(`| their ratio, of each round | | | ${worst(cost.map(({ one, several }) => several.us / one.us), 3)} |`);

console.log(`\n| seconds (${each} viewers begin to come at a time, ${perSecond} a second) | viewers of each reader | moved so far |\n| --- | --- | --- |`);
let [next, last] = [0, ''];
for (const { at, now, moved } of times) {
  if (at < next || now.join(', ') === last) continue;
  last = now.join(', ');
  console.log(`| ${at.toFixed(1)} | ${last} | ${moved} |`);
  next = at + 2;
}
