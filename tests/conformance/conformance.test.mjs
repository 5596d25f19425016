// Every port conforms to the table of cases.mjs. (run.mjs reports the same case by case.)
import assert from 'node:assert/strict';
import { checkHealthy } from '../integration/lib/checks.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { checkJson, checkPort } from './table.mjs';
import { Tally, ports } from './wire.mjs';

async function passes(system, check) {
  const tally = new Tally();
  await check(tally);
  assert.deepEqual(tally.failures, []);
  assert.ok(tally.passed > 0);
  await checkHealthy(system);
}

for (const role of ['manager', 'comment', 'statistics', 'reader']) {
  scenario(`valid and invalid requests at the ${role}`, { ms: 120_000 }, async (t) => {
    const system = await t.system();
    const own = ports(system).filter((port) => port.role === role);
    await passes(system, (tally) => Promise.all(own.map((port) => checkPort(tally, port))));
  });
}

scenario('valid and invalid JSON wherever a body is accepted', { ms: 120_000 }, async (t) => {
  const system = await t.system();
  await passes(system, (tally) => checkJson(tally, ports(system)));
});
