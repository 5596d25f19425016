// An honest user beside attackers, each for a moment; one-address and many-addresses are the long forms.
// Set-ups: embedded.
import { attacked, attacks, endure, fill, startHonest } from '../lib/attacks.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('beside each attack an honest user posts and watches, /health answers, and memory is bounded', { ms: 120_000 }, async (t) => {
  const system = await t.system({ ...attacked, limits: { nofile: 400 } });
  const resume = await fill(system);
  const honest = await startHonest(t, system);
  for (const attack of attacks) {
    for (const addresses of ['one', 'many']) await endure(system, honest, attack, { ms: 100, posts: 3, slots: 400, addresses, resume, againMs: 200 });
  }
  await honest.stop();
});
