import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

scenario('a doubled or trailing slash is tolerated on public routes, and never on internal ones', async (t) => {
  const system = await t.system();
  const { comment, manager, statistics } = system;
  const json = { userid: 'u', videoid: 'v', comment: 'c' };
  for (const path of ['//comment', '/comment/', '///comment//', '//comment?x=//']) {
    assert.equal((await call('POST', comment + path, { json })).status, 201, path);
    assert.equal((await call('OPTIONS', comment + path)).status, 204, path);
  }
  for (const url of [`${comment}//resolve/v`, `${comment}/resolve//v/`, `${manager}/resolve/v/`, `${statistics}//statistics/`, `${comment}/statistics/`]) {
    assert.equal((await call('GET', url)).status, 200, url);
  }
  const { json: { readerUrl } } = await call('GET', `${comment}/resolve/v`);
  for (const path of ['//connect?userid=u&videoid=v', '/connect/?userid=u&videoid=v']) {
    const viewer = await RawClient.connect(readerUrl);
    t.after(() => viewer.destroy());
    viewer.send(requestBytes('GET', path));
    await until(() => viewer.received.includes('"connected"'), () => `a stream; got ${viewer.received}`);
  }
  for (const path of ['//health', '/health/', '//ready']) checkError(await call('GET', comment + path), 404, path);
  for (const part of ['comment-api', 'reader-api', 'reader-api-manager', 'client']) {
    for (const path of [`//${part}-statistics`, `/${part}-statistics/`]) {
      checkError(await call('POST', statistics + path, { json: { instanceId: 'i', clientId: 'i' } }), 404, path);
    }
  }
});
