// An honest user beside attackers from a new address for each connection, of 62,500, for ten seconds each, in a network of their
// own: limits need no flag there.
// CI: no. It takes one and a half minutes of two cores; short.test.mjs has each attack.
// Set-ups: embedded.
// Long: 110.
import { endureEach } from '../lib/attacks.mjs';
import { enterOwnNetwork } from '../lib/networks.mjs';

endureEach({ slots: 3_000, addresses: 'many', network: 'ipv4', skip: enterOwnNetwork(import.meta.url) });
