import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('the ids . and .. are refused everywhere, as no URL can carry them', async (t) => {
  const system = await t.system();
  const { comment, manager, readers: [reader], statistics } = system;
  for (const id of ['.', '..']) {
    for (const base of [comment, manager]) {
      checkError(await call('POST', `${base}/register`, { json: { videoid: id } }), 400, id);
      checkError(await exchange(base, requestBytes('GET', `/resolve/${id.replaceAll('.', '%2e')}`)), 400, id);
      checkError(await exchange(base, requestBytes('GET', `/resolve/${id}`)), 400, id);
    }
    for (const wrong of [{ userid: id, videoid: 'v' }, { userid: 'u', videoid: id }]) {
      checkError(await call('POST', `${comment}/comment`, { json: { ...wrong, comment: 'c' } }), 400, id);
      checkError(await call('POST', `${reader}/connect`, { json: wrong }), 400, id);
      checkError(await call('GET', `${reader}/connect?${new URLSearchParams(wrong)}`), 400, id);
    }
    checkError(await call('POST', `${statistics}/client-statistics`, { json: { clientId: id } }), 400, id);
    checkError(await call('POST', `${statistics}/reader-api-statistics`, { json: { instanceId: id } }), 400, id);
  }
  for (const id of ['...', '.a', 'a.', '..a', '.:']) assert.equal((await call('POST', `${manager}/register`, { json: { videoid: id } })).status, 200, id);
});
