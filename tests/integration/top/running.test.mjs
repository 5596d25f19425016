// CI also: processes. The figures come from every part.
import assert from 'node:assert/strict';
import { owner, postMany } from '../lib/api.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('chorus top shows a running system', async (t) => {
  const system = await t.system({ flags: { 'statistics-interval-ms': 200 } });
  const reader = await owner(system, 'film-7');
  for (let i = 0; i < 3; i++) await t.watch(reader, { video: 'film-7', user: `u${i}` });
  await postMany(system, 'film-7', 10);
  const name = `reader-${system.readers.indexOf(reader) + 1}`;
  const row = new RegExp(`^${name} +live +3 +#+ +100% +1 `, 'm');
  await until(async () => {
    const { code, stdout, stderr } = await run(['top', '--once', '--statistics', system.statistics], { env: { LC_ALL: 'C' } });
    assert.equal(code, 0, stderr);
    if (!/^film-7 +3 /m.test(stdout) || !row.test(stdout)) throw new Error(stdout);
    return true;
  }, 'the video, its reader and its viewers', 20_000);

  const { stdout } = await run(['top', '--once', '--json', '--statistics', system.statistics]);
  const { viewers, readers } = JSON.parse(stdout);
  assert.equal(viewers, 3);
  assert.equal(readers.find(({ instanceId }) => instanceId === name).viewers, 3);
});
