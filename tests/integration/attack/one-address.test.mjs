// An honest user beside attackers from one address, for ten seconds each.
// CI: no. It takes one and a half minutes of two cores; short.test.mjs has each attack.
// Set-ups: embedded.
// Long: 110.
import { endureEach } from '../lib/attacks.mjs';

endureEach({ slots: 1_500, addresses: 'one' });
