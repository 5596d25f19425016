// Long: 11.
import assert from 'node:assert/strict';
import { statistics } from '../lib/api.mjs';
import { startClients } from '../lib/clients.mjs';
import { scenario } from '../lib/scenario.mjs';

const connections = async (system) => (await statistics(system)).readerApis.totalActiveConnections;

for (const signal of ['SIGTERM', 'SIGKILL']) {
  scenario(`after a restart by ${signal} the clients reconnect and miss nothing`, { disk: true, ms: 60_000 }, async (t) => {
    const system = await t.system({ stable: true, flags: { 'statistics-interval-ms': 200 } });
    const flags = { viewers: 60, videos: 5, rate: 40, 'statistics-interval-ms': 200 };
    const clients = startClients(t, system, flags);
    const generated = async () => (await statistics(system)).clients.totalCommentsGenerated;
    await clients.until(async () => (await generated()) > 40, 'comments');
    await system.restart(signal);
    await clients.until(async () => (await connections(system)) === 60, 'all viewers back', 15_000);
    const before = await generated();
    await clients.until(async () => (await generated()) > before + 40, 'comments again');
    const { code, figures } = await clients.stop();
    assert.equal(code, 0, JSON.stringify(figures));
    assert.deepEqual([figures.viewers, figures.lost, figures.duplicated, figures.out_of_order], [60, 0, 0, 0]);
    assert.ok(figures.cuts >= 60, `${figures.cuts} streams cut`);
  });
}
