// The log of the clients and that of the services show the four things that one watches for: clients that resolve their
// reader, videos assigned, comments published, and delivered.
// CI also: up-redis.
import assert from 'node:assert/strict';
import { startClients } from '../lib/clients.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('the clients log the reader that each has resolved', async (t) => {
  const system = await t.system();
  const clients = startClients(t, system, { rate: 5, duration: 1 });
  const [, video, reader] = await clients.program.says(/^level=info role=clients event=resolved client=\d+ video=(video\d) reader=(http:\S+)$/m);
  assert.ok(system.readers.includes(reader), reader);
  for (const [role, event] of [['placement', 'assigned'], ['comment', 'published'], ['reader-\\d', 'delivered']]) {
    await system.program.says(new RegExp(`^level=info role=${role} event=${event} video=${event === 'assigned' ? video : 'video\\d'} `, 'm'));
  }
  assert.equal((await clients.ends()).code, 0);
  const lines = clients.program.stderr.match(/event=resolved/g).length;
  assert.ok(lines <= 30, `${lines} lines: they are sampled`);
});
