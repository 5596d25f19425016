// Set-ups: embedded.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { call } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { claims, makeKey, makeToken } from '../lib/jwt.mjs';
import { lockedSystem } from '../lib/locked.mjs';
import { Program, run } from '../lib/process.mjs';
import { freePorts } from '../lib/ports.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// The two lines of the box, as a user pastes them.
async function tryLines(t, system, env = process.env) {
  const lines = await until(() => {
    const found = system.stdout.match(/curl .*?(?=\s*[|│║*]?\s*$)/gm);
    return found?.length >= 2 && found;
  }, 'two curl lines');
  assert.equal(lines.length, 2);
  for (const line of lines) assert.doesNotMatch(line, /video\d/); // the demo's, where a comment would be lost among others
  // A new user pastes them into two shells, the stream into the first. (-N: this is a pipe, not a terminal.)
  const [stream, comment] = lines[0].includes('/connect') ? lines : [lines[1], lines[0]];
  const watching = spawn('sh', ['-c', `exec ${stream} -sN`], { env });
  t.after(() => watching.kill());
  let seen = '';
  watching.stdout.on('data', (text) => (seen += text));
  await until(() => seen.includes('"type":"connected"'), () => `the stream to begin: ${seen}`);
  const { stdout } = await promisify(execFile)('sh', ['-c', `${comment} -s`], { env });
  const [, id] = /"id":"([^"]+)"/.exec(stdout);
  await until(() => seen.includes(`id: ${id}\n`), () => `the comment in the stream: ${seen}`);
}

scenario('the box names version, engine and every address, and its curl lines work', { setups: ['embedded'] }, async (t) => {
  const system = await t.system();
  const version = (await run(['--version'])).stdout.match(/\d+\.\d+\.\d+\S*/)[0];
  assert.ok(system.stdout.includes(version), `version ${version} in:\n${system.stdout}`);
  assert.match(system.stdout, /embedded/);
  assert.match(system.stdout, /anyone can post as anyone/);
  for (const [, url] of everyPort(system)) assert.ok(system.stdout.includes(url), `${url} in the box`);
  await tryLines(t, system);
});

scenario('with keys the box says that users need tokens, and its curl lines work with one', { setups: ['embedded'] }, async (t) => {
  const key = makeKey('HS256', 'k');
  const { system } = await lockedSystem(t, [key]);
  assert.match(system.stdout, /Users +need a token/);
  const token = makeToken(key, claims({}, { videos: ['launch'] }));
  await tryLines(t, system, { ...process.env, TOKEN: token });
});

scenario('the box is printed before the first response', { setups: ['embedded'] }, async (t) => {
  const folder = t.folder();
  const output = join(folder, 'stdout'); // a file, where the C library would hold it back
  const [manager, comment, statistics, reader] = await freePorts(4);
  const program = new Program([
    'up', '--data', join(folder, 'data'), '--readers', '1', '--manager-port', manager, '--comment-port', comment,
    '--statistics-port', statistics, '--reader-ports', reader,
  ].map(String), { output });
  t.after(() => program.kill('SIGTERM'));
  const answers = () => Promise.any([manager, comment, statistics, reader].map((port) => call('GET', `http://127.0.0.1:${port}/`)));
  await until(answers, 'an answer from any port');
  const box = readFileSync(output, 'utf8');
  for (const port of [manager, comment, statistics, reader]) assert.ok(box.includes(`http://127.0.0.1:${port}`), box);
  assert.equal(box.match(/curl /g)?.length, 2, box);
});
