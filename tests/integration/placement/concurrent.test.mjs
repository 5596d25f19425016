// Also on: sentinel, cluster. Processes find their Redis in another way.
// CI also: up-redis, processes. Only the store decides between two that register at once.
import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('40 registrations of one new video at once: one reader, one `registered`', async (t) => {
  const system = await t.system();
  for (let round = 0; round < 20; round++) {
    const video = `new-${round}`;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) =>
      call('POST', `${i % 2 ? system.manager : system.comment}/register`, { json: { videoid: video } })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(new Set(answers.map(({ json }) => json.readerUrl)).size, 1);
    assert.equal(answers.filter(({ json }) => json.action === 'registered').length, 1);
    assert.equal(answers.filter(({ json }) => json.action === 'existing').length, 39);
  }
});

scenario('comments, viewers and registrations of one new video at once agree on one reader', async (t) => {
  const system = await t.system();
  for (let round = 0; round < 10; round++) {
    const video = `new-${round}`;
    const urls = await Promise.all(Array.from({ length: 30 }, async (_, i) => {
      if (i % 3 === 0) return (await call('POST', `${system.manager}/register`, { json: { videoid: video } })).json.readerUrl;
      if (i % 3 === 1) return (await t.watch(system.readers[i % 2], { video })).url.origin;
      await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: video, comment: 'x' } });
      return (await call('GET', `${system.manager}/resolve/${video}`)).json?.readerUrl;
    }));
    assert.equal(new Set(urls).size, 1, `${urls}`);
  }
});
