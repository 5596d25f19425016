// What browsers and caches are told with every answer: each operation of /openapi.json at each role, its errors, and what pages load.
import assert from 'node:assert/strict';
import { everyPort } from '../lib/checks.mjs';
import { Description } from '../lib/openapi.mjs';
import { RawClient, exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

const plain = (path) => path.replace(/\{\w+\}/, 'v');
const targetOf = (path) => (path === '/connect' ? '/connect?userid=u&videoid=v' : plain(path));
const isStream = ({ path }) => path === '/connect' || path === '/events';

// Files may be kept, and are confirmed each time; whatever else there is has somebody in it, or the state of a moment.
function checkFields({ status, headers }, where) {
  assert.equal(headers['x-content-type-options'], 'nosniff', where);
  if (headers.etag) {
    assert.equal(headers['cache-control'], 'no-cache', where);
    assert.match(headers['content-security-policy'] ?? '', /default-src 'self';.*frame-ancestors 'self'/, where);
    assert.equal(headers['referrer-policy'], 'no-referrer', where);
  } else {
    assert.match(headers['cache-control'] ?? '', /^no-store(, no-transform)?$/, `${where}: ${status}`);
    assert.doesNotMatch(headers['content-type'] ?? '', /html|script/, where);
  }
}

function bytesOf(url, { method, path, operation }, headers) {
  const { host } = new URL(url);
  const example = operation.requestBody?.content['application/json'].example;
  const content = example ? { headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(example) } : { headers };
  return requestBytes(method, targetOf(path), { host, ...content });
}

async function headOf(t, url, bytes) {
  const client = await RawClient.connect(url);
  t.after(() => client.destroy());
  client.send(bytes);
  const answer = await client.head();
  answer.body?.on('error', () => {}); // the end of the test cuts it
  return answer;
}

scenario('every answer says what may be kept of it, and every page what it may do', async (t) => {
  const system = await t.system();
  const description = await Description.of(system.comment);
  const operations = description.operations().filter(({ operation }) => !operation['x-only-with']);
  const pages = new Set(), statuses = new Set();
  for (const [role, url] of everyPort(system)) {
    for (const each of operations.filter((operation) => operation.role === role)) {
      const where = `${role} ${each.method} ${each.path}`;
      for (const accept of ['*/*', 'text/html']) {
        const bytes = bytesOf(url, each, { Accept: accept });
        const answer = isStream(each) ? await headOf(t, url, bytes) : await exchange(url, bytes);
        checkFields(answer, `${where} for ${accept}`);
        statuses.add(answer.status);
        for (const [, file] of answer.text?.matchAll(/(?:src|href)="(\/?[\w./-]+)"/g) ?? []) pages.add(new URL(file, `${url}${targetOf(each.path)}`).href);
      }
      checkFields(await exchange(url, requestBytes('OPTIONS', targetOf(each.path))), `OPTIONS, ${where}`);
      checkFields(await exchange(url, requestBytes('DELETE', targetOf(each.path))), `DELETE, ${where}`);
      if (each.operation.requestBody) checkFields(await exchange(url, requestBytes('POST', each.path, { headers: { 'Content-Type': 'application/json' }, body: '{' })), `bad JSON, ${where}`);
    }
    checkFields(await exchange(url, requestBytes('GET', '/none')), `${role}: nothing there`);
    checkFields(await exchange(url, Buffer.from('GET / HTTP/1.1\r\nHost : a\r\n\r\n')), `${role}: no request`);
  }
  for (const status of [200, 201, 307]) assert.ok(statuses.has(status), `${status} among ${[...statuses]}`);
  const files = [...pages].filter((page) => page.startsWith('http://127.0.0.1'));
  assert.ok(files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css')), `${files}`);
  for (const file of files) {
    const { origin, pathname } = new URL(file);
    checkFields(await exchange(origin, requestBytes('GET', pathname, { headers: { Accept: 'text/html' } })), file);
  }
});
