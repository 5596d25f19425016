// Short outages of Redis do not extend the wait for a dead reader.
// Set-ups: processes.
// Long: 15.
import assert from 'node:assert/strict';
import { resolve, videosOf } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { pause, until } from '../lib/time.mjs';

const options = { setups: ['processes'], ms: 60_000 };

// Stops Redis for so long that readers cannot renew their leases.
async function outage(system, ms) {
  system.redis.suspend();
  await pause(ms);
  system.redis.resume();
}
const answered = (system, video) => until(() => resolve(system, video), 'an answer');

scenario('an outage of Redis does not extend a lease that had ended before it', options, async (t) => {
  const system = await t.system();
  const [dead] = system.readers;
  const [first, ...others] = await videosOf(system, dead, 4);
  await system.program.end1('reader-1', 'SIGKILL');
  await until(async () => (await resolve(system, first)).readerUrl !== dead, 'another reader');
  for (const video of others) {
    await outage(system, 1_300);
    assert.notEqual((await answered(system, video)).readerUrl, dead);
  }
});

scenario('a reader that survives an outage keeps its videos; one that dies during it is replaced as fast as ever', options, async (t) => {
  const system = await t.system();
  const [dead, ...alive] = system.readers;
  const mine = new Map();
  for (const reader of system.readers) mine.set(reader, await videosOf(system, reader, 2));
  const killed = system.program.end1('reader-1', 'SIGKILL');
  await outage(system, 4_000); // longer than a lease
  await killed;
  const renewals = new Set(); // about one a second, however slow the machine is
  await until(async () => {
    for (const reader of alive) {
      for (const video of mine.get(reader)) assert.equal((await answered(system, video)).readerUrl, reader, 'a live reader keeps its videos');
    }
    renewals.add(await system.redis.command('HGET', 'readers', alive[0]));
    return (await answered(system, mine.get(dead)[0])).readerUrl !== dead;
  }, 'another reader', 15_000);
  assert.ok(renewals.size <= 5, `it took ${renewals.size} renewals of another reader`);
});

scenario('after an outage a reader whose address refuses connections is replaced before one that only hangs', options, async (t) => {
  const system = await t.system();
  const { child } = system.program.part('reader-2');
  const gone = /event=reader_gone reader=(\S+)/;
  for (const reader of system.readers) await videosOf(system, reader, 1); // others have seen that it answers
  system.redis.suspend();
  child.kill('SIGSTOP');
  try {
    await system.program.end1('reader-1', 'SIGKILL');
    await pause(4_000); // longer than a lease
    system.redis.resume();
    const [, first] = await until(() => system.program.stderr.match(gone), 'a reader to be gone', 15_000);
    assert.equal(first, system.readers[0]);
  } finally {
    child.kill('SIGCONT');
  }
});
