// The viewers of each reader over time, as spread.mjs has found them, as a picture: spread-picture.mjs FILE prints SVG.
import { readFileSync } from 'node:fs';

const { times: all, found, viewers, mark } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [860, 380, 70, 140, 40, 44];
const TAIL = 4; // seconds after the last change that are shown
const COLOURS = ['#2563eb', '#d9480f', '#2b8a3e'];
const settled = all.find(({ now }) => now.join() === all.at(-1).now.join()).at;
const times = all.filter(({ at }) => at <= settled + TAIL);
const end = times.at(-1).at;
const most = Math.max(...times.flatMap(({ now }) => now), viewers / 3) * 1.25;
const x = (at) => (LEFT + (at / end) * (WIDTH - LEFT - RIGHT)).toFixed(1);
const y = (count) => (HEIGHT - BOTTOM - (count / most) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
const text = (at, height, words, more = '') => `<text x="${at}" y="${height}" ${more}>${words}</text>`;
const line = (x1, y1, x2, y2, more) => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${more}/>`;

const parts = [];
const step = 10 ** Math.floor(Math.log10(most / 2));
for (let count = 0; count <= most; count += step * (most / step > 5 ? 2 : 1)) {
  parts.push(line(LEFT, y(count), WIDTH - RIGHT, y(count), 'stroke="#dee2e6"'), text(LEFT - 8, Number(y(count)) + 4, count.toLocaleString('en-US'), 'text-anchor="end"'));
}
for (let at = 0; at <= end; at += 5) parts.push(text(x(at), HEIGHT - BOTTOM + 18, `${at} s`, 'text-anchor="middle"'));
parts.push(line(LEFT, y(mark), WIDTH - RIGHT, y(mark), 'stroke="#868e96" stroke-dasharray="4 4"'), text(WIDTH - RIGHT - 6, Number(y(mark)) + 14, 'the mark: 40 % of --max-viewers', 'text-anchor="end"'));
const moments = [[found.set, 'two readers'], [found.set2, 'three readers'], [found.all, `all ${viewers.toLocaleString('en-US')} are there`]];
moments.forEach(([at, words], i) =>
  parts.push(line(x(at), TOP, x(at), HEIGHT - BOTTOM, 'stroke="#868e96" stroke-dasharray="2 3"'), text(Number(x(at)) - 5, TOP + 10 + 16 * i, words, 'text-anchor="end"')));
// In the order in which they joined, so that names and colours follow it.
const joined = times[0].now.map((_, i) => i).sort((a, b) => times.findIndex(({ now }) => now[a]) - times.findIndex(({ now }) => now[b]));
const ends = joined.map((i) => Number(y(times.at(-1).now[i])));
const places = ends.map((_, k) => Math.min(...ends) + 15 * ends.filter((other, j) => other < ends[k] || (other === ends[k] && j < k)).length);
joined.forEach((reader, k) => {
  const points = times.map(({ at, now }) => `${x(at)},${y(now[reader])}`).join(' ');
  parts.push(`<polyline points="${points}" fill="none" stroke="${COLOURS[k]}" stroke-width="2.5"/>`,
    text(WIDTH - RIGHT + 8, places[k], `reader ${k + 1}: ${times.at(-1).now[reader].toLocaleString('en-US')}`, `fill="${COLOURS[k]}" font-weight="600"`));
});
parts.push(text(LEFT, 22, 'Viewers of each reader', 'font-size="15" font-weight="600"'));
console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#343a40">
<rect width="${WIDTH}" height="${HEIGHT}" rx="8" fill="#fff"/>
${parts.join('\n')}
</svg>`);
