// The dashboard: what the statistics service streams, drawn. What is wrong comes first and is the largest; states differ by
// word and shape as well as by colour; what is old says so.
import { Chart } from './chart.js';
import { count, isUneven, milliseconds, NOTHING, plural, problems, rate, span, tick } from './figures.js';
import { make, makeGauge, setGauge, setText } from './make.js';
import { Readers } from './readers.js';
import { Stream } from './stream.js';

const STALE_MS = 5_000; // two samples and a half
const MINUTE_MS = 60_000;
const FEED_ROWS = 100;

const $ = (id) => document.getElementById(id);
const sum = (samples, key) => samples.reduce((all, sample) => all + (sample[key] ?? 0), 0);
const seconds = (value) => milliseconds(value).join(' ').trim();
const latencyLevel = (ms) => (ms >= 5_000 ? 'bad' : ms >= 1_000 ? 'warn' : '');

// Tiles: the figure, its unit, what is below it, and whether it is bad.
const TILES = [
  { label: 'Viewers', show: ({ viewers }) => [count(viewers)], note: ({ readersLive }) => `on ${plural(readersLive, 'reader')}` },
  { label: 'Videos', show: ({ videos }) => [count(videos)], note: () => 'being watched' },
  { label: 'Comments', show: (s) => [rate(s.commentsPerSecond), '/s'], note: () => 'accepted' },
  { label: 'Deliveries', show: (s) => [rate(s.deliveriesPerSecond), '/s'], note: (s) => (s.commentsPerSecond > 0 ? `${count(s.deliveriesPerSecond / s.commentsPerSecond)} per comment` : 'to viewers') },
  { label: 'Post to delivery', show: ({ p99Ms }) => milliseconds(p99Ms), note: ({ p50Ms }) => `p99; p50 ${seconds(p50Ms)}`, level: ({ p99Ms }) => latencyLevel(p99Ms) },
  { label: 'Slow viewers', show: ({ slowViewers }) => [count(slowViewers)], note: (_, all) => `${plural(sum(all, 'slowGaps'), 'gap')} in 15 min`, level: (s) => (s.slowViewers > 2 && s.slowViewers > s.viewers * 0.02 ? 'warn' : '') },
  { label: 'Dropped', show: (_, all) => [count(sum(all, 'droppedViewers'))], note: () => 'viewers, 15 min', level: (s, all) => (sum(lately(all), 'droppedViewers') ? 'warn' : '') },
  { label: 'Reconnects', show: (_, all) => [count(sum(all, 'resumedViewers'))], note: (_, all) => `in 15 min; ${count(sum(lately(all), 'resumedViewers'))} in 1 min` },
];

const CHARTS = [
  { title: 'Viewers', format: count, whole: true, series: [{ key: 'viewers', label: 'Viewers', color: '--series-1' }] },
  { title: 'Comments', unit: '/s', format: rate, series: [{ key: 'commentsPerSecond', label: 'Comments', color: '--series-2' }] },
  { title: 'Deliveries', unit: '/s', format: rate, series: [{ key: 'deliveriesPerSecond', label: 'Deliveries', color: '--series-6' }] },
  { title: 'Post to delivery', format: seconds, tick: seconds, band: true, series: [{ key: 'p50Ms', label: 'p50', color: '--series-1' }, { key: 'p99Ms', label: 'p99', color: '--series-3' }] },
  { title: 'Viewers in trouble', format: count, whole: true, series: [{ key: 'slowViewers', label: 'Slow now', color: '--series-3' }, { key: 'droppedViewers', label: 'Dropped', color: '--series-4' }, { key: 'resumedViewers', label: 'Reconnected', color: '--series-2' }] },
  { title: 'Imbalance of viewers', unit: '× the mean', format: (n) => (n === null || n === undefined ? NOTHING : n.toFixed(1)), series: [{ key: 'imbalance', label: 'Fullest reader', color: '--series-5' }] },
];

const MARKS = {
  ok: 'M9.5 17.6 4 12.1l1.9-1.9 3.6 3.6 8.6-8.6L20 7.1z',
  warn: 'M12 2 1 21h22zm-1 7h2v6h-2zm0 8h2v2h-2z',
  bad: 'M8 2h8l6 6v8l-6 6H8l-6-6V8zm3 5v7h2V7zm0 9v2h2v-2z',
  wait: 'M12 2a10 10 0 1 0 10 10h-3a7 7 0 1 1-7-7z',
};

let hello = {};
let arrivedAt; // performance.now() of the last sample

const lately = (samples) => {
  const end = samples.at(-1)?.at ?? 0;
  return samples.filter(({ at }) => end - at < MINUTE_MS);
};

// Building what never changes

const tiles = TILES.map((tile) => {
  const [value, unit, note] = ['value', 'unit', 'note'].map((name) => make('span', name));
  const box = make('li', 'tile', make('span', 'label', tile.label), make('span', 'figure', value, unit), note);
  $('tiles').append(box);
  return { ...tile, on: { box, value, unit, note } };
});

const charts = CHARTS.map((options) => {
  const heading = make('h2', '', options.title);
  if (options.unit) heading.append(' ', make('small', '', options.unit));
  const legend = make('p', 'legend');
  if (options.series.length > 1) {
    for (const { label, color } of options.series) {
      const dot = make('i');
      dot.style.background = `var(${color})`;
      legend.append(make('span', '', dot, label));
    }
  }
  const canvas = make('canvas');
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', options.title);
  const tip = make('div', 'tip');
  tip.hidden = true;
  tip.setAttribute('aria-hidden', 'true');
  const summary = make('p', 'summary visually-hidden');
  summary.setAttribute('aria-live', 'polite');
  const figure = make('figure', 'panel chart', make('figcaption', '', heading, legend), make('div', 'plot', canvas, tip), summary);
  $('charts').append(figure);
  return new Chart(figure, { tick, ...options });
});

// Killing a reader, in a demo

let token;
async function kill(id) {
  try {
    token ??= (await (await fetch('/demo')).json()).token;
    const answer = await fetch(`/demo/readers/${encodeURIComponent(id)}/kill`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    const { restartMs, error } = await answer.json();
    return { killed: answer.ok, words: answer.ok ? `killed; back in ${span(restartMs)}` : error };
  } catch {
    return { killed: false, words: 'The server did not answer.' };
  }
}

const readers = new Readers({ body: $('rows'), empty: $('no-readers'), act: $('act'), kill });

// Showing

function showVerdict(level, headline, details = '') {
  $('verdict').dataset.level = level;
  $('mark').setAttribute('d', MARKS[level]);
  setText($('headline'), headline);
  setText($('details'), details);
  document.title = level === 'ok' ? 'Chorus dashboard' : `${level === 'wait' ? '…' : '⚠'} ${headline} · Chorus`;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

function judge() {
  const sample = stream.samples.at(-1);
  const age = arrivedAt === undefined ? Infinity : performance.now() - arrivedAt;
  const stale = age > STALE_MS;
  document.body.toggleAttribute('data-stale', stale);
  if (arrivedAt === undefined) {
    setText($('fresh'), '');
    return showVerdict('wait', 'Connecting', 'to the statistics service');
  }
  setText($('fresh'), stale ? `no data for ${span(age)}` : `live, ${new Date(sample.at).toLocaleTimeString()}`);
  if (stale) return showVerdict('bad', `No data for ${span(age)}`, 'The statistics service does not answer. The figures are from before.');
  const found = problems(sample, lately(stream.samples));
  const traffic = `${plural(sample.viewers, 'viewer')} on ${plural(sample.readersLive, 'reader')}, ${rate(sample.commentsPerSecond)} comments a second`;
  if (!found.length) return showVerdict('ok', 'All is well', traffic);
  showVerdict(found[0].level, sentence(found[0].text), found.length > 1 ? found.slice(1).map(({ text }) => text).join(' · ') : traffic);
}

function showSample(sample) {
  for (const tile of tiles) {
    const [value, unit = ''] = tile.show(sample, stream.samples);
    setText(tile.on.value, value);
    setText(tile.on.unit, unit);
    setText(tile.on.note, tile.note(sample, stream.samples));
    tile.on.box.dataset.level = tile.level?.(sample, stream.samples) ?? '';
  }
  readers.show(sample.readers, hello.demo);
  const uneven = isUneven(sample);
  setText($('imbalance'), sample.imbalance === null ? '' : `${uneven ? '⚠ ' : ''}Imbalance ${sample.imbalance.toFixed(2)} (viewers of the fullest, divided by the mean; 1 is even)`);
  $('imbalance').classList.toggle('warn', uneven);
  showVideos(sample.topVideos ?? []);
}

function showVideos(videos) {
  $('no-videos').hidden = videos.length > 0;
  const list = $('videos');
  const most = Math.max(1, ...videos.map(({ viewers }) => viewers));
  while (list.children.length > videos.length) list.lastChild.remove();
  videos.forEach(({ videoid, viewers, commentsPerSecond }, i) => {
    let row = list.children[i];
    if (!row) {
      row = make('li', '', make('b'), makeGauge(''), make('span', 'number'), make('small', 'number'));
      list.append(row);
    }
    const [name, gauge, number, comments] = row.children;
    setText(name, videoid);
    setGauge(gauge, viewers / most);
    gauge.setAttribute('aria-label', `Viewers of ${videoid}`);
    setText(number, count(viewers));
    setText(comments, commentsPerSecond === undefined ? '' : `${rate(commentsPerSecond)}/s`);
  });
}

const showCharts = () => charts.forEach((chart) => chart.show(stream.samples));

// What happened

const NOTICES = {
  reader_joined: ['+', '', ({ reader }) => `${reader} joined`],
  reader_lost: ['✕', 'bad', ({ reader }) => `${reader} lost: its lease has lapsed`],
  reader_back: ['↺', 'ok', ({ reader }) => `${reader} is back`],
  reader_stopped: ['■', '', ({ reader }) => `${reader} stopped in order`],
  assigned: ['→', '', ({ video, reader, readerUrl, more }) => `${video} assigned to ${reader ?? readerUrl}${andMore(more)}`],
  reassigned: ['⇄', 'warn', ({ video, from, fromReader, reader, readerUrl, more }) => `${video} moved from ${fromReader ?? from} to ${reader ?? readerUrl}${andMore(more)}`],
  spread: ['⇉', '', ({ video, readers, more }) => `${video} is hot: ${plural(readers, 'reader')} serve it${andMore(more)}`],
  gathered: ['⇇', '', ({ video, readers, more }) => `${video} has cooled down: ${plural(readers, 'reader')} left${andMore(more)}`],
  gap: ['…', 'warn', ({ video, missed, reason, more }) => `${video}: a gap of ${missed === null ? 'unknown length' : plural(missed, 'comment')} (${reason})${andMore(more)}`],
};
const andMore = (more) => (more ? `; ${plural(more, 'earlier event')} left out` : '');

function noticeRow(notice) {
  const [mark, level, words] = Object.hasOwn(NOTICES, notice.kind) ? NOTICES[notice.kind] : ['·', '', ({ kind }) => kind];
  const at = new Date(notice.at);
  const time = make('time', '', at.toLocaleTimeString());
  time.dateTime = at.toISOString();
  const sign = make('span', 'mark', mark);
  sign.setAttribute('aria-hidden', 'true');
  const row = make('li', '', time, sign, make('span', '', words(notice)));
  row.dataset.level = level;
  return row;
}

function showNotices(notices) {
  $('no-notices').hidden = stream.notices.length > 0;
  $('log').hidden = !stream.notices.length;
  for (const notice of notices) $('feed').prepend(noticeRow(notice));
  while ($('feed').children.length > FEED_ROWS) $('feed').lastChild.remove();
}

const stream = new Stream('/events', {
  onHello(first) {
    hello = first;
    setText($('about'), `${first.demo ? 'demo · ' : ''}version ${first.version}`);
  },
  onHistory() {
    $('feed').replaceChildren();
    showNotices(stream.notices.slice(-FEED_ROWS));
    showCharts();
  },
  onSample(sample) {
    arrivedAt = performance.now();
    showSample(sample);
    showCharts();
    judge();
  },
  onNotice: (notice) => showNotices([notice]),
  onState: () => judge(),
});

judge();
showNotices([]);
setInterval(judge, 1_000);
