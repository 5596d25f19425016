// The figures of leave.mjs as Markdown: leave-table.mjs FILE
import { readFileSync } from 'node:fs';

const { how, viewers, rate, seconds, back, ended, dropped, spread, quietP99, p99 } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ms = (value) => (value === null ? '-' : `${value.toFixed(1)} ms`);
const rows = [
  ['viewers', viewers],
  ['what the two others say they can take on', `${2 * rate} a second`],
  ...(how === 'drain' ? [['pace, 30 % of that', `${0.6 * rate} a second`]] : []),
  ['came back in each second', seconds.join(', ')],
  ['most in a second', Math.max(...seconds)],
  ['all back after', `${back.toFixed(0)} s`],
  ...(how === 'drain' ? [['the reader ended after', `${ended.toFixed(1)} s`]] : []),
  ['refused by the kernel (ListenOverflows)', dropped],
  ['viewers of the two others at the end', spread.join(' and ')],
  ['p99 of the viewers of the others, in 5 s before', ms(quietP99)],
  ['p99 of all viewers of the others, from then to the end', ms(p99)],
];
console.log('| | |\n| --- | --- |');
for (const row of rows) console.log(`| ${row.join(' | ')} |`);
