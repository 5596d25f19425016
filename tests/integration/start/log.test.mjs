// CI also: up-redis. Each engine has its own lines.
import assert from 'node:assert/strict';
import { owner, post, resolve } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

const FORM = /^(debug|info|warn|error) [a-z]+(-\d+)? [a-z_.-]+( [a-z_]+=("([^"\\]|\\.)*"|[^\s"]*))*$/;

scenario('the log shows videos assigned and resolved, and comments posted, published and delivered', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'film-1');
  await resolve(system, 'film-1');
  const viewer = await t.watch(reader, { video: 'film-1' });
  const { id } = await post(system, 'film-1', 'Great video!');
  await viewer.reaches(id);
  const of = (role, ...words) => new RegExp(`^\\w+ ${role} .*(${words.join('|')}).*film-1`, 'm');
  await system.program.says(of('placement', 'assign'));
  await system.program.says(of('manager', 'resolve'));
  await system.program.says(of('comment', 'post', 'publish'));
  await system.program.says(of('reader-\\d', 'deliver'));
  for (const line of system.stderr.trim().split('\n')) assert.match(line, FORM);
  assert.doesNotMatch(system.stderr, /^(debug|warn|error) /m, 'nothing is wrong, and debug is off');
});

scenario('the log is sampled under load', async (t) => {
  const system = await t.system();
  const lines = () => system.stderr.split('\n').length;
  const before = lines();
  for (let i = 0; i < 3_000; i += 50) await Promise.all(Array.from({ length: 50 }, (_, k) => post(system, 'busy', `${i + k}`)));
  assert.ok(lines() - before < 1_500, `${lines() - before} lines for 3,000 comments`);
});

scenario('a client cannot forge a log line', async (t) => {
  const system = await t.system({ flags: { 'log-level': 'debug' } });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  const text = 'x\nerror manager forged a=1\r\nerror manager forged a=1\u001b[31m'.replace('\u001b', '');
  const { id } = await post(system, 'v', text, { name: 'error manager forged' });
  await viewer.reaches(id);
  assert.doesNotMatch(system.stderr, /^error manager forged/m);
  for (const line of system.stderr.trim().split('\n')) assert.match(line, FORM);
});

scenario('--log-level error logs nothing else', async (t) => {
  const system = await t.system({ flags: { 'log-level': 'error' } });
  await post(system, 'v', 'hello');
  const { stderr } = await system.stop();
  assert.equal(stderr, '');
});
