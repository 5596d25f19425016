import assert from 'node:assert/strict';
import { call, owner } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { streamFetch } from '../lib/scrambled.mjs';

// The polyfill that is used most sends lastEventId in the query.
scenario('a position is accepted as last_event_id and as lastEventId, in the query and in the body', async (t) => {
  const system = await t.system();
  const ids = [];
  for (let i = 0; i < 4; i++) ids.push((await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: `${i}` } })).json.comment.id);
  const reader = await owner(system, 'v');
  for (const name of ['last_event_id', 'lastEventId']) {
    const asQuery = await t.watch(reader, { video: 'v', query: { [name]: ids[1] } });
    await asQuery.reaches(ids[3]);
    assert.deepEqual(asQuery.comments.map(({ id }) => id), ids.slice(2), `${name} in the query`);
    const response = await streamFetch(`${reader}/connect`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userid: 'u', videoid: 'v', [name]: ids[1] }),
    });
    let text = '';
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if (text.includes(`id: ${ids[3]}\n`)) break;
    }
    assert.deepEqual(Array.from(text.matchAll(/^id: (.*)$/gm), ([, id]) => id), ids.slice(1), `${name} in the body`);
  }
});

// A polyfill repeats the URL that the page gave it, with the position at which the page began.
scenario('the newest of several positions counts, wherever it is', async (t) => {
  const system = await t.system();
  const ids = [];
  for (let i = 0; i < 4; i++) ids.push((await call('POST', `${system.comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: `${i}` } })).json.comment.id);
  const reader = await owner(system, 'v');
  const [older, newer] = ids;
  const ways = [
    { query: { last_event_id: older, lastEventId: newer } }, { query: { last_event_id: newer, lastEventId: older } },
    { query: { last_event_id: '', lastEventId: newer } }, { query: { last_event_id: newer, lastEventId: '' } },
    { query: { lastEventId: newer }, headers: { 'last-event-id': older } }, { query: { lastEventId: older }, headers: { 'last-event-id': newer } },
    { query: { lastEventId: newer }, headers: { 'last-event-id': 'none' } },
  ];
  for (const way of ways) {
    const viewer = await t.watch(reader, { video: 'v', ...way });
    await viewer.reaches(ids[3]);
    assert.deepEqual(viewer.comments.map(({ id }) => id), ids.slice(2), JSON.stringify(way));
  }
});
