#!/usr/bin/env node
// Runs our own conformance table against every port:
//   run.mjs [manager=URL comment=URL statistics=URL reader=URL...]
// Without addresses it starts a server (CHORUS_BIN). The last line is `conformance: N passed, M failed`.
import { checkAll } from './table.mjs';
import { withPorts } from './wire.mjs';

await withPorts(process.argv.slice(2), async (ports) => {
  const all = await checkAll(ports, { progress: console.log });
  all.report('conformance');
});
