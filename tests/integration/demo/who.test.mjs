// Who may kill a reader of a demo: its own dashboard, and no website elsewhere in the same browser.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { call } from '../lib/api.mjs';
import { demoToken, nameOf, refusal, tryToKill } from '../lib/demo.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded']; // the routes are the same on every engine
const demo = (flags) => ({ flags: { demo: true, 'log-level': 'warn', 'demo-restart-ms': 600_000, ...flags } });

// How requests look that a browser sends for pages of other websites, and for others that are not the dashboard.
const port = (system) => new URL(system.statistics).port;
const strangers = {
  'a website, by fetch': () => ({ origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' }),
  'a website, by an old browser': () => ({ origin: 'http://evil.example' }),
  'a website, by a script tag': () => ({ 'sec-fetch-site': 'cross-site' }),
  'a sandboxed frame, a file': () => ({ origin: 'null' }),
  'a website whose name has come to mean this machine': (system) => ({ host: `evil.example:${port(system)}`, origin: `http://evil.example:${port(system)}`, 'sec-fetch-site': 'same-origin' }),
  'the same, without Origin': (system) => ({ host: `evil.example:${port(system)}`, 'sec-fetch-site': 'same-origin' }),
  'the same, disguised as an address': (system) => ({ host: `127.0.0.1.evil.example:${port(system)}` }),
  'the same, disguised as localhost': (system) => ({ host: `localhost.evil.example:${port(system)}` }),
  'another port of this machine': (system) => ({ origin: system.comment, 'sec-fetch-site': 'same-site' }),
  'another scheme': (system) => ({ origin: system.statistics.replace('http:', 'https:') }),
  'another name of this machine': (system) => ({ origin: `http://localhost:${port(system)}` }),
  'a client behind a proxy': () => ({ 'x-forwarded-for': '203.0.113.5' }),
};
const pages = {
  'the dashboard': (system) => ({ origin: system.statistics, 'sec-fetch-site': 'same-origin' }),
  'the dashboard, as localhost': (system) => ({ host: `localhost:${port(system)}`, origin: `http://localhost:${port(system)}`, 'sec-fetch-site': 'same-origin' }),
  'the dashboard, over IPv6': (system) => ({ host: `[::1]:${port(system)}`, origin: `http://[::1]:${port(system)}` }),
  'curl': () => ({}),
};

scenario('the token is for the dashboard of this server, and for nothing that another website can send', { setups }, async (t) => {
  const system = await t.system(demo());
  for (const [who, headers] of Object.entries(strangers)) {
    const { status, json, text } = await call('GET', `${system.statistics}/demo`, { headers: headers(system) });
    assert.deepEqual([status, json.code], [403, 'forbidden'], who);
    assert.doesNotMatch(text, /[0-9a-f]{32}/);
  }
  for (const [who, headers] of Object.entries(pages)) {
    const answer = await call('GET', `${system.statistics}/demo`, { headers: headers(system) });
    assert.equal(answer.status, 200, who);
    assert.match(answer.json.token, /^[0-9a-f]{32}$/);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['cross-origin-resource-policy'], 'same-origin');
  }
  const other = await t.system(demo());
  assert.notEqual(await demoToken(other), await demoToken(system), 'each start has its own');
});

scenario('a stranger kills nothing, not even with the token; without the token nothing does', { setups }, async (t) => {
  const system = await t.system(demo());
  const token = await demoToken(system);
  const name = nameOf(system, system.readers[0]);
  for (const [who, headers] of Object.entries(strangers)) {
    assert.equal((await tryToKill(system, name, { token, headers: headers(system) })).status, 403, who);
  }
  for (const wrong of [undefined, '', token.slice(1), `${token}0`, token.replace(/./g, '0')]) {
    assert.equal((await tryToKill(system, name, { token: wrong })).status, 403, `${wrong}`);
  }
  assert.equal((await call('GET', `${system.statistics}/demo/readers/${name}/kill`, { headers: { authorization: `Bearer ${token}` } })).status, 405);
  for (const reader of system.readers) assert.equal(await refusal(reader), undefined, `${reader} is up`);

  for (const [i, [who, headers]] of Object.entries(pages).slice(0, 3).entries()) {
    const { status, text } = await tryToKill(system, nameOf(system, system.readers[i]), { token, headers: headers(system) });
    assert.equal(status, 202, `${who}: ${text}`);
  }
});

scenario('a client on another machine needs to be in --internal-from', { setups }, async (t) => {
  const system = await t.system(demo({ bind: '0.0.0.0' }));
  const elsewhere = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (!elsewhere) return;
  const url = `http://${elsewhere}:${port(system)}/demo`; // the kernel makes this the peer's address too
  assert.equal((await call('GET', url)).status, 403);
  const open = await t.system(demo({ bind: '0.0.0.0', 'internal-from': 'samenet' }));
  assert.equal((await call('GET', url.replace(port(system), port(open)))).status, 200);
});

scenario('without --demo there is nothing at these paths', { setups }, async (t) => {
  const system = await t.system();
  for (const method of ['GET', 'POST', 'OPTIONS']) {
    for (const path of ['/demo', '/demo/readers/reader-1/kill']) {
      const { status, json } = await call(method, `${system.statistics}${path}`);
      assert.deepEqual([status, json.code], [404, 'not_found'], `${method} ${path}`);
    }
  }
});
