// Set-ups: embedded.
// Chorus behind a proxy that speaks HTTPS: nothing that Chromium loads there is asked for by http.
import assert from 'node:assert/strict';
import { call, post, register } from '../integration/lib/api.mjs';
import { Nginx, withoutNginx } from '../integration/lib/nginx.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { NAME, makeCertificate } from '../integration/lib/tls.mjs';
import { until } from '../integration/lib/time.mjs';
import { launchChromium } from './chromium.mjs';
import { Watch } from './watch.mjs';

const options = { ms: 60_000, setups: ['embedded'], skip: withoutNginx };
const STREAMS = 'proxy_http_version 1.1; proxy_buffering off; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;';

async function startNginx(t, system, nginx) {
  nginx.reader = system.comment;
  t.after(() => nginx.kill());
  return nginx.start();
}

// Its port is known before Chorus starts.
async function prepare(t, settings = STREAMS) {
  const folder = t.folder(), nginx = new Nginx(folder, undefined, settings, { tls: makeCertificate(folder) });
  await nginx.choosePort();
  return nginx;
}

async function open(t, url) {
  const browser = await launchChromium([`--host-resolver-rules=MAP ${NAME} 127.0.0.1`]);
  t.after(() => browser.close());
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  page.asked = [];
  page.problems = [];
  page.on('request', (request) => page.asked.push(request.url()));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && page.problems.push(message.text()));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  await page.goto(url);
  return page;
}

const systems = {
  'up --single-port': { flags: { 'single-port': true } },
  'up with all its ports': {},
  'up --single-port with --public-url': { flags: { 'single-port': true }, isPublic: true },
};
for (const [what, { flags, isPublic }] of Object.entries(systems)) {
  scenario(`${what} behind HTTPS: comments arrive live, nothing is asked for by http, and there is no console error`, options, async (t) => {
    const nginx = await prepare(t);
    const system = await t.system({ flags: { ...flags, ...(isPublic && { 'public-url': `${nginx.url}/` }) } });
    await startNginx(t, system, nginx);
    if (isPublic) {
      assert.equal((await register(system, 'v')).publicUrl, nginx.url);
      assert.ok(system.stdout.includes(nginx.url), 'what is printed');
    }
    const page = await open(t, `${nginx.url}/watch/v`);
    const watch = new Watch(page);
    await page.locator('#badge.live').waitFor();
    await post(system, 'v', 'through TLS');
    await watch.sees('through TLS');
    await watch.column.say('and back');
    await until(async () => (await call('GET', `${system.comment}/videos/v/comments`)).json.comments.length === 2, 'the comment of the page');
    await watch.sees('and back');
    await page.goto(`${nginx.url}/api`);
    await page.locator('#watchVideo .run').click();
    await page.locator('#watchVideo .status').filter({ hasText: '200' }).waitFor();
    assert.ok(page.asked.some((url) => url.startsWith(`${nginx.url}/connect?`)), page.asked.join('\n'));
    assert.deepEqual(page.asked.filter((url) => !url.startsWith(`${nginx.url}/`)), []);
    assert.deepEqual(page.problems, []);
  });
}

scenario('behind HTTPS the dashboard and the figures of operators are shown to nobody, the documents to everyone', options, async (t) => {
  const nginx = await prepare(t);
  const system = await t.system({ flags: { 'single-port': true, 'internal-token': 'secret' } });
  await startNginx(t, system, nginx);
  const page = await open(t, `${nginx.url}/statistics`);
  for (const [path, status] of [['/dashboard', 403], ['/events', 403], ['/dashboard/dashboard.js', 403], ['/metrics', 403], ['/statistics', 200], ['/videos', 200]]) {
    assert.equal(await page.evaluate(async (to) => (await fetch(to)).status, path), status, path);
  }
});
