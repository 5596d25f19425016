import assert from 'node:assert/strict';
import { post, readerFigures } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { Browser } from './live.mjs';

const connections = async (system) => (await readerFigures(system)).activeConnections;

for (const [where, secure] of [['a secure context', true], ['an insecure context, without Web Locks', false]]) {
  scenario(`eight tabs of ${where} have one stream; when the leader is closed or crashes, another leads`, { ms: 100_000 }, async (t) => {
    const system = await t.system();
    const stored = [await post(system, 'v', 'before')];
    const browser = await Browser.start(t);
    const tabs = [];
    for (let i = 0; i < 8; i++) tabs.push(await browser.open({ server: system.comment, video: 'v', user: `u${i}` }, { secure }));
    assert.equal(await tabs[0].page.evaluate(() => 'locks' in navigator), secure);
    await Promise.all(tabs.map((tab) => tab.live()));
    const alone = () => until(async () => (await connections(system)) === 1, 'one stream');
    const check = async () => {
      for (const tab of tabs) assert.deepEqual(await tab.shows(stored.slice(1)), stored.slice(1));
    };
    await alone();
    stored.push(await post(system, 'v', 'to all'));
    await check();
    for (const end of ['close', 'crash']) {
      const leads = await Promise.all(tabs.map((tab) => tab.leads()));
      assert.equal(leads.filter(Boolean).length, 1, 'one leads');
      const [leader] = tabs.splice(leads.indexOf(true), 1);
      if (end === 'close') await leader.page.close({ runBeforeUnload: false });
      else (await browser.context.newCDPSession(leader.page)).send('Page.crash').catch(() => {}); // never answered
      for (let i = 0; i < 5; i++) stored.push(await post(system, 'v', `after a ${end}, ${i}`));
      await check();
      await alone();
      stored.push(await post(system, 'v', 'to the rest'));
      await check();
    }
    for (const tab of tabs) assert.deepEqual((await tab.seen()).gaps, []);
    assert.deepEqual(browser.errors, []);
  });
}
