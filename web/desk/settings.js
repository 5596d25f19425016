// The switches of the room. One that is refused goes back to where it was.
import { make } from '../column/dom.js';

const FIELDS = [
  { name: 'frozen', label: 'Close comments', note: 'Only moderators can write.' },
  { name: 'hold', label: 'Hold comments', note: 'Each waits until a moderator allows it.' },
  { name: 'unique', label: 'Refuse repeated texts' },
  { name: 'slow_ms', label: 'Slow mode', note: 'seconds between two comments of a user; 0: off', scale: 1000, max: 3600 },
  { name: 'rate', label: 'Rate', note: 'comments a second, of all users; 0: any', max: 10_000 },
  { name: 'readable_rate', label: 'Readable rate', note: 'comments a second that viewers are shown; 0: all', max: 10_000 },
  { name: 'max_length', label: 'Length', note: 'characters of a comment; 0: any', max: 2_000 },
  { name: 'delay_ms', label: 'Delay', note: 'seconds until a comment is shown; 0: none', scale: 1000, max: 60 },
  { name: 'only', label: 'Who may write', note: 'users with one of these badges; empty: all', list: true },
];

export class Settings {
  #room = { revision: -1 };
  #fields = [];

  // onSet(patch, label) resolves to the room, or to undefined if that is refused.
  constructor(form, onSet) {
    form.addEventListener('submit', (event) => event.preventDefault());
    for (const field of FIELDS) {
      const id = `room-${field.name}`, isSwitch = !field.max && !field.list;
      const kind = isSwitch ? { type: 'checkbox' } : field.list ? { type: 'text', autocapitalize: 'none', spellcheck: 'false' } : { type: 'number', min: '0', max: String(field.max), step: field.scale ? 'any' : '1', inputmode: 'decimal' };
      const input = make('input', { id, autocomplete: 'off', ...kind, ...(field.note && { 'aria-describedby': `${id}-note` }) });
      input.addEventListener('change', () => this.#set({ ...field, input }, onSet));
      form.append(make(isSwitch ? 'div.field.switch' : 'div.field', {}, make('label', { for: id }, field.label), input,
        ...(field.note ? [make('span.note', { id: `${id}-note` }, field.note)] : [])));
      this.#fields.push({ ...field, input });
    }
  }

  // The stream has the last word: a store that has gone back counts on from an earlier revision.
  show(room) {
    this.#room = room;
    for (const field of this.#fields) {
      const isTyped = field.input.type !== 'checkbox' && field.input.getRootNode().activeElement === field.input;
      if (!isTyped && !field.busy) this.#put(field);
    }
  }

  // An answer may be older than what the stream has said since it was asked for.
  showAnswer(room) {
    if (room.revision >= this.#room.revision) this.show(room);
  }

  #put({ name, scale = 1, list, input }) {
    const value = this.#room[name];
    if (input.type === 'checkbox') input.checked = Boolean(value);
    else input.value = list ? (value ?? []).join(', ') : (value ?? 0) / scale;
  }
  #valueOf({ scale = 1, list, input }) {
    if (input.type === 'checkbox') return input.checked;
    if (list) return input.value.split(/[\s,]+/).filter(Boolean);
    return Math.round(Number(input.value) * scale);
  }
  async #set(field, onSet) {
    const known = this.#fields.find(({ name }) => name === field.name);
    known.busy = true;
    const room = await onSet({ [field.name]: this.#valueOf(field) }, field.label);
    known.busy = false;
    if (room) this.showAnswer(room);
    this.#put(field);
  }
}
