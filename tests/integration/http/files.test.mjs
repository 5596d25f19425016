import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { call } from '../lib/api.mjs';
import { checkCors } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';
import { request } from 'undici';

const page = readFileSync(new URL('../../../web/index.html', import.meta.url), 'utf8');

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
