// The recipe for `chorus up` (deploy/haproxy).
// Set-ups: embedded.
import { describeProxy } from './up.mjs';

describeProxy('haproxy');
