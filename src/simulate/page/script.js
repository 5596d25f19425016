// Draws the figures of `chorus simulate --json`, which are in this page.
const figures = JSON.parse(document.getElementById('figures').textContent);
const { policies, audience } = figures;
const celebrity = audience.topVideos[0];
const losses = policies.filter(({ readerLost }) => readerLost);
const averagePerReader = figures.viewers / figures.readers;

const LEASE_MS = 3000; // after which a reader that is gone loses its videos
const BROWSERS_RETRY_MS = 3000; // of an EventSource that is given none
const LISTED_READERS = 16; // with more, a picture has columns without names,
const COLUMNS = 40; // of the busiest
const TABLE_ROWS = 100;

// Elements

const byId = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes = {}, text) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.append(text);
  return made;
}

// `words` describes the picture, for screen readers.
function drawing(width, height, words, shapes) {
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': words });
  svg.append(...shapes);
  return svg;
}

function say(id, ...parts) {
  byId(id).replaceChildren(...parts);
}

// Words

const count = (n) => n.toLocaleString('en-US');
const some = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
const percent = (share, digits = 0) => `${share.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })} %`;
const times = (factor) => factor.toLocaleString('en-US', { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const cores = (n, digits = 2) => n.toLocaleString('en-US', { maximumFractionDigits: digits });
const seconds = (ms) => `${(ms / 1000).toLocaleString('en-US')} s`;
const title = (policy) => policy[0].toUpperCase() + policy.slice(1);
const busiest = (readers) => readers.reduce((most, each) => (each.viewers > most.viewers ? each : most));
const quietest = (readers) => readers.reduce((least, each) => (each.viewers < least.viewers ? each : least));
const between = ({ min, max }, word) => (min === max ? some(max, word) : `${count(min)} to ${some(max, word)}`);

// Tables

function table(caption, head, rows, name = '') {
  const cells = (cell, row) => row.map((value, i) => element(i ? cell : 'th', i && cell === 'td' ? {} : { scope: cell === 'td' ? 'row' : 'col' }, value));
  return element('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption }, element('table', { class: name },
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...cells('th', head))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells('td', row))))));
}

// A long table, which is opened by its summary.
function folded(summary, head, rows) {
  const shown = rows.slice(0, TABLE_ROWS);
  const more = rows.length - shown.length;
  return element('details', {}, element('summary', {}, summary),
    table(more ? `the first ${count(shown.length)} of ${count(rows.length)}; chorus simulate --json has all` : summary, head, shown));
}

function legend(id, entries) {
  say(id, ...entries.map(([name, words]) => element('span', {},
    drawing(12, 12, '', [shape('rect', { class: name, x: 1, y: 1, width: 10, height: 10, rx: 2 })]), words)));
  for (const svg of byId(id).querySelectorAll('svg')) {
    svg.removeAttribute('role');
    svg.setAttribute('aria-hidden', 'true');
  }
}

// Pictures

// The parts of a reader's bar, in order: {name of the class, viewers}.
function barParts(reader, hasCelebrity, before = reader.viewers) {
  const star = hasCelebrity ? celebrity.viewers : 0;
  const gained = reader.viewers - before;
  const starIsNew = hasCelebrity && star > before;
  return [
    { name: 'viewers', viewers: before - (starIsNew ? 0 : star) },
    { name: 'celebrity', viewers: star },
    { name: 'gained', viewers: gained - (starIsNew ? star : 0) },
  ].filter(({ viewers }) => viewers > 0);
}

// A bar for each reader, with its name. rows: {name, parts, label, gone}.
function bars(rows, largest, average, words) {
  const [left, width, right, height] = [62, 150, 82, 24];
  const x = (viewers) => (largest ? (viewers / largest) * width : 0);
  const labels = [];
  const shapes = rows.flatMap(({ name, parts, label, gone }, i) => {
    const y = i * height + 4;
    let from = 0;
    const pieces = parts.map((part) => {
      const rect = shape('rect', { class: part.name, x: left + x(from), y, width: Math.max(x(part.viewers) - (part.name === 'gone' ? 1 : 0), 0.5), height: 16 });
      from += part.viewers;
      return rect;
    });
    const kind = gone ? 'gone-name' : '';
    labels.push(shape('text', { x: left - 8, y: y + 12.5, 'text-anchor': 'end', class: kind }, name),
      shape('text', { x: left + x(from) + 6, y: y + 12.5, class: kind }, label));
    return pieces;
  });
  const at = left + x(average);
  shapes.push(shape('line', { class: 'average', x1: at, x2: at, y1: 0, y2: rows.length * height }), ...labels);
  return drawing(left + width + right, rows.length * height + 2, words, shapes);
}

// A column for each of the busiest readers, without names: sorted, so that the slope is seen.
function columns(rows, largest, average, words) {
  const [width, height] = [320, 150];
  const y = (viewers) => (largest ? (viewers / largest) * height : 0);
  const sum = ({ parts }) => parts.reduce((all, { viewers }) => all + viewers, 0);
  const step = width / Math.min(rows.length, COLUMNS);
  const shapes = [...rows].sort((a, b) => sum(b) - sum(a)).slice(0, COLUMNS).flatMap(({ parts }, i) => {
    let from = 0;
    return parts.map((part) => {
      from += part.viewers;
      return shape('rect', { class: part.name, x: (i * step).toFixed(2), y: (height - y(from)).toFixed(2), width: (step * 0.85).toFixed(2), height: y(part.viewers).toFixed(2) });
    });
  });
  shapes.push(shape('line', { class: 'average', x1: 0, x2: width, y1: height - y(average), y2: height - y(average) }),
    shape('line', { class: 'axis', x1: 0, x2: width, y1: height, y2: height }));
  const shown = rows.length > COLUMNS ? `the busiest ${COLUMNS} of ${count(rows.length)} readers` : `${count(rows.length)} readers, the busiest first`;
  shapes.push(shape('text', { class: 'dim', x: width, y: height + 16, 'text-anchor': 'end' }, shown));
  return drawing(width, height + 20, words, shapes);
}

const readersDrawn = (rows, ...rest) => (rows.length > LISTED_READERS ? columns : bars)(rows, ...rest);

function panel(name, figure, words, picture) {
  return element('figure', {}, element('figcaption', {}, element('h3', {}, title(name)), element('strong', {}, figure), element('small', {}, words)), picture);
}

// On a narrow screen it is scrolled.
function wide(picture) {
  return element('figure', { class: 'wide', tabindex: 0, 'aria-label': picture.getAttribute('aria-label') }, picture);
}

// Round values for an axis, from 0 to the first one not below `largest`.
function ticks(largest) {
  const power = 10 ** Math.floor(Math.log10(Math.max(largest, 1) / 4 || 1));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((each) => each * 4 >= largest) ?? power);
  const all = [0];
  while (all.at(-1) < largest) all.push(all.at(-1) + step);
  return all;
}

// The frame of a wide picture: lines at round values. Returns how values become heights.
function scale(largest, { left, width, top, height }, unit) {
  const values = ticks(largest);
  const y = (value) => top + height - (value / values.at(-1)) * height;
  const shapes = values.flatMap((value) => [
    shape('line', { stroke: 'var(--line)', x1: left, x2: left + width, y1: y(value), y2: y(value) }),
    shape('text', { class: 'dim', x: left - 8, y: y(value) + 4, 'text-anchor': 'end' }, count(value)),
  ]);
  shapes.push(shape('text', { class: 'dim', x: left - 8, y: top - 14, 'text-anchor': 'start' }, unit));
  return { y, shapes };
}

// Sections

function showSetting() {
  say('setting', `${some(figures.videos, 'video')} with ${some(figures.viewers, 'viewer')} on ${some(figures.readers, 'reader')}. Each policy `
    + 'decides which reader holds the event streams of a video; here it has placed the same videos with the same viewers.');
  const first = policies.find(({ policy }) => policy === 'round-robin') ?? policies[0];
  const [most, least] = [busiest(first.readers), quietest(first.readers)];
  const balanced = first.viewers.balanceFactor < 10;
  const opening = first.policy !== 'round-robin' ? `${title(first.policy)} leaves the busiest reader with ${count(most.viewers)} viewers`
    : balanced ? 'Round-robin balances videos, and here that is enough: the busiest reader holds ' + some(most.viewers, 'viewer')
      : `Round-robin balances videos, not viewers: it gives every reader ${between(first.subscriptions, 'video')}, yet ${most.reader} holds ${some(most.viewers, 'viewer')}`;
  const ratio = least.viewers ? `, ${times(most.viewers / least.viewers)} times as many as ${least.reader}` : `, and ${least.reader} none`;
  say('verdict', element('strong', {}, `${opening}${figures.readers > 1 ? ratio : ''}.`));
}

function showPlaced() {
  const largest = Math.max(...policies.map(({ viewers }) => viewers.max));
  say('placed-words', `Imbalance is the difference between the busiest and the quietest reader, as a share of the average of ${count(Math.round(averagePerReader))} viewers. `
    + 'A reader with twice the viewers sends twice the events for the same comments, and is the first to run out of memory or time.');
  say('placed', ...policies.map(({ policy, readers, subscriptions, viewers, celebrityReader }) => {
    const rows = readers.map((reader) => ({ name: reader.reader, parts: barParts(reader, reader.reader === celebrityReader), label: count(reader.viewers) }));
    return panel(policy, percent(viewers.balanceFactor), `imbalance of viewers; ${between(subscriptions, 'video')} each`,
      readersDrawn(rows, largest, averagePerReader, `${title(policy)}: readers hold ${count(viewers.min)} to ${count(viewers.max)} viewers`));
  }));
  legend('placed-legend', [['viewers', 'viewers'], ['celebrity', `viewers of ${celebrity.videoId}, the most popular video`]]);
  byId('placed-legend').append(element('span', {}, `┊ the average, ${count(Math.round(averagePerReader))}`));
  say('placed-numbers',
    table('Each policy, over its readers', ['policy', 'videos: most', 'least', 'imbalance', 'viewers: most', 'least', 'std dev', 'imbalance'],
      policies.map(({ policy, subscriptions: s, viewers: v }) => [policy, count(s.max), count(s.min), percent(s.balanceFactor, 2), count(v.max), count(v.min), v.standardDeviation.toFixed(2), percent(v.balanceFactor, 2)])),
    folded('Viewers of each reader', ['reader', ...policies.flatMap(({ policy }) => [`${policy}: videos`, 'viewers'])],
      policies[0].readers.map(({ reader }, i) => [reader, ...policies.flatMap(({ readers }) => [count(readers[i].subscriptions), count(readers[i].viewers)])])));
}

function showCelebrity() {
  const videos = audience.topVideos;
  const share = (celebrity.viewers / averagePerReader) * 100;
  const tooLarge = celebrity.viewers > averagePerReader;
  say('celebrity-words', `${celebrity.videoId} has ${some(celebrity.viewers, 'viewer')}, ${percent((celebrity.viewers / figures.viewers) * 100, 1)} of all, `
    + `and the average video ${count(Math.round(audience.averageViewers))}. As a video belongs to one reader, that reader holds all of them at first: ${percent(share)} of what an average reader holds in total. `
    + (tooLarge ? 'It alone is more than an average reader’s part, so no policy that places whole videos can balance these readers. Several readers for one video can, if it is hot enough: see below.'
      : 'So a policy can still balance the readers, if it knows of the viewers and gives this reader few other videos. That ends where one video has more viewers than the average reader.'));
  const box = { left: 56, width: 700, top: 28, height: 190 };
  const { y, shapes } = scale(celebrity.viewers * 1.15, box, 'viewers');
  const step = box.width / videos.length;
  videos.forEach(({ viewers }, i) => {
    const x = box.left + i * step + step * 0.12;
    shapes.push(shape('rect', { class: i ? 'viewers' : 'celebrity', x, y: y(viewers), width: step * 0.76, height: y(0) - y(viewers) }),
      shape('text', { class: 'dim', x: x + step * 0.38, y: y(0) + 16, 'text-anchor': 'middle' }, count(i + 1)));
  });
  shapes.push(shape('text', { x: box.left + step * 0.12, y: y(celebrity.viewers) - 7 }, `${celebrity.videoId}: ${count(celebrity.viewers)}`),
    shape('text', { class: 'dim', x: box.left + box.width, y: y(0) + 34, 'text-anchor': 'end' }, 'videos by popularity'));
  say('celebrity', wide(drawing(box.left + box.width + 8, 260, `The ${some(videos.length, 'most popular video')}: the first has ${count(celebrity.viewers)} viewers, the last of them ${count(videos.at(-1).viewers)}`, shapes)));
  const owner = ({ readers }, videoId) => readers.find(({ topVideos }) => topVideos.some((each) => each.videoId === videoId))?.reader ?? '';
  say('celebrity-numbers', folded(`The ${some(videos.length, 'most popular video')}, and their readers`, ['video', 'viewers', 'share', ...policies.map(({ policy }) => policy)],
    videos.map(({ videoId, viewers }) => [videoId, count(viewers), percent((viewers / figures.viewers) * 100, 2), ...policies.map((each) => owner(each, videoId))])));
}

// The cores that each reader needs, with those of the celebrity as a part. `after`: with sets, and evened out.
function coresOf({ readers, celebrityReader, evenedOut: { readerCores: { before, after, celebrity: stars } } }, isAfter) {
  const star = stars.reduce((sum, each) => sum + each, 0);
  return readers.map(({ reader }, i) => {
    const all = (isAfter ? after : before)[i];
    const part = isAfter ? stars[i] : reader === celebrityReader ? star : 0;
    return { name: reader, label: cores(all), parts: [{ name: 'viewers', viewers: Math.max(all - part, 0) }, { name: 'celebrity', viewers: part }].filter(({ viewers }) => viewers > 0) };
  });
}

function showEvened() {
  const { readerCores, commentsPerSecond } = figures;
  const largest = Math.max(readerCores, ...policies.flatMap(({ evenedOut: { readerCores: { before, after } } }) => [...before, ...after]));
  const mean = policies[0].evenedOut.readerCores.before.reduce((sum, each) => sum + each, 0) / figures.readers;
  const { sets, largestSet } = policies[0].evenedOut;
  say('evened-words', `With ${count(commentsPerSecond)} comments a second, spread over the videos as viewers are, and readers of ${some(readerCores, 'core')}: `
    + (sets ? `${some(sets, 'video takes', 'videos take')} more than 60 % of a reader. Each gets as many readers as it fills to 45 %, the hottest ${largestSet}; their viewers are spread over them, at a pace. `
      : 'no video takes more than 60 % of a reader, so each stays with one. ')
    + 'Then readers are evened out (chorus ctl apply): where one has more than 1.25 times the average viewers, its coldest videos move, 1 % of all viewers a minute. Nobody misses a comment by moving.');
  const draw = (isAfter) => policies.map((each) => {
    const { policy, evenedOut: { placed, withSets, rebalanced } } = each;
    const hottest = cores((isAfter ? rebalanced : placed).hottestReaderCores, 1);
    const words = isAfter ? `for the hottest reader; ${some(withSets.viewersMoved + rebalanced.viewersMoved, 'viewer')} moved` : 'for the hottest reader, with one reader for each video';
    return panel(policy, `${hottest} cores`, words, readersDrawn(coresOf(each, isAfter), largest, readerCores, `${title(policy)}, ${isAfter ? 'with sets and rebalancing' : 'one reader each'}: the hottest reader needs ${hottest} cores`));
  });
  say('evened-before', ...draw(false));
  say('evened-after', ...draw(true));
  legend('evened-legend', [['viewers', 'cores that a reader needs; above one reader each, below with sets and rebalancing'], ['celebrity', `for ${celebrity.videoId}`]]);
  byId('evened-legend').append(element('span', {}, `┊ the cores that it has, ${count(readerCores)}; on average it needs ${cores(mean)}`));
  say('evened-numbers', table('What sets and rebalancing do', ['policy', 'sets', 'most of mean viewers', 'hottest reader, cores', 'videos moved', 'viewers moved', 'minutes'],
    policies.flatMap(({ policy, evenedOut: { placed, sets: n, withSets, rebalanced, minutes } }) => [['one reader each', placed, '0', ''], ['with sets', withSets, count(n), ''], ['rebalanced', rebalanced, count(n), count(minutes)]]
      .map(([when, step, setsNow, paced]) => [`${policy}, ${when}`, setsNow, step.maxOfMean.toFixed(2), step.hottestReaderCores.toFixed(2), count(step.videosMoved), count(step.viewersMoved), paced]))));
}

// What the survivors hold, and what they have gained.
function takeover({ readers, readerLost, celebrityReader }) {
  return readers.map((before) => {
    const after = readerLost.readers.find(({ reader }) => reader === before.reader);
    if (!after) return { name: before.reader, before, gone: true, parts: [{ name: 'gone', viewers: before.viewers }], label: `−${count(before.viewers)}` };
    const gained = after.viewers - before.viewers;
    const stays = celebrityReader === before.reader;
    const parts = stays ? [...barParts(before, true), { name: 'gained', viewers: gained }] : barParts(after, readerLost.celebrityReader === after.reader, before.viewers);
    return { name: before.reader, before, after, gained, parts: parts.filter(({ viewers }) => viewers > 0), label: `${count(after.viewers)}${gained ? ` (+${count(gained)})` : ''}` };
  });
}

function showLost() {
  const largest = Math.max(...losses.flatMap(({ viewers, readerLost }) => [viewers.max, readerLost.viewers.max]));
  const alike = new Set(losses.map(({ readerLost }) => readerLost.reader)).size === 1;
  const averageAfter = figures.viewers / (figures.readers - 1);
  say('lost-words', `${alike ? `${title(losses[0].readerLost.reader)} dies` : 'Under each policy the busiest reader dies'}. Its videos are placed again, by the same policy, on the readers that are left, and its viewers follow. `
    + `All other videos stay where they are, so no other viewer notices. The readers left need room for this: on average ${percent((1 / (figures.readers - 1)) * 100, figures.readers > 20 ? 1 : 0)} more viewers, and more where the policy does not see them.`);
  say('lost', ...losses.map((each) => {
    const { policy, readerLost } = each;
    const rows = takeover(each);
    const most = rows.filter(({ gone }) => !gone).reduce((a, b) => (b.gained > a.gained ? b : a));
    return panel(policy, percent(readerLost.viewers.balanceFactor), `imbalance afterwards; ${most.name} takes ${count(most.gained)} of ${some(readerLost.viewersMoved, 'viewer')}`,
      readersDrawn(rows, largest, averageAfter, `${title(policy)}: ${readerLost.reader} loses ${count(readerLost.viewersMoved)} viewers; the others then hold ${count(readerLost.viewers.min)} to ${count(readerLost.viewers.max)}`));
  }));
  legend('lost-legend', [['viewers', 'viewers it had'], ['celebrity', `viewers of ${celebrity.videoId}`], ['gained', 'other viewers it takes over'], ['gone', 'the reader that failed']]);
  byId('lost-legend').append(element('span', {}, `┊ the average afterwards, ${count(Math.round(averageAfter))}`));
  say('lost-numbers',
    table('What moves, and the balance afterwards', ['policy', 'fails', 'videos moved', 'viewers moved', 'of all', 'then: most', 'least', 'imbalance'],
      losses.map(({ policy, readerLost: l }) => [policy, l.reader, count(l.videosMoved), count(l.viewersMoved), percent((l.viewersMoved / figures.viewers) * 100, 2), count(l.viewers.max), count(l.viewers.min), percent(l.viewers.balanceFactor, 2)])),
    folded('Viewers of each reader, before and afterwards', ['reader', ...losses.flatMap(({ policy }) => [`${policy}: before`, 'afterwards'])],
      losses[0].readers.map(({ reader }, i) => [reader, ...losses.flatMap(({ readers, readerLost }) => [count(readers[i].viewers), count(readerLost.readers.find((after) => after.reader === reader)?.viewers ?? 0)])])));
}

function showHerd() {
  const { policy, readerLost } = losses.reduce((a, b) => (b.readerLost.viewersMoved > a.readerLost.viewersMoved ? b : a));
  const { viewers, stepMs, peakPerSecond } = readerLost.reconnects;
  const moved = readerLost.viewersMoved;
  const last = viewers.findLastIndex((n) => n > 0);
  const largest = Math.max(...viewers);
  say('herd-words', `The videos can move once the dead reader’s lease has lapsed, ${seconds(LEASE_MS)} after it last renewed it. Until then its viewers try in vain. `
    + `Each stream told its viewer another time to wait between tries (retry:, 0.5 to 2.5 s at random), so they come back spread over ${seconds((last + 1) * stepMs - LEASE_MS)}: `
    + `at most ${some(peakPerSecond, 'viewer')} a second (${policy}). With the ${seconds(BROWSERS_RETRY_MS)} that browsers wait by themselves, all ${count(moved)} would arrive in one moment. `
    + 'No viewer misses a comment: each asks for what came after the last number it has seen.');
  const box = { left: 56, width: 700, top: 28, height: 190 };
  const { y, shapes } = scale(largest, box, `viewers that reconnect, in each ${seconds(stepMs)}`);
  const x = (ms) => box.left + (ms / (viewers.length * stepMs)) * box.width;
  shapes.unshift(shape('rect', { class: 'waiting', x: box.left, y: box.top, width: x(LEASE_MS) - box.left, height: box.height }),
    shape('text', { class: 'dim', x: box.left + 12, y: box.top + 22 }, 'the lease lapses: no reader has the videos yet'));
  viewers.forEach((n, i) => n && shapes.push(shape('rect', { class: 'gained', x: x(i * stepMs) + 1, y: y(n), width: x(stepMs) - box.left - 2, height: y(0) - y(n) })));
  // Those without a spread are off the scale.
  shapes.push(shape('rect', { class: 'spike', x: x(LEASE_MS) - 2, y: box.top - 6, width: 4, height: box.height + 6 }),
    shape('path', { class: 'spike', d: `M${x(LEASE_MS) - 7},${box.top - 4}h14l-7,-11z` }),
    shape('text', { x: x(LEASE_MS) + 12, y: box.top - 5 }, `without the spread: ${count(moved)} at once`));
  for (let ms = 0; ms <= viewers.length * stepMs; ms += 1000) shapes.push(shape('text', { class: 'dim', x: x(ms), y: y(0) + 16, 'text-anchor': 'middle' }, seconds(ms)));
  shapes.push(shape('text', { class: 'dim', x: box.left + box.width, y: y(0) + 34, 'text-anchor': 'end' }, 'since the reader died'));
  say('herd', wide(drawing(box.left + box.width + 8, 260, `${count(moved)} viewers reconnect between ${seconds(LEASE_MS)} and ${seconds((last + 1) * stepMs)} after the crash, at most ${count(largest)} in ${seconds(stepMs)}`, shapes)));
  say('herd-numbers', table('Viewers that reconnect', ['policy', 'all', 'at most in a second', `at most in ${seconds(stepMs)}`, 'without the spread'],
    losses.map(({ policy: name, readerLost: l }) => [name, count(l.viewersMoved), count(l.reconnects.peakPerSecond), count(Math.max(...l.reconnects.viewers)), `${count(l.viewersMoved)} at once`])),
    folded('Each moment', ['after', ...losses.map(({ policy: name }) => name)],
      viewers.map((_, i) => [seconds(i * stepMs), ...losses.map(({ readerLost: l }) => count(l.reconnects.viewers[i]))]).filter((_, i) => i * stepMs >= LEASE_MS)));
}

const CHOICES = {
  'round-robin': ['the number of videos', 'nothing but a counter in the store, so any number of managers agree', 'viewers: a video with thousands counts as much as an empty one'],
  'least-loaded': ['load, up to 1.25 times the average', 'the load of each reader, of which two are compared', 'the future: a video is placed before its viewers come, and stays'],
  hash: ['nothing exactly; on average the number of videos, and load up to 1.25 times the average', 'the list of readers and their load: every process computes the same answer', 'viewers below that bound: chance decides, and more so the fewer videos there are'],
};

function showChoice() {
  say('choice', table('What each policy balances, needs and does not see', ['policy', 'balances', 'needs', 'does not see'],
    policies.map(({ policy }) => [policy, ...(CHOICES[policy] ?? ['', '', ''])]), 'prose'));
  const flags = `--videos ${figures.videos} --viewers ${figures.viewers} --readers ${figures.readers} --distribution ${figures.distribution} --seed ${figures.seed} --comment-rate ${Math.max(Math.round(figures.commentsPerSecond), 1)} --cores ${figures.readerCores} --policy ${policies.map(({ policy }) => policy).join(',')}`;
  say('again', 'The same again: ', element('code', {}, `chorus simulate ${flags} --html FILE`), '; all figures with ', element('code', {}, '--json'), '.');
}

showSetting();
showPlaced();
showCelebrity();
showEvened();
if (losses.length) {
  showLost();
  showHerd();
} else {
  for (const id of ['lost-section', 'herd-section']) byId(id).hidden = true;
}
showChoice();
