import assert from 'node:assert/strict';
import { statistics } from '../lib/api.mjs';
import { startClients } from '../lib/clients.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('every comment reaches every viewer of its video, once', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const flags = { viewers: 300, videos: 1, rate: 50, duration: 3 };
  const { code, figures } = await startClients(t, system, flags).ends();
  assert.equal(code, 0);
  assert.equal(figures.viewers, 300);
  assert.ok(figures.comments >= 140 && figures.comments < 225, `50 comments a second for 3 s, not ${figures.comments} in all`);
  assert.equal(figures.deliveries, figures.comments * 300);
  assert.deepEqual([figures.lost, figures.duplicated, figures.out_of_order, figures.gaps], [0, 0, 0, 0]);
});

scenario('the distribution decides which videos are watched, the same for the same seed', async (t) => {
  const subscribed = async (flags) => {
    const system = await t.system({ flags: { 'statistics-interval-ms': 100 } });
    const clients = startClients(t, system, { viewers: 60, videos: 200, rate: 0, 'statistics-interval-ms': 200, ...flags });
    const { clients: found } = await clients.until(async () => {
      const document = await statistics(system);
      return document.clients.totalClients === 60 && document;
    }, 'sixty clients');
    const { code, figures } = await clients.stop();
    assert.deepEqual([code, figures.comments], [0, 0]);
    return found.clients.sort((a, b) => a.clientId.localeCompare(b.clientId)).map(({ videoId }) => videoId);
  };
  const [uniform, zipf, again, other] = await Promise.all([
    subscribed({}), subscribed({ distribution: 'zipf:1.5' }), subscribed({ distribution: 'zipf:1.5' }),
    subscribed({ distribution: 'zipf:1.5', seed: 2 }),
  ]);
  const first = (videos) => videos.filter((video) => video === 'video1').length;
  assert.ok(first(zipf) >= 12, `${first(zipf)} of 60 watch the first video`);
  assert.ok(first(uniform) <= 6, `${first(uniform)} of 60 watch the first video`);
  assert.deepEqual(zipf, again);
  assert.notDeepEqual(zipf, other);
});

scenario('only the first hundred report', async (t) => {
  const system = await t.system();
  const clients = startClients(t, system, { viewers: 130, rate: 0, 'statistics-interval-ms': 200 });
  await clients.until(async () => (await statistics(system)).clients.totalClients >= 100, 'a hundred clients');
  await clients.until(async () => (await statistics(system)).readerApis.totalActiveConnections === 130, 'all viewers', 15_000);
  assert.equal((await statistics(system)).clients.totalClients, 100);
});

scenario('a token lets clients report to the statistics', async (t) => {
  const system = await t.system({ flags: { 'internal-from': '10.0.0.0/8', 'internal-token': 'secret' } });
  const clients = startClients(t, system, { 'internal-token': 'secret', 'statistics-interval-ms': 200 });
  await clients.until(async () => (await statistics(system)).clients.totalClients === 19, 'nineteen clients');
});

scenario('wrong usage is explained in a sentence, exit code 2', async () => {
  const wrong = [
    ['--distribution', 'zipf:x'], ['--manager-url', 'localhost:6000'], ['--viewers', '0'], ['--rate', 'fast'], ['--redis', 'redis://x'],
  ];
  for (const [flag, value] of wrong) {
    const { code, stderr } = await run(['clients', flag, value]);
    assert.equal(code, 2, `${flag} ${value}: ${stderr}`);
    assert.match(stderr, new RegExp(`^chorus clients: .*${flag}.*\\n$`));
  }
});

scenario('without a server it keeps trying, and stops when told to', async (t) => {
  const system = await t.system();
  const gone = { manager: system.manager, comment: system.comment, statistics: system.statistics };
  await system.stop();
  const clients = startClients(t, gone);
  await until(() => clients.program.stderr.includes(` manager=${gone.manager}`), 'a line that names the manager');
  const { code, figures } = await clients.stop('SIGTERM');
  assert.deepEqual([code, figures.viewers, figures.comments], [0, 0, 0]);
  assert.ok(figures.refused > 0);
});
