// The table of readers. Rows are updated in place, so that a button keeps its focus and nothing jumps.
import { bytes, count, memoryLevel, NOTHING, rate, span } from './figures.js';
import { make, makeGauge, setGauge, setText } from './make.js';

const STATES = {
  live: ['●', 'live'],
  late: ['◐', 'silent'],
  lost: ['✕', 'lost'],
  stopped: ['■', 'stopped'],
};
const LATE_MS = 8_000;

class Row {
  constructor(id, kill) {
    this.id = id;
    this.cells = {};
    const cell = (name, className = '', ...children) => (this.cells[name] = make('td', className, ...children));
    this.name = make('b');
    this.url = make('small');
    this.mark = make('span', 'mark');
    this.mark.setAttribute('aria-hidden', 'true');
    this.state = make('span');
    this.since = make('small');
    this.share = makeGauge(`Share of the viewers at ${id}`);
    this.memory = makeGauge(`Memory used by ${id}`);
    this.shareText = make('span', 'percent');
    this.memoryText = make('span', 'percent');
    const head = make('th', '', this.name, this.url);
    head.scope = 'row';
    this.element = make('tr', '', head, cell('state', 'state', this.mark, this.state, this.since), cell('viewers', 'number'),
      cell('share', 'bar', this.share, this.shareText), cell('videos', 'number'), cell('deliveries', 'number'), cell('slow', 'number'),
      cell('memory', 'bar', this.memory, this.memoryText), cell('store'), cell('act', 'act'));
    setText(this.name, id);
    this.#makeKill(kill);
  }

  #makeKill(kill) {
    this.ask = make('button', 'kill', 'Kill');
    this.yes = make('button', 'kill sure', `Kill ${this.id}`);
    this.no = make('button', 'keep', 'Cancel');
    this.note = make('span', 'note');
    this.note.setAttribute('role', 'status');
    this.note.tabIndex = -1; // it has the focus while there is no button
    for (const button of [this.ask, this.yes, this.no]) button.type = 'button';
    this.ask.setAttribute('aria-label', `Kill ${this.id}`);
    const confirm = (asked) => {
      this.ask.hidden = asked;
      this.yes.hidden = this.no.hidden = !asked;
      (asked ? this.no : this.ask).focus();
    };
    this.ask.addEventListener('click', () => confirm(true));
    this.no.addEventListener('click', () => confirm(false));
    this.element.addEventListener('keydown', ({ key }) => key === 'Escape' && !this.yes.hidden && confirm(false));
    this.yes.addEventListener('click', async () => {
      confirm(false);
      this.ask.hidden = true;
      this.note.focus();
      const { killed, words } = await kill(this.id);
      setText(this.note, words);
      if (!killed) this.#offer();
    });
    this.yes.hidden = this.no.hidden = true;
    this.cells.act.append(this.ask, this.yes, this.no, this.note);
  }

  // Shows the button again.
  #offer() {
    this.ask.hidden = false;
    if (document.activeElement === this.note) this.ask.focus();
  }

  show(reader, { demo }) {
    const late = reader.state === 'live' && reader.reportAgeMs > LATE_MS;
    const state = late ? 'late' : reader.state;
    const [mark, word] = STATES[state];
    this.element.dataset.state = state;
    setText(this.url, (reader.url ?? '').replace(/^https?:\/\//, ''));
    setText(this.mark, mark);
    setText(this.state, word);
    setText(this.since, late ? `no report for ${span(reader.reportAgeMs)}` : reader.lostForMs !== null ? `for ${span(reader.lostForMs)}` : '');
    this.element.title = reader.generation === null ? '' : `Generation ${reader.generation}`;
    setText(this.cells.viewers, count(reader.viewers));
    this.#bar(this.share, this.shareText, reader.share);
    setText(this.cells.videos, count(reader.videos));
    setText(this.cells.deliveries, rate(reader.deliveriesPerSecond));
    setText(this.cells.slow, count(reader.slowViewers));
    this.cells.slow.classList.toggle('warn', reader.slowViewers > 0);
    this.#bar(this.memory, this.memoryText, reader.memoryMax ? reader.memoryUsed / reader.memoryMax : null, bytes(reader.memoryUsed), memoryLevel(reader));
    setText(this.cells.store, reader.storeAvailable === null ? NOTHING : reader.storeAvailable ? 'answers' : '✕ away');
    this.cells.store.classList.toggle('bad', reader.storeAvailable === false);
    this.cells.act.hidden = !demo;
    if (reader.state === 'live' && this.wasGone) {
      this.#offer();
      setText(this.note, '');
    }
    this.wasGone = reader.state !== 'live';
  }

  #bar(gauge, text, share, words, level) {
    const known = share !== null && share !== undefined;
    gauge.hidden = !known;
    if (known) setGauge(gauge, share, level);
    setText(text, known ? words ?? `${Math.round(share * 100)} %` : NOTHING);
  }
}

export class Readers {
  #rows = new Map();

  /** `kill(id)`: kills a reader; resolves to {killed, words}: what became of it. */
  constructor({ body, empty, act, kill }) {
    Object.assign(this, { body, empty, act, kill });
  }

  show(readers, demo) {
    this.act.hidden = !demo;
    this.empty.hidden = readers.length > 0;
    readers.forEach((reader, i) => {
      let row = this.#rows.get(reader.instanceId);
      if (!row) this.#rows.set(reader.instanceId, (row = new Row(reader.instanceId, this.kill)));
      row.show(reader, { demo });
      if (this.body.children[i] !== row.element) this.body.insertBefore(row.element, this.body.children[i] ?? null);
    });
    const here = new Set(readers.map(({ instanceId }) => instanceId));
    for (const [id, { element }] of this.#rows) {
      if (here.has(id)) continue;
      element.remove();
      this.#rows.delete(id);
    }
  }
}
