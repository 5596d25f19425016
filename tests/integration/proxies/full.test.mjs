// Idle for 70 s with the limits that the recipes have, and two thousand viewers.
// Set-ups: embedded.
// CI: no. It waits long, and makes six thousand TLS connections.
// Long: 110.
import { proxyKinds, without } from '../lib/proxies.mjs';
import { scenario } from '../lib/scenario.mjs';
import { servesCrowd, staysAlive } from './up.mjs';

const kinds = proxyKinds.filter((kind) => !without(kind));
const skip = kinds.length < proxyKinds.length && `only ${kinds} is there`;

scenario('streams that are idle for 70 s stay alive', { skip, ms: 130_000 }, (t) => Promise.all(kinds.map((kind) => staysAlive(t, kind, { beats: 6 }))));

for (const kind of proxyKinds) {
  scenario(`${kind}: two thousand viewers get each comment`, { skip: without(kind), ms: 120_000 }, async (t) => {
    const { bytes } = await servesCrowd(t, kind, 2_000);
    console.log(`# ${kind}: ${Math.round(bytes / 1024)} KB a viewer`);
  });
}
