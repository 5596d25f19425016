// What figures look like, and what they mean. Pure: no page.

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', minimumFractionDigits: 1, maximumFractionDigits: 2 });
const known = (value) => typeof value === 'number' && Number.isFinite(value);

export const NOTHING = '–';

/** A number of things: 19; 12,345; 1.25M. */
export const count = (value) => (!known(value) ? NOTHING : value < 100_000 ? whole.format(Math.round(value)) : short.format(value));

/** A rate, with one decimal where it is low: 1.9; 345; 12,345; 1.25M. */
export const rate = (value) => (known(value) && value > 0 && value < 10 ? value.toFixed(1) : count(value));

/** A duration in milliseconds, as [number, unit]. Below one it is no more exact than that: nothing takes 0 ms. */
export function milliseconds(value) {
  if (!known(value)) return [NOTHING, ''];
  if (value < 1) return ['<1', 'ms'];
  if (value < 1_000) return [String(Math.round(value)), 'ms'];
  return value < 60_000 ? [(value / 1_000).toFixed(value < 10_000 ? 1 : 0), 's'] : [(value / 60_000).toFixed(1), 'min'];
}

export function bytes(value) {
  if (!known(value)) return NOTHING;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let i = 0;
  for (; value >= 1_000 && i < units.length - 1; i++) value /= 1_024;
  return `${i === 0 ? Math.round(value) : value.toPrecision(3)} ${units[i]}`;
}

/** A number on an axis: short, and without digits that say nothing. */
export const tick = (value) => (Number.isInteger(value) ? (value < 10_000 ? whole.format(value) : short.format(value).replace('.0', '')) : String(Number(value.toPrecision(2))));

/** How long ago, in words as short as can be: 8 s, 3 min, 2 h. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 100) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

const P99_WARN_MS = 1_000;
const P99_BAD_MS = 5_000;
const SLOW_SHARE = 0.02;
const MEMORY_WARN = 0.75; // backlogs of slow viewers get no more
const MEMORY_BAD = 0.875; // new viewers are refused
const IMBALANCE_WARN = 2;
const IMBALANCE_MEAN = 50; // viewers per reader, below which imbalance is no matter
const REPORT_LATE_MS = 8_000;

const names = (readers) => readers.map(({ instanceId }) => instanceId).join(', ');

/**
 * What is wrong, worst first: [{level: 'bad' | 'warn', text}]; empty: nothing.
 * `recent`: the samples of the last minute.
 */
export function problems(sample, recent = []) {
  const found = [];
  const add = (level, text) => found.push({ level, text });
  const lost = sample.readers.filter(({ state }) => state === 'lost');
  if (lost.length) add('bad', `${lost.length === 1 ? 'reader' : `${lost.length} readers`} lost: ${names(lost)}`);
  if (!sample.readersLive) add('bad', 'no reader is alive');
  const without = sample.readers.filter(({ storeAvailable }) => storeAvailable === false);
  if (!sample.storeAvailable) add('bad', 'the store does not answer');
  else if (without.length) add('bad', `the store does not answer ${names(without)}`);
  for (const reader of sample.readers) {
    const level = memoryLevel(reader);
    const share = `${Math.round((100 * reader.memoryUsed) / reader.memoryMax)} %`;
    if (level) add(level, `memory of ${reader.instanceId} at ${share}${level === 'bad' ? ', so it takes no viewers' : ''}`);
  }
  if (sample.p99Ms >= P99_WARN_MS) add(sample.p99Ms >= P99_BAD_MS ? 'bad' : 'warn', `deliveries take up to ${milliseconds(sample.p99Ms).join(' ')}`);
  const dropped = recent.reduce((sum, { droppedViewers }) => sum + (droppedViewers ?? 0), 0);
  if (dropped) add('warn', `${plural(dropped, 'viewer')} dropped in the last minute`);
  if (sample.slowViewers > 2 && sample.slowViewers > sample.viewers * SLOW_SHARE) add('warn', `${plural(sample.slowViewers, 'viewer is', 'viewers are')} behind`);
  const late = sample.readers.filter(({ state, reportAgeMs }) => state === 'live' && reportAgeMs > REPORT_LATE_MS);
  if (late.length) add('warn', `no report of ${late.map(({ instanceId, reportAgeMs }) => `${instanceId} for ${span(reportAgeMs)}`).join(', ')}`);
  if (isUneven(sample)) add('warn', `viewers are uneven, ${sample.imbalance.toFixed(1)} times the mean on one reader`);
  return found.sort((a, b) => (a.level === b.level ? 0 : a.level === 'bad' ? -1 : 1));
}

export function memoryLevel({ memoryUsed, memoryMax }) {
  if (!memoryMax || memoryUsed < memoryMax * MEMORY_WARN) return '';
  return memoryUsed >= memoryMax * MEMORY_BAD ? 'bad' : 'warn';
}

export const isUneven = ({ imbalance, viewers, readersLive }) =>
  imbalance >= IMBALANCE_WARN && readersLive > 1 && viewers / readersLive >= IMBALANCE_MEAN;
