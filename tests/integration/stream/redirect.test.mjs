// CI also: processes. The mapping comes from another process.
import assert from 'node:assert/strict';
import { call, owner, post, resolve } from '../lib/api.mjs';
import { checkCors } from '../lib/checks.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario('the wrong reader answers 307 to the owner, readable across origins, with the query kept', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v:1');
  const query = '/connect?userid=u%401&videoid=v%3A1&last_event_id=5-5&x=a+b&y=%C3%A9';
  for (const other of system.others(reader)) {
    for (const [method, options] of [['GET', {}], ['HEAD', {}], ['POST', { json: { userid: 'u', videoid: 'v:1' } }]]) {
      const answer = await call(method, `${other}${method === 'POST' ? '/connect?x=1' : query}`, options);
      assert.equal(answer.status, 307, method);
      checkCors(answer, method);
      const location = new URL(answer.headers.location);
      assert.equal(location.origin, reader);
      assert.equal(location.pathname, '/connect');
      if (method !== 'HEAD') assert.match(answer.json.message, /Location/);
      const sent = new URLSearchParams(method === 'POST' ? 'x=1' : query.split('?')[1]);
      assert.deepEqual([...location.searchParams], [...sent]);
    }
  }
});

scenario('a viewer that asks for it is answered with the address as an event instead', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  for (const other of system.others(reader)) {
    for (const [method, options] of [['GET', {}], ['POST', { json: { userid: 'u', videoid: 'v', events: 'move' } }]]) {
      const query = method === 'POST' ? '?a=%22b' : '?userid=u&videoid=v&events=viewers,move&a=%22b';
      const answer = await call(method, `${other}/connect${query}`, options);
      assert.equal(answer.status, 200);
      checkCors(answer, method);
      assert.match(answer.headers['content-type'], /^text\/event-stream/);
      const [, json] = answer.text.match(/^event: move\ndata: (.*)\n\n$/);
      const { type, url } = JSON.parse(json);
      assert.deepEqual([type, url], ['move', `${reader}/connect${query}&`]);
    }
    assert.equal((await call('HEAD', `${other}/connect?userid=u&videoid=v&events=move`)).status, 307);
  }
});

scenario('viewers that follow redirects end at the owner, by GET, POST and EventSource', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const instance = `reader-${system.readers.indexOf(reader) + 1}`;
  const viewers = [];
  for (const other of system.others(reader)) {
    for (const method of ['GET', 'POST']) viewers.push(await t.watch(other, { video: 'v', method }));
  }
  for (const viewer of viewers) {
    assert.equal(viewer.redirects.length, 1);
    assert.equal(viewer.connected.json.instance, instance);
  }
  const source = new EventSourceViewer(system.others(reader)[0], { video: 'v' });
  t.after(() => source.close());
  await source.opened();
  const { id } = await post(system, 'v', 'hello');
  for (const viewer of viewers) await viewer.reaches(id);
  await source.sees(1);
});

// Another name of a reader: in a manager's static list, or at a proxy.
scenario('a reader reached at the address that it would redirect to serves the viewer instead of redirecting endlessly', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const headers = { host: new URL(reader).host };
  const [other] = system.others(reader);
  const viewers = [await t.watch(other, { video: 'v', headers }), await t.watch(other, { video: 'v', headers, method: 'POST' })];
  assert.equal((await call('HEAD', `${other}/connect?userid=u&videoid=v`, { headers })).status, 200);
  for (const viewer of viewers) {
    assert.equal(viewer.redirects.length, 0);
    assert.equal(viewer.connected.json.instance, `reader-${system.readers.indexOf(other) + 1}`);
  }
  assert.equal((await resolve(system, 'v')).readerUrl, reader, 'the owner stays the owner');
  const { id } = await post(system, 'v', 'hello');
  for (const viewer of viewers) await viewer.reaches(id);
});

scenario('with redirect=never any reader serves any video', async (t) => {
  const system = await t.system();
  const reader = await owner(system, 'v');
  const viewers = [];
  for (const url of system.readers) {
    viewers.push(await t.watch(url, { video: 'v', query: { redirect: 'never' } }));
    viewers.push(await t.watch(url, { video: 'v', query: { redirect: 'never' }, method: 'POST' }));
  }
  for (const [i, viewer] of viewers.entries()) {
    assert.equal(viewer.redirects.length, 0);
    assert.equal(viewer.connected.json.instance, `reader-${Math.floor(i / 2) + 1}`);
  }
  assert.equal((await resolve(system, 'v')).readerUrl, reader, 'the owner stays the owner');
  const { id } = await post(system, 'v', 'for all');
  for (const viewer of viewers) await viewer.reaches(id);
});

scenario('an unregistered video is registered by the reader that is asked for it, and no viewer misses a comment', async (t) => {
  const system = await t.system();
  for (const [i, url] of system.readers.entries()) {
    const viewer = await t.watch(url, { video: `fresh-${i}` });
    const { readerUrl } = await resolve(system, `fresh-${i}`);
    assert.equal(viewer.url.origin, readerUrl);
    const { id } = await post(system, `fresh-${i}`, 'hello');
    await viewer.reaches(id);
    const silent = await t.watch(url, { video: `never-${i}`, query: { redirect: 'never' } });
    await silent.reaches((await post(system, `never-${i}`, 'hello')).id);
  }
});
