// The recipe for `chorus up` (deploy/caddy).
// Set-ups: embedded.
import { describeProxy } from './up.mjs';

describeProxy('caddy');
