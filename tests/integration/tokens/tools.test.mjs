// The program's own clients against a system that demands tokens.
// Set-ups: embedded, processes.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bench, at } from '../lib/bench.mjs';
import { startClients } from '../lib/clients.mjs';
import { claims, keySet, makeKey, makeToken } from '../lib/jwt.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { statistics } from '../lib/api.mjs';
import { until } from '../lib/time.mjs';

const secret = 'between-services';

async function locked(t, flags = { 'internal-token': secret }) {
  const key = makeKey('HS256', 'k'), path = join(t.folder(), 'keys.json');
  writeFileSync(path, keySet(key));
  return { key, system: await t.system({ flags: { 'jwt-keys': path, ...flags } }) };
}

scenario('clients with the service token post and watch; without it they do neither', async (t) => {
  const { system } = await locked(t);
  const simulate = (flags) => startClients(t, system, { viewers: 4, videos: 2, rate: 20, duration: 1, ...flags });
  const { code, figures } = await simulate({ 'internal-token': secret }).ends();
  assert.deepEqual([code, figures.failed, figures.lost], [0, 0, 0]);
  assert.ok(figures.comments > 0 && figures.deliveries > figures.comments, JSON.stringify(figures));
  const without = simulate({});
  await without.until(() => / event=connect_failed .*status 401/.test(without.program.stderr), () => `a refusal: ${without.program.stderr}`);
  const { figures: nothing } = await without.stop();
  assert.deepEqual([nothing.comments, nothing.deliveries, nothing.viewers], [0, 0, 0]);
});

scenario('canary and bench have a token', async (t) => {
  const { system, key } = await locked(t);
  const canary = (...words) => run(['canary', system.comment, ...words]);
  for (const token of [secret, makeToken(key, claims({ sub: 'canary' }, { videos: ['canary'] }))]) {
    const { code, stdout } = await canary('--token', token);
    assert.equal(code, 0, stdout);
  }
  const without = await canary('--timeout-ms', '1000');
  assert.equal(without.code, 1);
  assert.match(without.stdout, /^failed .*401/);

  const flags = { ...at(system), viewers: 4, rate: 20, duration: 1 };
  const { figures, stdout } = await bench(t, { ...flags, token: secret, require: 'lost=0' });
  assert.ok(figures, stdout);
  assert.match(stdout, /lost=0|0 lost/);
});

scenario('a demo posts with the token that up makes', { setups: ['embedded'] }, async (t) => {
  const { system } = await locked(t, { demo: true, 'statistics-interval-ms': 100 });
  await until(async () => (await statistics(system)).commentApi.totalComments > 0, 'comments of the demo', 20_000);
  const { code, stdout } = await run(['top', '--once', '--statistics', system.statistics]);
  assert.equal(code, 0, stdout);
});
