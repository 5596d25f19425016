// Waiting, always for events and never for time to pass.

// Sanitizer builds run several times slower: CHORUS_SLOW=1 stretches every limit.
export const slow = process.env.CHORUS_SLOW === '1';
export const scaled = (ms) => (slow ? ms * 5 : ms);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Settles as `promise` does, or fails after `ms`, naming what it waited for.
export function within(promise, ms, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${scaled(ms)} ms for ${describe(what)}`)), scaled(ms));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Calls `probe` again and again until it returns something truthy, and returns that. A probe that throws is not done yet,
// unless the error says that waiting is pointless (`final`).
export async function until(probe, what, ms = 10_000) {
  const end = Date.now() + scaled(ms);
  for (let last; ; await pause(20)) {
    try {
      const found = await probe();
      if (found) return found;
      last = found;
    } catch (error) {
      if (error.final) throw error;
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${scaled(ms)} ms for ${describe(what)}; last: ${last?.stack ?? last}`);
  }
}

const describe = (what) => (typeof what === 'function' ? what() : what);
