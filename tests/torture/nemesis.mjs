// Does faults, by seed, for a time: each begins a moment after the one before, and several are under way at once unless they
// concern the same thing. Of each it records when it began and ended. One that does not end in time, because a process does not
// do what it is asked to, is a finding.
import { pause, within } from '../integration/lib/time.mjs';
import { Dice } from './dice.mjs';
import { PATIENCE_MS } from './part.mjs';

const AT_ONCE = 4;

// The faults that a seed stands for, one after the other: {name, on, locks, run, pauseMs}.
export function* plan(seed, faults, world) {
  const dice = new Dice(seed);
  for (;;) {
    const { name, draw } = dice.pick(faults);
    const own = dice.fork();
    yield { name, pauseMs: own.below(1_600), ...draw(world, own) };
  }
}

export class Nemesis {
  done = []; // {name, on, beganMs, endedMs, error, late}
  #running = new Map(); // promise => locks

  // recovered(): resolves once nothing shows of the faults any more; given where one fault is to come after the other.
  constructor(world, { faults, seed, say, recovered, deadlineMs = PATIENCE_MS }) {
    Object.assign(this, { world, say, recovered, deadlineMs, faults: plan(seed, faults, world) });
  }

  async run(ms) {
    for (const end = this.world.nowMs + ms; this.world.nowMs < end;) {
      const fault = this.faults.next().value;
      await pause(fault.pauseMs);
      await this.#free(fault.locks);
      this.#begin(fault);
      if (!this.recovered) continue;
      await this.end();
      await this.recovered(fault);
    }
    await this.end();
  }
  end() {
    return Promise.all(this.#running.keys());
  }

  async #free(locks) {
    const busy = () => this.#running.size >= AT_ONCE || [...this.#running.values()].flat().some((lock) => locks.includes(lock));
    while (busy()) await Promise.race(this.#running.keys());
  }

  #begin({ name, on, locks, run }) {
    const record = { name, on, beganMs: this.world.nowMs };
    this.done.push(record);
    this.say(`${name} (${on})`);
    let over = false;
    const end = run(record).finally(() => (over = true));
    const deed = within(end, this.deadlineMs, 'its end').catch((error) => {
      record.late = !over;
      record.error = error.message.split('\n')[0];
      this.say(`${name} (${on}) failed: ${record.error}`);
    }).then(() => {
      record.endedMs = this.world.nowMs;
      this.#running.delete(deed);
    });
    this.#running.set(deed, locks);
  }
}
