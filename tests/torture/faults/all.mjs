// Every fault by its name, and why it cannot be done here, if it cannot.
import { withoutFaketime, withoutOwnFaketime } from '../../integration/lib/faketime.mjs';
import { namespaces } from '../network.mjs';
import { diskFaults } from './disk.mjs';
import { measuredFaults } from './measured.mjs';
import { networkFaults } from './network.mjs';
import { clockFaults, processFaults, viewerFaults } from './process.mjs';
import { redisFaults } from './redis.mjs';

const group = (table, why) => Object.entries(table).map(([name, draw]) => ({ name, draw, why: why || undefined }));
// Those only if they are named.
export const measuredOnly = Object.entries(measuredFaults).map(([name, draw]) => ({ name, draw }));
const alone = !namespaces && 'namespaces are not allowed here';

export const faultsOf = (engine) => [
  ...group(processFaults), ...group(viewerFaults), ...group(clockFaults, withoutFaketime || withoutOwnFaketime),
  ...group(networkFaults, alone), ...group(diskFaults, alone), ...(engine === 'redis' ? group(redisFaults) : []),
];
