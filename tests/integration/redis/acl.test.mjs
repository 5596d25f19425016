// The user that docs/redis.md creates for Chorus has every right that it needs.
// Set-ups: up-redis, processes.
// Long: 45.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { call, owner, postMany, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const page = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');
const [, user, password, rules] = page.match(/^ {4}ACL SETUSER (\S+) on >(\S+) (.+)$/m);

scenario('the documented Redis user: comments, mappings, streams and a restart, and nothing is denied', { setups: ['up-redis', 'processes'], ms: 60_000 }, async (t) => {
  const acl = ['--user', user, 'on', `>${password}`, ...rules.trim().split(/\s+/)];
  const system = await t.system({ stable: true, redis: { user, password, args: acl } });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const posted = await postMany(system, 'v', 5);
  await viewer.reaches(posted.at(-1).id);
  const headers = { 'idempotency-key': 'k' };
  const json = { userid: 'u', videoid: 'v', comment: 'once' };
  const first = await call('POST', `${system.comment}/comment`, { json, headers });
  const again = await call('POST', `${system.comment}/comment`, { json, headers });
  assert.equal(first.status, 201, first.text);
  assert.equal(again.text, first.text);
  assert.equal((await statistics(system)).storedComments.total, 6);

  await system.redis.stop(); // the epoch ends, and everything is prepared again
  await system.redis.start();
  await system.restart();
  const back = await t.watch(await owner(system, 'v'), { video: 'v', from: posted[0].id });
  await back.reaches((await postMany(system, 'v', 1))[0].id);

  for (const url of [system.comment, system.manager, ...system.readers]) {
    const health = await call('GET', `${url}/health`);
    assert.notEqual(health.json.status, 'degraded', health.text);
  }
  assert.deepEqual(await system.redis.command('ACL', 'LOG'), [], 'what Redis has denied');
});

// The user that an earlier version's page creates lacks the channels on which readers count viewers together.
scenario('a user without the channels chorus:* has everything but common counts, and that is logged once', { setups: ['up-redis', 'processes'], ms: 60_000 }, async (t) => {
  const without = rules.trim().split(/\s+/).filter((rule) => rule !== '&chorus:*');
  assert.notEqual(without.length, rules.trim().split(/\s+/).length);
  const system = await t.system({ redis: { user, password, args: ['--user', user, 'on', `>${password}`, ...without] } });
  const first = await owner(system, 'v');
  const [second] = system.others(first);
  const query = { events: 'viewers', redirect: 'never' };
  const one = await t.watch(first, { video: 'v', query });
  const two = await t.watch(second, { video: 'v', query });
  const three = await t.watch(second, { video: 'v', query });
  await one.isOneOf(1);
  await Promise.all([two, three].map((viewer) => viewer.isOneOf(2)));
  const posted = await postMany(system, 'v', 5);
  await Promise.all([one, two, three].map((viewer) => viewer.reaches(posted.at(-1).id)));
  for (const url of [system.comment, system.manager, ...system.readers]) {
    const health = await call('GET', `${url}/health`);
    assert.equal(health.json.status, 'ready', health.text);
  }
  const most = system.program.names?.length ?? 1;
  const lines = system.stderr.match(/redis_messages_refused/g)?.length ?? 0;
  assert.ok(lines >= 1 && lines <= most, `${lines} lines of ${most} processes`);
  await system.redis.command('ACL', 'SETUSER', user, '&chorus:*');
  await Promise.all([one, two, three].map((viewer) => viewer.isOneOf(3, 40_000)));
});
