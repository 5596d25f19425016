// The viewers of each reader over time, and what came in each second beside the pace, from leave.mjs: leave-picture.mjs FILE >PICTURE.svg
import { readFileSync } from 'node:fs';

const { viewers, series } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const LEFT = 64, WIDTH = 640, TOP = 24, HEIGHT = 200, GAP = 56, LOW = 96;
const COLOURS = ['#d1495b', '#2f6fb0', '#3a9d6e'], GREY = '#808080';
const mostRate = Math.max(...series.flatMap(({ rate, pace }) => [rate, pace])) * 1.1;
const x = (second) => (LEFT + (WIDTH * second) / series.length).toFixed(1);
const high = (n) => (TOP + HEIGHT * (1 - n / viewers)).toFixed(1);
const bottom = TOP + HEIGHT + GAP + LOW;
const low = (n) => (bottom - (LOW * n) / mostRate).toFixed(1);
const line = (points, colour, more = '') => `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"${more}/>`;
const text = (at, y, words, more = '') => `<text x="${at}" y="${y}" fill="${GREY}"${more}>${words}</text>`;
const END = ' text-anchor="end"', MIDDLE = ' text-anchor="middle"';

const parts = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 88} ${bottom + 36}" font-family="sans-serif" font-size="12">`];
const count = (n) => n.toLocaleString('en');
for (const part of [0, 0.5, 1]) {
  parts.push(`<path d="M${LEFT} ${high(viewers * part)}H${LEFT + WIDTH}" stroke="${GREY}" stroke-opacity=".3"/>`, text(LEFT - 8, Number(high(viewers * part)) + 4, count(viewers * part), END));
}
['reader-1', 'reader-2', 'reader-3'].forEach((name, i) => {
  const points = [i ? 0 : viewers, ...series.map(({ viewers: at }) => at[i])].map((n, second) => `${x(second)},${high(n)}`);
  const lift = [0, -8, 8][i];
  parts.push(line(points, COLOURS[i]), `<text x="${LEFT + WIDTH + 6}" y="${Number(points.at(-1).split(',')[1]) + 4 + lift}" fill="${COLOURS[i]}">${name}</text>`);
});
parts.push(text(LEFT, TOP - 10, 'viewers of each reader; reader-1 drains'), text(LEFT, bottom - LOW - 10, 'viewers that came to the others in each second, and the pace'));
series.forEach(({ rate }, i) => parts.push(`<rect x="${Number(x(i)) + 1}" y="${low(rate)}" width="${(WIDTH / series.length - 2).toFixed(1)}" height="${(bottom - low(rate)).toFixed(1)}" fill="${COLOURS[1]}" fill-opacity=".5"/>`));
parts.push(line(series.map(({ pace }, i) => `${x(i + 0.5)},${low(pace)}`), COLOURS[0], ' stroke-dasharray="4 3"'));
for (const n of [0, series[1].pace]) parts.push(text(LEFT - 8, Number(low(n)) + 4, count(Math.round(n)), END));
for (let second = 0; second <= series.length; second += 5) parts.push(text(x(second), bottom + 18, `${second} s`, MIDDLE));
parts.push('</svg>');
console.log(parts.join('\n'));
