// A role on its own has further addresses and a port for operators like `up`.
// Set-ups: processes.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Agent } from '../lib/undici.mjs';
import { call } from '../lib/api.mjs';
import { freePorts } from '../lib/ports.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('each role serves its own at a unix socket, and its health at --admin-bind', async (t) => {
  const names = ['manager', 'comment', 'statistics', 'reader-1'];
  const ports = await freePorts(names.length), folder = t.folder();
  const ownFlags = Object.fromEntries(names.map((name, i) => [name, { listen: `unix:${join(folder, name)}`, 'admin-bind': `127.0.0.1:${ports[i]}` }]));
  await t.system({ ownFlags: (name) => ownFlags[name] });
  for (const [i, name] of names.entries()) {
    const dispatcher = new Agent({ connect: { socketPath: join(folder, name) } });
    t.after(() => dispatcher.destroy());
    const role = name.replace(/-\d$/, '');
    for (const [url, options] of [['http://localhost', { dispatcher }], [`http://127.0.0.1:${ports[i]}`, {}]]) {
      const { status, json } = await call('GET', `${url}/health`, options);
      assert.deepEqual([status, json.role], [200, role], `${name} at ${url}`);
    }
    assert.equal((await call('GET', `http://127.0.0.1:${ports[i]}/metrics`)).status, 200);
  }
});
