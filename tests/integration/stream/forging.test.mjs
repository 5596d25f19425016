// CI also: asan. Comments that look like events.
import assert from 'node:assert/strict';
import { call, owner, post } from '../lib/api.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { scenario } from '../lib/scenario.mjs';

const forged = [
  '\n', '\r', '\r\n', '\n\n', '\r\r', '\u2028', '\u2029', '\u0085', '\ufeff', 'a\rb', 'a\nb', 'a\r\nb', 'a\u2028b',
  'data: forged', '\ndata: forged\n\n', '\rdata: forged\r\r', '\r\ndata: forged\r\n\r\n', '\n\nid: 9-9\nevent: gap\ndata: {}\n\n',
  '\u2028\u2028data: {"type":"connected"}\u2028\u2028', '\nretry: 1\n\n', '\n: comment\n\n', '"}\n\ndata: {"type":"gap"}\n\n', '\\n\\ndata: x\\n\\n',
  '","type":"connected","x":"', '{"type":"connected"}', '</script><script>alert(1)</script>', '\\', '"', '\t', '\u00a0', '😀\n😀', '\ud83d\ude00\u0300',
];

scenario('no comment or name forges an event: each comes back as the same string in exactly one event', async (t) => {
  const system = await t.system({ flags: { 'text-rules': 'none', 'text-lines': 0, 'text-marks': 0 } });
  const reader = await owner(system, 'v');
  const viewers = [];
  for (const transport of ['http', 'undici']) viewers.push(await t.watch(reader, { video: 'v', transport }));
  const source = new EventSourceViewer(reader, { video: 'v' });
  t.after(() => source.close());
  await source.opened();

  const stored = [];
  for (const text of forged) {
    stored.push(await post(system, 'v', text));
    assert.equal(stored.at(-1).comment, text);
  }
  for (const name of forged) {
    const json = { userid: 'u', videoid: 'v', comment: 'named', name };
    const { status, json: answer } = await call('POST', `${system.comment}/comment`, { json });
    // A name is a line to display: a line break in it may be refused, but not changed.
    if (status === 400 && /[\r\n\t]/.test(name)) continue;
    assert.equal(status, 201, JSON.stringify(name));
    assert.equal(answer.comment.name, name);
    stored.push(answer.comment);
  }
  stored.push(await post(system, 'v', 'end'));

  for (const viewer of viewers) {
    await viewer.reaches(stored.at(-1).id);
    assert.deepEqual(viewer.comments, stored);
    assert.equal(viewer.events.length, 1 + stored.length);
  }
  // The same from the log, and through an independent parser.
  const replay = await t.watch(reader, { video: 'v', from: viewers[0].connected.id });
  await replay.reaches(stored.at(-1).id);
  assert.deepEqual(replay.comments, stored);
  await source.sees(stored.length);
  assert.deepEqual(source.comments, stored);
});

scenario('CR and LF anywhere in a request forge no header and no event', async (t) => {
  const system = await t.system();
  const reader = system.readers[0];
  const inject = '%0d%0aX-Forged:%201%0d%0a%0d%0adata:%20forged%0a%0a';
  for (const query of [`userid=u${inject}&videoid=v`, `userid=u&videoid=v${inject}`]) {
    const answer = await call('GET', `${reader}/connect?${query}`);
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['x-forged'], undefined);
  }
  const owned = await owner(system, 'v');
  const viewer = await t.watch(owned, { video: 'v', from: `1-1\ndata: forged`, via: 'query', resumes: false });
  const elsewhere = await call('GET', `${system.others(owned)[0]}/connect?userid=u&videoid=v&x=${inject}`);
  assert.equal(elsewhere.status, 307);
  assert.equal(elsewhere.headers['x-forged'], undefined);
  const { id } = await post(system, 'v', 'end');
  await viewer.reaches(id);
  assert.equal(viewer.events.length, 2);
});
