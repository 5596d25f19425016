import assert from 'node:assert/strict';
import { owner } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { curl, openPage } from './page.mjs';

scenario('an EventSource follows a 307 across origins, and reconnects to the new address after a cut', { ms: 45_000 }, async (t) => {
  const system = await t.system({ stable: true });
  const reader = await owner(system, 'v');
  const page = await openPage(t);
  await page.watch(`${system.others(reader)[0]}/connect?userid=u&videoid=v`);
  const first = await curl(system, 'v', 'Great video!');
  await page.wait(({ comments }) => comments.length === 1, 'the comment');
  let seen = await page.seen();
  assert.deepEqual(seen.comments, [first]);
  assert.equal(seen.connects[0].instance, `reader-${system.readers.indexOf(reader) + 1}`);
  assert.equal(seen.connects[0].origin, reader);

  await system.restart('SIGKILL');
  const second = await curl(system, 'v', 'again');
  await page.wait(({ comments }) => comments.length >= 2, 'the next comment', 15_000);
  seen = await page.seen();
  assert.deepEqual(seen.comments, [first, second]);
});
