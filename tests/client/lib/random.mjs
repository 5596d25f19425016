// Chance with a seed (mulberry32): the same seed, the same story.
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }
  next = () => {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  below = (n) => Math.floor(this.next() * n);
  chance = (p) => this.next() < p;
  pick = (list) => list[this.below(list.length)];
}

// Runs the story for each seed, and names the one that fails. SEED=n runs that one; SEEDS=n as many.
export async function forSeeds(count, story) {
  const { SEED, SEEDS = count } = process.env;
  for (let seed = Number(SEED ?? 1); seed <= Number(SEED ?? SEEDS); seed++) {
    try {
      await story(new Random(seed), seed);
    } catch (error) {
      error.message = `SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
}
