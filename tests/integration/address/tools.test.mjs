// Set-ups: embedded, up-redis. Those that are one process.
// What else Chorus has, given one address for everything.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded', 'up-redis'];

scenario('chorus top, clients and bench work with the single port as the only address', { setups, ms: 60_000 }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true } });
  const where = ['--manager-url', system.comment, '--comment-url', system.comment];
  const clients = await run(['clients', ...where, '--statistics-url', system.comment, '--duration', '1']);
  assert.equal(clients.code, 0, clients.stderr);
  assert.match(clients.stdout + clients.stderr, /lost=0 duplicated=0/);
  const json = join(t.folder(), 'figures.json');
  const bench = await run(['bench', ...where, '--viewers', '20', '--videos', '6', '--duration', '1', '--require', 'lost=0', '--json', json]);
  assert.equal(bench.code, 0, bench.stdout + bench.stderr);
  assert.match(bench.stdout, /readers +\d.* deliveries per send/, 'the figures of each reader');
  assert.ok(JSON.parse(readFileSync(json, 'utf8')));
  const top = await run(['top', '--once', '--statistics', system.comment]);
  assert.equal(top.code, 0, top.stderr);
  for (const name of ['reader-1', 'reader-2', 'reader-3']) assert.match(top.stdout, new RegExp(`${name} +live`));
});

scenario('chorus top from elsewhere needs the token', { setups }, async (t) => {
  const system = await t.system({ flags: { 'single-port': true, 'internal-from': '192.0.2.1', 'internal-token': 'secret' } });
  const refused = await run(['top', '--once', '--statistics', system.comment]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /403.*--internal-from.*--internal-token/);
  const shown = await run(['top', '--once', '--statistics', system.comment, '--internal-token', 'secret']);
  assert.equal(shown.code, 0, shown.stderr);
});
