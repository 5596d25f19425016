// The figures of leave.mjs as Markdown: leave-table.mjs FILE [FILE OF ITS STEPS]
import { readFileSync } from 'node:fs';

const [{ how, viewers, rate, series, ended, dropped, spread, quiet, beside }, steps] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const ms = (value) => `${value.toFixed(1)} ms`;
const list = (numbers) => numbers.map(Math.round).join(', ');
const rates = series.map(({ rate: came }) => came), paces = series.map(({ pace }) => pace);
// The first and the last second are not whole; viewers need half a second, and leases a part of one.
const deviations = rates.slice(1, -1).map((came, i) => came / paces[i] - 1);
const drain = how === 'drain';
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const each = (times) => `${times.map(({ p99 }) => ms(p99)).join(', ')}; ${ms(median(times.map(({ p99 }) => p99)))}`;
const compared = ({ quiet: before, beside: during }) =>
  `${ms(before.p99)} and ${ms(during.p99)} (${((during.p99 / before.p99 - 1) * 100).toFixed(0)} %); p50 ${ms(before.p50)} and ${ms(during.p50)}`;
const rows = [
  ['viewers', viewers],
  ['what the two others say they can take on', `${2 * rate} a second, less what they do`],
  ['came back in each second', list(rates)],
  ...(drain ? [['pace at its beginning, 30 % of what they said then', list([paces[0], ...paces.slice(0, -1)])]] : [['most in a second', Math.max(...rates.map(Math.round))]]),
  ...(drain ? [['furthest from the pace of all whole seconds', `${(Math.min(...deviations) * 100).toFixed(1)} % and +${(Math.max(...deviations) * 100).toFixed(1)} %`]] : [['all back after', `${series.length} s`]]),
  ...(drain ? [['the reader ended after', `${ended.toFixed(1)} s`]] : []),
  ['refused by the kernel (ListenOverflows)', dropped],
  ['viewers of the two others at the end', spread.join(' and ')],
  ...(steps ? [[`p99 of the others' own viewers, in ${steps.each.quiet.length} quiet times and in ${steps.each.beside.length} in between, in which viewers came at ${list(steps.series.map(({ rate: came }) => came))} a second`, compared(steps)],
    ['the same, each; and the median of these', `${each(steps.each.quiet)} and ${each(steps.each.beside)}`]] : [["p99 of the others' own viewers, before and after, and meanwhile", compared({ quiet, beside })]]),
];
console.log('| | |\n| --- | --- |');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);
