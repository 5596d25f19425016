// Medians over the rounds of a benchmark, from the files that `chorus bench --json` wrote, as a Markdown table.
//   table.mjs FOLDER ROUNDS HEADS COLUMN... -- ROW...   the table
//   table.mjs FOLDER ROUNDS --value FIGURES             one number, and the range of the rounds' own
// ROW      KEY=CELL|CELL     the first cells, whose titles HEADS gives in the same way
// COLUMN   TITLE=FIGURES
// FIGURES  FIGURE~DIGITS, or FIGURE/FIGURE~DIGITS: the median of the rounds' own ratios; Mi after DIGITS: in MiB
// FIGURE   RUN:path.in.the.file, of FOLDER/RUN.ROUND.json; % in RUN stands for KEY
import { readFileSync } from 'node:fs';

const [folder, count, ...words] = process.argv.slice(2);
const rounds = Array.from({ length: Number(count) }, (_, i) => i + 1);

const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

function figure(text, key, round) {
  const [run, path] = text.split(':');
  const found = JSON.parse(readFileSync(`${folder}/${run.replace('%', key)}.${round}.json`, 'utf8'));
  return path.split('.').reduce((value, name) => value?.[name], found);
}

// A figure that is unknown in any round is unknown.
function value(figures, key, withRange = false) {
  const [, text, digits, unit] = figures.match(/^(.*)~(\d)(Mi)?$/);
  const found = rounds.map((round) => text.split('/').map((part) => figure(part, key, round)));
  if (found.flat().some((each) => typeof each !== 'number')) return '-';
  const values = found.map(([a, b = 1]) => a / b / (unit ? 1 << 20 : 1));
  const shown = (number) => number.toFixed(Number(digits));
  const range = withRange && values.length > 1 ? ` (${shown(Math.min(...values))}-${shown(Math.max(...values))})` : '';
  return shown(median(values)) + range;
}

const cut = (text, at) => [text.slice(0, text.indexOf(at)), text.slice(text.indexOf(at) + 1)];
const line = (cells) => console.log(`| ${cells.join(' | ')} |`);

if (words[0] === '--value') {
  console.log(value(words[1], '', true));
} else {
  const split = words.indexOf('--');
  const [heads, columns, rows] = [words[0].split('|'), words.slice(1, split).map((word) => cut(word, '=')), words.slice(split + 1)];
  line([...heads, ...columns.map(([title]) => title)]);
  line([...heads, ...columns].map(() => '---'));
  for (const [key, cells] of rows.map((row) => cut(row, '='))) {
    line([...cells.split('|'), ...columns.map(([, figures]) => value(figures, key))]);
  }
}
