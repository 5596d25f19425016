// An honest user beside attackers from one address, for ten seconds each.
// CI: no. It takes one and a half minutes of two cores; short.test.mjs has each attack.
// Set-ups: embedded.
// Long: 110.
import { attacked, attacks, endure, fill, startHonest } from '../lib/attacks.mjs';
import { scenario } from '../lib/scenario.mjs';

for (const attack of attacks) {
  scenario(`${attack}: an honest user posts and watches, /health answers, and memory is bounded`, { ms: 60_000 }, async (t) => {
    const system = await t.system(attacked);
    const resume = await fill(system);
    const honest = await startHonest(t, system);
    await endure(system, honest, attack, { ms: 10_000, slots: 1_500, addresses: 'one', resume });
    await honest.stop();
  });
}
