// Set-ups: embedded.
// Who may kill a reader of a demo, as Chromium sends it: the dashboard, and no other website that is open in it.
import assert from 'node:assert/strict';
import { demoToken, isDown, refusal } from '../integration/lib/demo.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { launchChromium } from './chromium.mjs';

const setups = ['embedded']; // the routes are the same on every engine

// In the page: what it is answered, or that the browser does not let it ask.
const ask = (page, url, options) => page.evaluate(async ([to, how]) => {
  try {
    const response = await fetch(to, how);
    return { type: response.type, status: response.status, text: await response.text() };
  } catch (error) {
    return { blocked: error.message };
  }
}, [url, options]);

scenario('the dashboard kills a reader; pages of other origins, and of a name that was rebound, do not', { setups, ms: 90_000 }, async (t) => {
  const system = await t.system({ flags: { demo: true, 'demo-restart-ms': 600_000, 'log-level': 'warn' } });
  const { port } = new URL(system.statistics);
  const browser = await launchChromium(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
  t.after(() => browser.close());
  const token = await demoToken(system);
  const kill = { method: 'POST', headers: { authorization: `Bearer ${token}` } };
  const path = (n) => `/demo/readers/reader-${n}/kill`;

  const pages = {
    'another port': system.comment,
    'a name that means this machine, another port': system.comment.replace('127.0.0.1', 'evil.example'),
    'a name that means this machine, this port': `http://evil.example:${port}`,
  };
  for (const [who, address] of Object.entries(pages)) {
    const page = await browser.newPage();
    await page.goto(`${address}/health`);
    const base = new URL(page.url()).port === port ? '' : system.statistics;
    for (const how of [kill, { ...kill, mode: 'no-cors', headers: {} }, { method: 'POST', mode: 'no-cors', credentials: 'include' }]) {
      const answer = await ask(page, base + path(1), how);
      assert.ok(answer.blocked || answer.status === 403 || answer.type === 'opaque', `${who}: ${JSON.stringify(answer)}`);
    }
    const answer = await ask(page, `${base}/demo`);
    assert.ok(answer.blocked || answer.status === 403, `${who}: ${JSON.stringify(answer)}`);
    assert.doesNotMatch(answer.text ?? '', new RegExp(token));
    await page.close();
  }
  for (const reader of system.readers) assert.equal(await refusal(reader), undefined, `${reader} is up`);

  for (const [i, host] of ['127.0.0.1', 'localhost'].entries()) {
    const page = await browser.newPage();
    await page.goto(`http://${host}:${port}/health`);
    const { token: given } = JSON.parse((await ask(page, '/demo')).text);
    assert.equal(given, token);
    assert.equal((await ask(page, path(i + 1), kill)).status, 202);
    await isDown(system.readers[i]);
  }
});
