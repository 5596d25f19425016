// The recipe for `chorus up` (deploy/nginx).
// Set-ups: embedded.
import { describeProxy } from './up.mjs';

describeProxy('nginx');
