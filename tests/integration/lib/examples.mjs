// What every example of a client in clients/ has to do. An example is run with the server's address and a video.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, owner, post, postMany } from './api.mjs';
import { Program } from './process.mjs';
import { scenario } from './scenario.mjs';
import { until } from './time.mjs';

export const top = join(dirname(fileURLToPath(import.meta.url)), '../../..');

// A comment API that names a reader of one's choice, and counts; all else goes to the real one.
async function misleading(t, system, reader) {
  const seen = { registers: 0 };
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.url === '/register') {
      seen.registers++;
      response.end(JSON.stringify({ videoid: 'v', readerUrl: reader, action: 'existing' }));
      return;
    }
    const { status, text } = await call(request.method, system.comment + request.url, { body: Buffer.concat(chunks), headers: { 'content-type': 'application/json' } });
    response.writeHead(status).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return Object.assign(seen, { url: `http://127.0.0.1:${server.address().port}` });
}

// make() returns {file, args} of a program; name is the user id it posts as.
export function exampleScenarios(name, make) {
  const start = (t, server) => {
    const { file, args } = make();
    const program = new Program([...args, server, 'v'], { file, cwd: top });
    t.after(() => program.kill('SIGKILL'));
    program.lines = () => program.stdout.split('\n').slice(0, -1);
    program.shows = (line) => until(() => program.lines().includes(line) || (program.end && assert.fail(`it ended: ${program.stderr}`)), () => `"${line}"; it shows ${program.stdout} ${program.stderr}`, 20_000);
    // It shows what is posted now, so its stream has begun.
    program.isLive = (system, n = 0) =>
      until(async () => {
        if (program.lines().some((line) => line.startsWith('poster: live '))) return true;
        await post(system, 'v', `live ${n++}`);
      }, () => `a live comment; it shows ${program.stdout} ${program.stderr}`, 20_000);
    return program;
  };

  scenario(`the ${name} example posts, shows comments, and resumes after the server was away`, { ms: 120_000, disk: true }, async (t) => {
    const system = await t.system({ stable: true });
    const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
    const program = start(t, system.comment);
    await viewer.sees(1);
    assert.equal(viewer.comments[0].userid, name);
    await program.isLive(system);
    await post(system, 'v', 'Grüße 😀', { name: 'Zoë' });
    await program.shows('Zoë: Grüße 😀');

    await system.stop('SIGKILL');
    await system.restart();
    await postMany(system, 'v', 20, { atOnce: 1 });
    await program.shows('poster: comment 19');
    const after = program.lines().slice(program.lines().indexOf('Zoë: Grüße 😀') + 1);
    assert.deepEqual(after, Array.from({ length: 20 }, (_, i) => `poster: comment ${i}`), 'each once, in order');
  });

  scenario(`the ${name} example follows a redirect with its position`, { ms: 120_000, disk: true }, async (t) => {
    const system = await t.system({ stable: true });
    const reader = await owner(system, 'v');
    const other = await misleading(t, system, system.others(reader)[0]);
    const program = start(t, other.url);
    await program.isLive(system);
    await post(system, 'v', 'before');
    await program.shows('poster: before');
    await system.stop('SIGKILL');
    await system.restart();
    await post(system, 'v', 'while it was away');
    await program.shows('poster: while it was away');
    assert.ok(other.registers >= 2, 'it asked again');
    assert.equal(program.lines().filter((line) => line === 'poster: before').length, 1);
  });
}
