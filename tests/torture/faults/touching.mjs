// names: the parts that a fault concerns, of which some may be servers of a store that promotes by itself: then nothing else is done
// to their shards meanwhile, and the fault is over once all is as it should be there.
export function touching(world, names, { locks, run, ...fault }) {
  const own = names.flatMap((name) => world.store?.locksOf(name) ?? []);
  return { ...fault, locks: [...new Set([...locks, ...own])], run: async (record) => {
    try {
      await run(record);
    } finally {
      if (own.length) await world.store.settled();
    }
  } };
}
