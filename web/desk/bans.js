// The banned users, of which there may be thousands: those that match what is looked for.
import { make } from '../column/dom.js';
import { formatNumber } from '../column/text.js';

const SHOWN = 100;

export class Bans {
  #service;
  #onLift;
  #bans = new Map(); // by user
  #list;
  #find;
  #note;

  constructor(service, onLift) {
    this.#service = service;
    this.#onLift = onLift;
    [this.#list, this.#find, this.#note] = ['banned', 'find', 'bans-note'].map((id) => document.getElementById(id));
    this.#find.addEventListener('input', () => this.#show());
  }

  async read() {
    const { bans } = await this.#service.ask('GET', 'bans');
    this.#bans = new Map(bans.map((ban) => [ban.userid, ban]));
    if (!this.#list.matches(':focus-within')) this.#show();
  }
  // Returns what undoes it.
  put(ban) {
    return this.#change(ban.userid, ban);
  }
  remove(user) {
    return this.#change(user, undefined);
  }
  #change(user, ban) {
    const before = this.#bans.get(user);
    const put = (value) => {
      if (value) this.#bans.set(user, value);
      else this.#bans.delete(user);
      this.#show();
    };
    put(ban);
    return () => put(before);
  }

  #show() {
    const wanted = this.#find.value.trim().toLowerCase(), now = Date.now();
    const all = [...this.#bans.values()].filter(({ userid, until }) => userid.toLowerCase().includes(wanted) && !(until && Date.parse(until) < now));
    all.sort((a, b) => (a.userid < b.userid ? -1 : 1));
    this.#list.replaceChildren(...all.slice(0, SHOWN).map((ban) => this.#item(ban)));
    this.#note.textContent = all.length > SHOWN ? `and ${formatNumber(all.length - SHOWN)} more` : all.length ? '' : wanted ? 'No such user is banned.' : 'No user is banned.';
  }
  #item({ userid, until, shadow }) {
    const button = make('button', { type: 'button', 'aria-label': `Lift the ban of ${userid}` }, 'Lift');
    button.addEventListener('click', () => {
      document.getElementById('bans').focus(); // the button goes
      this.#onLift(userid);
    });
    const when = until ? `until ${new Date(until).toLocaleString()}` : 'until it is lifted';
    return make('li.line', {}, make('bdi.who', {}, userid), make('span.when', {}, shadow ? `${when}, unnoticed` : when), button);
  }
}
