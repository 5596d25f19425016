// The recipes for `chorus up` (deploy/nginx).
// Set-ups: embedded.
// Long: 15. It waits, for reloads and for what is idle.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { without } from '../lib/proxies.mjs';
import { scenario } from '../lib/scenario.mjs';
import { describeProxy, startBehind } from './up.mjs';

describeProxy('nginx');

// The server of those who run the site: it lets ann watch.
async function startSite(t) {
  const asked = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers['x-original-uri']]);
    response.writeHead(headers.cookie === 'user=ann' ? 204 : 403).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return { asked, address: `127.0.0.1:${server.address().port}` };
}

scenario("nginx: only the site's server posts, and says who may watch", { skip: without('nginx') }, async (t) => {
  const site = await startSite(t);
  const file = join(t.folder(), 'users.conf');
  const recipe = readFileSync(new URL('../../../deploy/nginx/users.conf', import.meta.url), 'utf8');
  writeFileSync(file, recipe.replace('10.0.0.7:8080', site.address).replace('allow 10.0.0.7', 'allow 127.0.0.7'));
  const { proxy } = await startBehind(t, 'nginx', { settings: [[/^ +location \/ \{/m, `    include ${file};\n    location / {`]] });
  const ask = async (path, { from = '127.0.0.1', cookie = '', body } = {}) => {
    const headers = { 'content-type': 'application/json', cookie };
    const response = await proxy.http1(from)(`${proxy.url}${path}`, { method: body ? 'POST' : 'GET', headers, body });
    response.body.destroy();
    return response.status;
  };
  const comment = JSON.stringify({ userid: 'ann', videoid: 'v', comment: 'c' });
  for (const path of ['/comment', '/comment/', '//comment//']) {
    assert.equal(await ask(path, { body: comment }), 403, path);
    assert.equal(await ask(path, { body: comment, from: '127.0.0.7' }), 201, path);
  }
  for (const path of ['/connect', '/connect/', '//connect', '/reader-1/connect', '/reader-1//connect/', '/videos/v/comments']) {
    const address = `${path}?userid=ann&videoid=v`;
    assert.equal(await ask(address), 403, path);
    assert.equal(await ask(address, { cookie: 'user=ann' }), 200, path);
    assert.deepEqual(site.asked.at(-1), ['/may-watch', address]);
  }
  for (const path of ['/videos', '/videos/', '//videos']) assert.equal(await ask(path, { cookie: 'user=ann' }), 404, path);
  assert.equal(await ask('/'), 200);
  assert.equal(await ask('/may-watch'), 404);
});
