// Set-ups: up-redis, processes. What another program publishes on the channel of events.
import assert from 'node:assert/strict';
import { watchDashboard } from '../lib/dashboard.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const setups = ['up-redis', 'processes'];
const known = ['kind', 'video', 'readerUrl', 'reader', 'from', 'fromReader', 'missed', 'reason', 'more', 'at'];

scenario('forged events reach no dashboard but as short texts and numbers, and a flood is cut', { setups }, async (t) => {
  const system = await t.system();
  const dashboard = await watchDashboard(t, system);
  await dashboard.until('sample', (s) => s.readersLive === 3, 'three readers', 20_000);
  const forge = (event) => system.redis.command('PUBLISH', 'chorus:events', typeof event === 'string' ? event : JSON.stringify(event));
  const notice = (kind) => dashboard.of('notice').find((n) => n.kind === kind);
  await until(async () => {
    await forge({ kind: 'first' });
    return notice('first');
  }, 'the statistics service to listen');

  const deep = `${'['.repeat(1_500)}${']'.repeat(1_500)}`;
  const forged = [`{"kind":"deep","video":${deep}}`, { kind: 'object', video: { a: [1, 2, 3] }, reason: [], missed: true }, { kind: ['list'] },
    { kind: 'long', video: 'v'.repeat(513), reason: 'r'.repeat(512) }, { kind: 'k'.repeat(600) }, { kind: 'big', reason: 'x', padding: 'x'.repeat(20_000) },
    'no JSON', '[]', '"kind"', 'null', '{"kind":"cut', '\0', '{"kind":"number","missed":1e308,"more":-9007199254740993}'];
  await until(async () => {
    for (const value of forged) await forge(value); // again, as the limit of one second may have been used up
    return notice('long');
  }, 'what is forged');
  await until(async () => {
    await forge({ kind: 'last', video: '<b>&\u202e\u0007', surplus: 1 }); // those above may be the limit of one second
    return notice('last');
  }, 'what comes after it');
  const json = await (await fetch(`${system.statistics}/dashboard`)).json(); // call() would find kinds that are not described
  for (const n of [...json.notices, ...dashboard.of('notice')]) {
    assert.ok(n.kind.length <= 512, n.kind);
    assert.equal(n.kind === 'big', false, 'a message that is longer than any of ours');
    for (const [name, value] of Object.entries(n)) {
      assert.ok(known.includes(name), name);
      assert.ok(value === null || typeof value === 'number' || (typeof value === 'string' && value.length <= 512), `${name} of ${n.kind}`);
    }
  }
  assert.equal(notice('long').reason.length, 512);

  await until(async () => {
    await forge({ kind: 'flood' });
    return notice('flood');
  }, 'the flood');
  await Promise.all(Array.from({ length: 3_000 }, () => forge({ kind: 'flood' })));
  await until(async () => {
    await forge({ kind: 'after' });
    return notice('after');
  }, 'what comes after the flood');
  const flood = dashboard.of('notice').filter(({ kind }) => kind === 'flood').length;
  assert.ok(flood > 0 && flood < 1_000, `${flood} of 3,000`);
});
