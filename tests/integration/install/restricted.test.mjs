// The program does nothing that its systemd unit forbids: a system call that the unit's filter refuses would end it here.
// Set-ups: embedded, up-redis.
// CI also: up-redis. The engine's system calls differ.
// Long: 5.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { call, owner, post, postMany } from '../lib/api.mjs';
import { install, unitFile } from '../lib/installed.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { ServiceManager } from '../lib/service-manager.mjs';
import { setup } from '../lib/system.mjs';
import { slow } from '../lib/time.mjs';

const restricted = fileURLToPath(new URL('../lib/restricted.py', import.meta.url));
const skip = slow && 'a sanitizer looks for leaks with what the unit forbids';
const isRoot = process.getuid() === 0;
const setpriv = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--'];
// The words in front of a program that runs as the unit has it.
const underUnit = (unit) => [...(isRoot ? setpriv : []), '/usr/bin/python3', restricted, unit];

scenario('comments, viewers, a resume and the end under the restrictions of chorus.service', { skip }, async (t) => {
  const prefix = t.folder();
  install(prefix);
  const under = underUnit(unitFile(prefix, 'chorus'));
  const manager = await ServiceManager.start(t, t.folder());
  const flags = { 'internal-from': 'samenet', 'own-descriptors': true, ...(setup === 'embedded' && { durable: true }) };
  const system = await t.system({ stable: true, under, env: manager.env, flags });
  await manager.receives('READY=1');
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await postMany(system, 'v', 200);
  await viewer.reaches((await post(system, 'v', 'last')).id);
  for (const path of ['/health', '/statistics', '/', '/chorus.js', '/videos/v/comments']) {
    assert.equal((await call('GET', `${system.comment}${path}`)).status, 200, path);
  }
  await system.restart('SIGTERM');
  const resumed = await t.watch(await owner(system, 'v'), { video: 'v', from: viewer.position });
  await resumed.reaches((await post(system, 'v', 'after a restart')).id);
  assert.deepEqual(resumed.gaps, []);
});

scenario('what the unit forbids ends a program', { setups: ['embedded'] }, async (t) => {
  const prefix = t.folder();
  install(prefix);
  const under = underUnit(unitFile(prefix, 'chorus'));
  const python = (code) => run(['-c', code], { under, file: '/usr/bin/python3' });
  assert.equal((await python('pass')).code, 0);
  const forbidden = {
    'a network': 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)',
    'memory to write and run': 'import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)',
    'another priority': 'import os; os.setpriority(os.PRIO_PROCESS, 0, 5)',
    'a namespace': 'import ctypes; ctypes.CDLL(None).unshare(0x10000000)',
    'a mount': 'import ctypes; ctypes.CDLL(None).mount(b"none", b"/mnt", b"tmpfs", 0, None)',
  };
  for (const [what, code] of Object.entries(forbidden)) assert.equal((await python(code)).signal, 'SIGSYS', what);
});
