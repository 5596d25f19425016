// The recipe for `chorus up` (deploy/haproxy).
// Set-ups: embedded.
// Long: 15. It waits, for reloads and for what is idle.
import { describeProxy } from './up.mjs';

describeProxy('haproxy');
