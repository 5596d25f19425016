import assert from 'node:assert/strict';
import { owner, postMany } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { curl, openPage } from './page.mjs';

scenario('the browser survives restarts of the server without loss or duplicates', { ms: 45_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const page = await openPage(t);
  await page.watch(`${await owner(system, 'v')}/connect?userid=u&videoid=v`);
  const stored = [];
  for (const [i, signal] of ['SIGKILL', 'SIGTERM'].entries()) {
    stored.push(await curl(system, 'v', 'before'));
    await page.wait(({ comments }) => comments.length === stored.length, 'the comment before');
    await system.restart(signal);
    stored.push(...(await postMany(system, 'v', 20)));
    await page.wait(({ comments }) => comments.length >= stored.length, 'the comments posted while it was away', 15_000);
    const seen = await page.seen();
    assert.deepEqual(seen.comments, stored);
    assert.equal(seen.connects.length, i + 2, 'one reconnect each');
    assert.deepEqual(seen.gaps, []);
  }
});
