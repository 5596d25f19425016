// Set-ups: processes. The reader dies for good, the rest goes on.
// CI: no. It takes long.
import assert from 'node:assert/strict';
import { owner, post, postMany } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { Browser } from './live.mjs';

scenario('the reader is killed for good: each tab is back within seconds, at another reader, and has missed nothing', { ms: 100_000 }, async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v'), name = `reader-${system.readers.indexOf(reader) + 1}`;
  const browser = await Browser.start(t);
  const tabs = [];
  for (const share of [true, true, false]) tabs.push(await browser.open({ server: system.comment, video: 'v', user: 'u', share }));
  await Promise.all(tabs.map((tab) => tab.live()));
  const stored = [await post(system, 'v', 'before')];
  for (const tab of tabs) await tab.shows(stored);
  await system.program.end1(name, 'SIGKILL');
  const killed = performance.now();
  stored.push(...(await postMany(system, 'v', 20)));
  for (const tab of tabs) assert.deepEqual(await tab.shows(stored, 30_000), stored);
  console.log(`# back after ${Math.round(performance.now() - killed)} ms`); // 5 s on a quiet machine
  for (const tab of tabs) assert.deepEqual((await tab.seen()).gaps, []);
});
