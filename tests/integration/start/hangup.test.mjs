// A closed terminal, or `kill -HUP` by a log rotation, does not stop it.
import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { call, owner, post } from '../lib/api.mjs';
import { Program } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('without a file SIGHUP changes nothing, with a line in the log', async (t) => {
  const system = await t.system();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  const hangups = () => system.stderr.match(/reloaded changed=0 needs_restart=0/g)?.length ?? 0;
  for (let i = 1; i <= 2; i++) {
    const processes = system.program.signal('SIGHUP');
    await until(() => hangups() === i * processes, 'the line in the log');
    await viewer.reaches((await post(system, 'v', `after ${i}`)).id);
  }
  assert.equal(system.program.died, false);
});

scenario('under nohup it stays ignored, without a line', { setups: ['embedded'] }, async (t) => {
  const args = ['up', '--data', t.folder(), '--manager-port', '0', '--comment-port', '0', '--statistics-port', '0', '--reader-ports', '0'];
  const program = new Program(['-c', 'trap "" HUP; exec "$0" "$@"', process.env.CHORUS_BIN, ...args], { file: 'sh' });
  t.after(() => program.kill('SIGKILL'));
  const [, url] = await until(() => program.stdout.match(/^ *comment +(http:\S+)/m), 'the start-up box');
  program.signal('SIGHUP');
  assert.equal((await call('GET', `${url}/health`)).status, 200);
  const { code, stderr } = await program.kill('SIGTERM');
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /reloaded/);
});

scenario('closed standard descriptors are those of no socket or file', { setups: ['embedded'] }, async (t) => {
  const args = ['up', '--data', t.folder(), '--single-port', '--comment-port', '0'];
  const program = new Program(['-c', 'exec "$0" "$@" <&- 2>&-', process.env.CHORUS_BIN, ...args], { file: 'sh' });
  t.after(() => program.kill('SIGKILL'));
  await until(() => program.stdout.match(/^ *comment +(http:\S+)/m), 'the start-up box');
  for (const fd of [0, 2]) assert.equal(readlinkSync(`/proc/${program.pid}/fd/${fd}`), '/dev/null');
});
