import assert from 'node:assert/strict';
import { owner, postMany } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { curl, openPage } from './page.mjs';

scenario('the page reads `gap` events, and continues from there after a cut', { ms: 45_000 }, async (t) => {
  const system = await t.system({ stable: true, flags: { 'log-entries': 10, 'log-min-age-ms': 0 } });
  const reader = await owner(system, 'v');
  const [first] = await postMany(system, 'v', 1);
  const missed = await postMany(system, 'v', 3_000, { atOnce: 32 });
  const last = missed.at(-1).id;
  const page = await openPage(t);
  await page.watch(`${reader}/connect?userid=u&videoid=v&last_event_id=${first.id}`);
  await page.wait(({ comments }) => comments.at(-1)?.id === last, 'what is kept');
  let seen = await page.seen();
  assert.equal(seen.gaps.length, 1);
  const [gap] = seen.gaps;
  assert.deepEqual([gap.reason, gap.id, gap.missed], ['expired', gap.to, Number(gap.to.split('-')[1]) - 1]);
  assert.equal(gap.missed + seen.comments.length, 3_000);

  // The URL still has the position of the first connection; the header of the next one is newer.
  const before = seen.comments.length;
  await system.restart('SIGKILL');
  const next = await curl(system, 'v', 'next');
  await page.wait(({ comments }) => comments.at(-1)?.id === next.id, 'the next comment', 15_000);
  seen = await page.seen();
  assert.equal(seen.gaps.length, 1, 'no second gap');
  assert.equal(seen.comments.length, before + 1, 'nothing twice');
});
