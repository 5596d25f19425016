// An honest user beside an attacker of IPv6 for ten seconds, in a network of its own: limits need no flag there. It
// has a /64, which counts as one address, and comes from a new address of it each time.
// CI: no. It takes ten seconds of two cores; short.test.mjs has each attack.
// Set-ups: embedded.
// Long: 15.
import { endureEach } from '../lib/attacks.mjs';
import { enterOwnNetwork, skipsIPv6 } from '../lib/networks.mjs';

const skip = enterOwnNetwork(import.meta.url) ?? skipsIPv6();
endureEach({ slots: 1_500, addresses: 'one', network: 'ipv6', only: ['descriptors eaten'], skip });
