import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { call } from '../lib/api.mjs';
import { checkCors, checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { request } from '../lib/undici.mjs';

const web = (name) => readFileSync(new URL(`../../../web/${name}`, import.meta.url), 'utf8');
// As cmake/assets.cmake makes it.
const page = web('index.html').replace(/<!-- (\S+\.html) -->\n/g, (_, part) => web(`parts/${part}`));

scenario('the page is sent compressed to clients that accept that, and not at all to those that have it', async (t) => {
  const { comment } = await t.system();
  const plain = await call('GET', `${comment}/`);
  assert.equal(plain.status, 200);
  assert.equal(plain.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(plain.text, page);
  assert.match(plain.headers.vary, /accept-encoding/i);

  const { headers, body } = await request(`${comment}/`, { headers: { 'accept-encoding': 'br, gzip' } });
  assert.equal(headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(Buffer.from(await body.arrayBuffer())).toString(), page);
  assert.equal(headers.etag, plain.headers.etag);

  const again = await call('GET', `${comment}/`, { headers: { 'if-none-match': plain.headers.etag } });
  assert.equal(again.status, 304);
  assert.equal(again.text, '');
  assert.equal(again.headers.etag, plain.headers.etag);
  checkCors(again, '304');
  const other = await call('GET', `${comment}/`, { headers: { 'if-none-match': '"another"' } });
  assert.equal(other.text, page);
});

scenario('each video has a page, at /watch/ and its id', async (t) => {
  const { comment } = await t.system();
  for (const path of ['/watch/v', '/watch/a:b@c~1', '/watch/v/', '/watch/v?user=ann', '/watch/%20']) {
    const { status, text } = await call('GET', comment + path);
    assert.equal(status, 200, path);
    assert.equal(text, page, path); // which says what is wrong with an id
  }
  for (const path of ['/watch', '/watch/', '/watch/a/b', '/watched/v']) checkError(await call('GET', comment + path), 404, path);
  checkError(await call('POST', `${comment}/watch/v`, { json: {} }), 405);
});

scenario('files may load nothing from elsewhere, and pages of others may use our modules', async (t) => {
  const { comment } = await t.system();
  for (const path of ['/', '/watch/v', '/page.js', '/theme.css', '/favicon.svg']) {
    const { status, headers } = await call('GET', comment + path, { headers: { origin: 'https://page.example' } });
    assert.equal(status, 200, path);
    const policy = new Map(headers['content-security-policy'].split('; ').map((part) => part.split(/ (.*)/s, 2)));
    assert.equal(policy.get('default-src'), "'self'", path);
    assert.equal(policy.get('connect-src'), 'http: https:', path); // readers are other origins
    assert.equal(policy.get('frame-ancestors'), "'self'", path);
    assert.doesNotMatch(headers['content-security-policy'], /unsafe|\*/, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['referrer-policy'], 'no-referrer', path);
    assert.equal(headers['cross-origin-resource-policy'], undefined, path);
    checkCors({ headers }, path);
  }
});
