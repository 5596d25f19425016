// What a service manager such as systemd is sent: sd_notify(3), sd_watchdog_enabled(3).
// Set-ups: embedded, up-redis.
// CI also: up-redis. Only a store of its own can be away.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { call, post } from '../lib/api.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { ServiceManager } from '../lib/service-manager.mjs';

const embedded = { setups: ['embedded'] };

scenario('READY=1 comes once all ports answer, STOPPING=1 before they close', embedded, async (t) => {
  for (const folder of [t.folder(), undefined]) {
    const manager = await ServiceManager.start(t, folder);
    const system = await t.system({ env: manager.env });
    await manager.receives('READY=1');
    assert.deepEqual(manager.messages, ['READY=1\nSTATUS=Ready.']);
    for (const url of [system.manager, system.comment, system.statistics, ...system.readers]) {
      assert.equal((await call('GET', `${url}/ready`)).status, 200, url);
    }
    await system.stop();
    await manager.receives('STOPPING=1');
    assert.deepEqual(manager.messages.slice(1), ['STOPPING=1\nSTATUS=Stopping.']);
  }
});

scenario('a program that cannot start never says that it is ready', embedded, async (t) => {
  const manager = await ServiceManager.start(t, t.folder());
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const ports = ['--manager-port', '0', '--comment-port', '0', '--reader-ports', '0', '--statistics-port', String(taken.address().port)];
  assert.equal((await run(['up', '--data', t.folder(), ...ports], { env: manager.env })).code, 1);
  const system = await t.system({ env: manager.env }); // whose messages come later
  await manager.receives('READY=1');
  assert.equal(manager.count('READY=1'), 1);
  await system.stop();
});

scenario('the loop keeps the watchdog away, if it is this process that is watched', embedded, async (t) => {
  const manager = await ServiceManager.start(t, t.folder());
  await t.system({ env: { ...manager.env, WATCHDOG_USEC: '20000' } });
  await manager.receives('WATCHDOG=1', 3);
  const other = await ServiceManager.start(t, t.folder());
  const system = await t.system({ env: { ...other.env, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' } });
  await other.receives('READY=1');
  const seen = manager.count('WATCHDOG=1');
  await manager.receives('WATCHDOG=1', seen + 3);
  await post(system, 'v', 'its loop has turned');
  assert.equal(other.count('WATCHDOG=1'), 0);
});

scenario('SIGHUP is reported from its beginning to its end, as Type=notify-reload expects it', embedded, async (t) => {
  const manager = await ServiceManager.start(t, t.folder());
  const system = await t.system({ env: manager.env });
  await manager.receives('READY=1');
  system.program.signal('SIGHUP');
  await manager.receives('READY=1', 2);
  assert.match(manager.messages[1], /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
  assert.equal(manager.messages[2], 'READY=1\nSTATUS=Ready.');
});

scenario('a service manager that is gone does no harm', embedded, async (t) => {
  const system = await t.system({ env: { NOTIFY_SOCKET: `${t.folder()}/gone`, WATCHDOG_USEC: '20000' } });
  await system.program.says(/not_notified.*No such file/);
  await post(system, 'v', 'still here');
  const { code, stderr } = await system.stop();
  assert.equal(code, 0);
  assert.equal(stderr.match(/not_notified/g).length, 1);
});

scenario('the status names a store that is away, and that it is back', { setups: ['up-redis'] }, async (t) => {
  const manager = await ServiceManager.start(t, t.folder());
  const system = await t.system({ env: manager.env });
  await manager.receives('READY=1');
  await manager.receives('STATUS=Ready.');
  await system.redis.stop();
  await manager.receives(/^STATUS=Degraded: .*Redis/);
  const before = manager.count('STATUS=Ready.');
  await system.redis.start();
  await manager.receives('STATUS=Ready.', before + 1);
  assert.equal(manager.count('READY=1'), 1);
});
