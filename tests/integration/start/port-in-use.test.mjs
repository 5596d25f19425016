// Set-ups: embedded.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

for (const flag of ['manager-port', 'comment-port', 'statistics-port', 'reader-ports']) {
  scenario(`a --${flag} in use: one sentence with the port and what to do, exit code 1`, { setups: ['embedded'] }, async (t) => {
    const occupant = net.createServer().listen(0, '127.0.0.1');
    t.after(() => occupant.close());
    await once(occupant, 'listening');
    const ports = { 'manager-port': 0, 'comment-port': 0, 'statistics-port': 0, 'reader-ports': 0, [flag]: occupant.address().port };
    const args = Object.entries(ports).flatMap(([name, port]) => [`--${name}`, String(port)]);
    const { code, stdout, stderr } = await run(['up', '--data', join(t.folder(), 'data'), ...args]);
    assert.equal(code, 1, stderr);
    const lines = stderr.trim().split('\n').filter((line) => line.includes(String(ports[flag])));
    assert.equal(lines.length, 1, stderr);
    assert.match(lines[0], /in use/);
    assert.match(lines[0], new RegExp(`--${flag}`), 'the remedy names the flag');
    assert.doesNotMatch(stdout, /http:/, 'no box for what did not start');
  });
}
