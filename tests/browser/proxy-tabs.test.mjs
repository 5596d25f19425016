// Eight tabs, each with a stream of its own, over one HTTP/2 connection. Over HTTP/1.1 the browser allows six, and the seventh
// stream would wait.
// CI: no. Three proxies, and a browser each.
// Long: 20.
import assert from 'node:assert/strict';
import { post, readerFigures } from '../integration/lib/api.mjs';
import { proxyKinds, without } from '../integration/lib/proxies.mjs';
import { NAME } from '../integration/lib/tls.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { startBehind } from '../integration/proxies/up.mjs';
import { openBrowser } from './page.mjs';

for (const kind of proxyKinds) {
  scenario(`${kind}: eight tabs have a live stream each`, { skip: without(kind), ms: 60_000 }, async (t) => {
    const { proxy, system, through } = await startBehind(t, kind);
    const browser = await openBrowser(t, [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`, '--ignore-certificate-errors']);
    const context = await browser.newContext();
    const pages = [];
    for (let i = 0; i < 8; i++) {
      const page = await context.newPage();
      await page.goto(`${proxy.url}/health`); // any page of that origin
      await page.evaluate((user) => {
        window.seen = [];
        const source = new EventSource(`/connect?userid=${user}&videoid=v`);
        source.onmessage = ({ data }) => seen.push(JSON.parse(data));
      }, `u${i}`);
      pages.push(page);
    }
    await until(async () => (await readerFigures(system)).activeConnections === 8, 'eight streams');
    const { id } = await post(through, 'v', 'to all tabs');
    for (const page of pages) await page.waitForFunction((last) => seen.at(-1)?.id === last, id);
    const protocols = await pages[0].evaluate(() => performance.getEntriesByType('navigation').map(({ nextHopProtocol }) => nextHopProtocol));
    assert.deepEqual(protocols, ['h2']);
  });

  scenario(`${kind}: the page of the comment API plays over HTTPS, and asks for nothing else`, { skip: without(kind), ms: 60_000 }, async (t) => {
    const { proxy, through } = await startBehind(t, kind);
    const browser = await openBrowser(t, [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`, '--ignore-certificate-errors']);
    const page = await browser.newPage();
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${proxy.url}/?video=v`);
    await until(() => asked.some((url) => url.includes('/connect?')), 'a stream', 30_000);
    await post(through, 'v', 'shown on the page');
    await page.locator('live-comments').getByText('shown on the page').first().waitFor();
    assert.deepEqual(asked.filter((url) => !url.startsWith(proxy.url) && !url.startsWith('data:') && !url.startsWith('blob:')), []);
  });
}
