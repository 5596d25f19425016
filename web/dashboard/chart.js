// A chart of a canvas: lines over time, or a band between two of them. What is missing stays empty: a line is drawn between
// two points only if they follow each other. It takes its colours from CSS variables, its size from its box, and is drawn
// again when one of these changes.
//
//     const chart = new Chart(figure, { title, unit, format, tick, series: [{ key, label, color: '--series-1' }], band: true });
//     chart.show(samples, { every: 2000 });    // samples: [{ at, [key]: number | null }], oldest first

const LEFT = 56; // for the numbers of the y axis
const BOTTOM = 20;
const TOP = 8;
const RIGHT = 10;
const LINES = 4; // of the grid, at most
const SPANS = [3 * 60_000, 15 * 60_000]; // the first that has room for all samples is shown
const MISSED = 2.6; // intervals without a sample, beyond which there is a gap

/** A scale from 0 to a round number above `largest`: {top, step}. `whole`: without fractions. */
export function scaleOf(largest, whole = false) {
  if (!(largest > 0)) return { top: 1, step: 1 };
  const rough = largest / LINES;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough), whole ? 1 : 0);
  return { top: step * Math.ceil((largest * 1.04) / step), step };
}

/** The runs of a line without a gap: [[{at, value}, ...], ...]. */
export function runsOf(samples, key, every) {
  const runs = [];
  let last;
  for (const sample of samples) {
    const value = sample[key];
    if (value === null || value === undefined) {
      last = undefined;
      continue;
    }
    if (!last || sample.at - last.at > every * MISSED) runs.push([]);
    runs.at(-1).push((last = { at: sample.at, value }));
  }
  return runs;
}

export class Chart {
  #samples = [];
  #every = 2_000;
  #span = SPANS[0];
  #at; // index of the sample under the crosshair
  #due = false;

  constructor(figure, { title, unit = '', format = String, tick = format, series, band = false, whole = false }) {
    Object.assign(this, { title, unit, format, tick, series, band, whole });
    this.canvas = figure.querySelector('canvas');
    this.tip = figure.querySelector('.tip');
    this.summary = figure.querySelector('.summary');
    this.canvas.addEventListener('pointermove', ({ offsetX }) => this.#point(this.#indexAt(offsetX)));
    this.canvas.addEventListener('pointerleave', () => this.#point(undefined));
    this.canvas.addEventListener('blur', () => this.#point(undefined));
    this.canvas.addEventListener('keydown', (event) => this.#onKey(event));
    new ResizeObserver(() => this.#draw()).observe(this.canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
    new MutationObserver(() => this.#draw()).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  }

  show(samples, { every = this.#every } = {}) {
    const at = this.#samples[this.#at]?.at;
    this.#samples = samples;
    this.#every = every;
    const age = samples.length ? samples.at(-1).at - samples[0].at : 0;
    this.#span = SPANS.find((span) => age <= span) ?? SPANS.at(-1);
    if (this.#at !== undefined) this.#point(samples.findIndex((sample) => sample.at === at));
    this.canvas.setAttribute('aria-label', this.#describe());
    this.#draw();
  }

  #describe() {
    const parts = this.series.map(({ key, label }) => {
      const values = this.#samples.map((sample) => sample[key]).filter((value) => value !== null && value !== undefined);
      if (!values.length) return `${label}: no data`;
      const [now, least, most] = [values.at(-1), Math.min(...values), Math.max(...values)].map((value) => this.format(value));
      return `${label}: now ${now}, lowest ${least}, highest ${most}`;
    });
    return `${this.title}${this.unit && `, in ${this.unit}`}, the last ${this.#span / 60_000} minutes. ${parts.join('. ')}. Arrow keys move through it.`;
  }

  // Geometry

  get #box() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return { width, height, plotWidth: Math.max(1, width - LEFT - RIGHT), plotHeight: Math.max(1, height - TOP - BOTTOM) };
  }
  get #end() {
    return this.#samples.at(-1)?.at ?? 0;
  }
  #x(at) {
    return LEFT + this.#box.plotWidth * (1 - (this.#end - at) / this.#span);
  }
  #indexAt(x) {
    let best;
    this.#samples.forEach((sample, i) => {
      const distance = Math.abs(this.#x(sample.at) - x);
      if (!best || distance < best.distance) best = { i, distance };
    });
    return best?.i;
  }

  // Crosshair

  #onKey(event) {
    const last = this.#samples.length - 1;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    let to;
    if (step) to = Math.min(last, Math.max(0, (this.#at ?? last + (step < 0 ? 1 : 0)) + step));
    else if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = last;
    else if (event.key === 'Escape') return this.#point(undefined);
    else return;
    event.preventDefault();
    this.#point(to);
    this.summary.textContent = this.tip.textContent;
  }

  #point(i) {
    this.#at = this.#samples[i] ? i : undefined;
    this.#draw();
    this.#showTip();
  }

  #showTip() {
    const sample = this.#samples[this.#at];
    this.tip.hidden = !sample;
    if (!sample) return;
    const time = document.createElement('b');
    time.textContent = new Date(sample.at).toLocaleTimeString();
    const lines = this.series.map(({ key, label, color }) => {
      const line = document.createElement('span');
      const dot = document.createElement('i');
      const value = sample[key];
      dot.style.background = `var(${color})`;
      const unit = this.unit && value !== null && value !== undefined ? ` ${this.unit}` : '';
      line.append(dot, `${label} ${this.format(value)}${unit}`);
      return line;
    });
    this.tip.replaceChildren(time, ...lines);
    const { width } = this.#box;
    const x = this.#x(sample.at);
    const right = x > width / 2;
    this.tip.style.insetInlineStart = right ? 'auto' : `${x + 10}px`;
    this.tip.style.insetInlineEnd = right ? `${width - x + 10}px` : 'auto';
  }

  // Drawing, at most once a frame

  #draw() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#paint();
    });
  }

  #paint() {
    const box = this.#box;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (!w || !h) return;
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    const c = this.canvas.getContext('2d');
    const style = getComputedStyle(this.canvas);
    const color = (name) => style.getPropertyValue(name).trim();
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, box.width, box.height);
    c.font = `11px ${style.fontFamily}`;
    const shown = this.#samples.filter(({ at }) => this.#end - at <= this.#span);
    const largest = Math.max(0, ...shown.flatMap((sample) => this.series.map(({ key }) => sample[key] ?? 0)));
    const scale = scaleOf(largest, this.whole);
    const y = (value) => TOP + box.plotHeight * (1 - value / scale.top);
    this.#paintAxes(c, box, scale, y, color);
    c.save();
    c.beginPath();
    c.rect(LEFT, 0, box.plotWidth + RIGHT, box.height);
    c.clip();
    if (this.band) this.#paintBand(c, shown, y, color);
    for (const series of this.series) this.#paintLine(c, runsOf(shown, series.key, this.#every), y, color(series.color), !this.band && this.series.length === 1);
    if (this.#at !== undefined) this.#paintCrosshair(c, box, y, color);
    c.restore();
  }

  #paintAxes(c, box, scale, y, color) {
    c.strokeStyle = color('--line');
    c.fillStyle = color('--text-dim');
    c.lineWidth = 1;
    c.textAlign = 'right';
    c.textBaseline = 'middle';
    for (let value = 0; value <= scale.top * 1.001; value += scale.step) {
      const at = Math.round(y(value)) + 0.5;
      c.beginPath();
      c.moveTo(LEFT, at);
      c.lineTo(box.width - RIGHT, at);
      c.stroke();
      c.fillText(this.tick(value), LEFT - 7, at);
    }
    c.textBaseline = 'alphabetic';
    const all = this.#span / 60_000;
    for (let minutes = all; minutes >= 0; minutes -= all / 3) {
      c.textAlign = minutes === all ? 'left' : minutes ? 'center' : 'right';
      c.fillText(minutes ? `−${minutes} min` : 'now', LEFT + box.plotWidth * (1 - minutes / all), box.height - 4);
    }
  }

  #trace(c, run, y) {
    run.forEach(({ at, value }, i) => (i ? c.lineTo(this.#x(at), y(value)) : c.moveTo(this.#x(at), y(value))));
  }

  #paintLine(c, runs, y, stroke, filled) {
    c.lineWidth = 2;
    c.lineJoin = 'round';
    c.lineCap = 'round';
    c.strokeStyle = c.fillStyle = stroke;
    for (const run of runs) {
      if (run.length === 1) {
        c.beginPath();
        c.arc(this.#x(run[0].at), y(run[0].value), 1.6, 0, 7);
        c.fill();
        continue;
      }
      if (filled) {
        c.globalAlpha = 0.13;
        c.beginPath();
        this.#trace(c, run, y);
        c.lineTo(this.#x(run.at(-1).at), y(0));
        c.lineTo(this.#x(run[0].at), y(0));
        c.fill();
        c.globalAlpha = 1;
      }
      c.beginPath();
      this.#trace(c, run, y);
      c.stroke();
    }
  }

  // Between the first and the last series.
  #paintBand(c, samples, y, color) {
    const [low, high] = [this.series[0].key, this.series.at(-1).key];
    c.fillStyle = color(this.series.at(-1).color);
    c.globalAlpha = 0.16;
    for (const run of runsOf(samples.map((s) => ({ at: s.at, value: s[low] === null || s[high] === null ? null : s })), 'value', this.#every)) {
      c.beginPath();
      this.#trace(c, run.map(({ at, value }) => ({ at, value: value[high] })), y);
      for (const { at, value } of [...run].reverse()) c.lineTo(this.#x(at), y(value[low]));
      c.fill();
    }
    c.globalAlpha = 1;
  }

  #paintCrosshair(c, box, y, color) {
    const sample = this.#samples[this.#at];
    const x = Math.round(this.#x(sample.at)) + 0.5;
    c.strokeStyle = color('--line-strong');
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(x, TOP);
    c.lineTo(x, TOP + box.plotHeight);
    c.stroke();
    for (const { key, color: name } of this.series) {
      const value = sample[key];
      if (value === null || value === undefined) continue;
      c.fillStyle = color(name);
      c.strokeStyle = color('--surface');
      c.lineWidth = 2;
      c.beginPath();
      c.arc(x, y(value), 4.5, 0, 7);
      c.fill();
      c.stroke();
    }
  }
}
