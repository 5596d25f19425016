// A scenario: one node:test with a time limit that releases what it acquired, even when it fails.
import test from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setup, startSystem } from './system.mjs';
import { watch } from './viewer.mjs';
import { within } from './time.mjs';

class Context {
  #undo = [];

  after(action) {
    this.#undo.push(action);
  }

  async system(options) {
    const system = await startSystem(options);
    this.after(() => system.release());
    return system;
  }

  async watch(reader, options) {
    const viewer = await watch(reader, options);
    this.after(() => viewer.close());
    return viewer;
  }

  folder() {
    const path = mkdtempSync(join(tmpdir(), 'chorus-test-'));
    this.after(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  // Last acquired, first released; every failure counts, the first is reported.
  async release() {
    const errors = [];
    for (const action of this.#undo.reverse()) {
      try {
        await action();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length) throw errors[0];
  }
}

// scenario(name, [options], body): options.ms limits the time; options.setups lists the set-ups for which it makes sense;
// options.skip says why it makes no sense here; options.disk: it needs an engine whose data outlives the process, or lies in
// files (CHORUS_ENGINE=memory has none).
export function scenario(name, ...rest) {
  const body = rest.pop();
  const { ms = 30_000, setups, disk, skip: why } = rest[0] ?? {};
  const elsewhere = setups && !setups.includes(setup) ? `not for ${setup}` : disk && process.env.CHORUS_ENGINE === 'memory' && 'nothing is stored';
  const skip = elsewhere || why;
  test(name, { skip }, async () => {
    const context = new Context();
    let failure;
    try {
      await within(Promise.resolve(body(context)), ms, 'the scenario to end');
    } catch (error) {
      failure = error;
    }
    await context.release().catch((error) => {
      if (failure) failure.message += `\nand afterwards: ${error.message}`;
      else failure = error;
    });
    if (failure) throw failure;
  });
}
