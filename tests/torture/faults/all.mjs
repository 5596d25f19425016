// Every fault by its name, and why it cannot be done here, if it cannot.
import { withoutFaketime, withoutOwnFaketime } from '../../integration/lib/faketime.mjs';
import { namespaces } from '../network.mjs';
import { clusterFaults, clusterPartitions } from './cluster.mjs';
import { diskFaults } from './disk.mjs';
import { failoverFaults } from './failover.mjs';
import { measuredFaults } from './measured.mjs';
import { networkFaults } from './network.mjs';
import { orderFaults } from './orders.mjs';
import { clockFaults, processFaults, viewerFaults } from './process.mjs';
import { redisFaults } from './redis.mjs';
import { sentinelFaults, sentinelPartitions } from './sentinel.mjs';
import { serverFaults } from './server.mjs';

const group = (table, why) => Object.entries(table).map(([name, draw]) => ({ name, draw, why: why || undefined }));
// Those only if they are named.
export const measuredOnly = Object.entries(measuredFaults).map(([name, draw]) => ({ name, draw }));
const alone = !namespaces && 'namespaces are not allowed here';

const common = () => [
  ...group(processFaults), ...group(viewerFaults), ...group(clockFaults, withoutFaketime || withoutOwnFaketime), ...group(networkFaults, alone),
];
// A full disk ends a server of a Cluster, and cuts off its file what it had acknowledged: only where the nemesis knows of each loss.
const ofStore = {
  embedded: () => group(diskFaults, alone),
  redis: () => [...group(diskFaults, alone), ...group(redisFaults), ...group(serverFaults)],
  cluster: () => [...group(serverFaults), ...group(failoverFaults), ...group(clusterFaults), ...group(clusterPartitions, alone)],
  sentinel: () => [...group(serverFaults), ...group(failoverFaults), ...group(sentinelFaults), ...group(sentinelPartitions, alone)],
};
export const engines = Object.keys(ofStore);
// hot: readers are ordered about, too.
export const faultsOf = (engine, { hot } = {}) => [...common(), ...ofStore[engine](), ...(hot ? group(orderFaults) : [])];
