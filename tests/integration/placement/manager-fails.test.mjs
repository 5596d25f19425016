// A manager that answers with an error is logged apart from one that cannot be reached; comments are accepted either way.
// Set-ups: processes.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { post } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('the log tells an unreachable manager from a failing one', { setups: ['processes'], ms: 60_000 }, async (t) => {
  const system = await t.system({ stable: true });
  await system.program.end1('manager');
  await post(system, 'one', 'accepted');
  await system.program.says(/level=warn role=comment event=manager_unreachable error="[^"]+" comments=accepted/);
  await system.program.again('manager');
  await system.program.says(/level=info role=comment event=manager_back/);
  await system.program.end1('manager');
  const failing = createServer((request, response) => response.writeHead(500).end());
  failing.listen(Number(new URL(system.manager).port), '127.0.0.1');
  await once(failing, 'listening');
  try {
    await post(system, 'two', 'accepted');
    await system.program.says(/level=warn role=comment event=manager_failing status=500 comments=accepted/);
  } finally {
    failing.closeAllConnections();
    failing.close();
  }
});
