// What the clients report about a faulty system, here one small server.
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { startClients } from '../lib/clients.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// Every role at one address. streams: what the first, the second, ... stream sends; each is cut afterwards, but the last
// stays. `asked` lists the streams asked for, `consumed` the comments that the latest report counts.
async function fakeSystem(t, streams, { redirect = false } = {}) {
  const system = { asked: [], consumed: 0 };
  const { asked } = system;
  const server = http.createServer(async (request, response) => {
    const json = (status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    let body = '';
    for await (const piece of request) body += piece;
    if (request.url === '/register') {
      json(200, { readerUrl: url, videoid: JSON.parse(body).videoid });
    } else if (request.url === '/connect' && redirect) {
      response.writeHead(307, { location: `${url}/elsewhere?for=it` }).end();
    } else if (request.url === '/connect' || request.url === '/elsewhere?for=it') {
      asked.push({ method: request.method, body: JSON.parse(body), last: request.headers['last-event-id'], url: request.url });
      const text = streams[asked.length - 1] ?? '';
      response.writeHead(200, { 'content-type': 'text/event-stream' }); // chunked, as the original's are
      for (const piece of text.match(/[^]{1,7}/g) ?? []) response.write(piece);
      if (asked.length < streams.length) response.end();
    } else if (request.url === '/client-statistics') {
      system.consumed = JSON.parse(body).commentsConsumed;
      json(200, {});
    } else {
      json(404, {});
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(system, { manager: url, comment: url, statistics: url });
}

const connected = (id) => `retry: 1\nid: ${id}\ndata: {"type":"connected"}\n\n`;
const comment = (id, more) => `id: ${id}\ndata: {"id":"${id}","comment":"x"${more ? `,"more":${more}` : ''}}\n\n`;
const onlyMore = (id, more) => `event: more\nid: ${id}\ndata: {"type":"more","id":"${id}","more":${more}}\n\n`;
const gap = (id, missed) => `event: gap\nid: ${id}\ndata: {"type":"gap","missed":${missed}}\n\n`;

const cases = {
  'all in order': { streams: [connected('7-4') + comment('7-5') + comment('7-6')], deliveries: 2 },
  'a hole': { streams: [connected('7-4') + comment('7-5') + comment('7-9')], deliveries: 2, lost: 3 },
  'what is left out for a readable rate': { streams: [connected('7-4') + comment('7-8', 3) + onlyMore('7-11', 2) + comment('7-12')], deliveries: 2, left_out: 5 },
  'more that is missing than is said to be left out': { streams: [connected('7-4') + comment('7-9', 3)], deliveries: 1, lost: 1, left_out: 3 },
  'a new epoch whose beginning is left out': { streams: [connected('7-4') + comment('9-3', 2)], deliveries: 1, left_out: 2 },
  'a comment twice': { streams: [connected('7-4') + comment('7-5') + comment('7-5')], deliveries: 2, duplicated: 1 },
  'two the wrong way round': { streams: [connected('7-4') + comment('7-6') + comment('7-5')], deliveries: 2, out_of_order: 1 },
  'a hole while away': { streams: [connected('7-4') + comment('7-5'), connected('7-7') + comment('7-8')], deliveries: 2, lost: 2 },
  'one seen before the cut again': { streams: [connected('7-4') + comment('7-5'), connected('7-4') + comment('7-5')], deliveries: 2, duplicated: 1 },
  'a gap that is announced': { streams: [connected('7-4') + gap('7-8', 4) + comment('7-9')], deliveries: 1, gaps: 1, missed: 4 },
  'a new epoch': { streams: [connected('7-4') + comment('9-1')], deliveries: 1 },
  'a new epoch without its beginning': { streams: [connected('7-4') + comment('9-2')], deliveries: 1, lost: 1 },
  'a cut within an event': { streams: [`${connected('7-4')}id: 7-5\ndata: {"id`, connected('7-4') + comment('7-5')], deliveries: 1 },
  'events of a system without numbers': { streams: ['data: {"type":"connected"}\n\ndata: {"comment":"x"}\n\n'], deliveries: 1 },
};

for (const [name, { streams, deliveries, lost = 0, duplicated = 0, out_of_order: late = 0, gaps = 0, missed = 0, left_out: leftOut = 0 }] of Object.entries(cases)) {
  scenario(`the verdict on ${name}`, async (t) => {
    const system = await fakeSystem(t, streams);
    const clients = startClients(t, system, { viewers: 1, rate: 0, 'statistics-interval-ms': 50 });
    await clients.until(() => system.consumed === deliveries, () => `${deliveries} comments taken, not ${system.consumed}`);
    const { code, figures } = await clients.stop();
    assert.deepEqual(
      [figures.deliveries, figures.lost, figures.duplicated, figures.out_of_order, figures.gaps, figures.missed, figures.left_out],
      [deliveries, lost, duplicated, late, gaps, missed, leftOut],
    );
    assert.equal(code, lost || duplicated || late ? 1 : 0);
    assert.equal(figures.cuts, streams.length - 1);
  });
}

scenario('it follows a redirect, and says after a cut what it has seen', async (t) => {
  const system = await fakeSystem(t, [connected('7-4') + comment('7-5'), ''], { redirect: true });
  const clients = startClients(t, system, { viewers: 1, rate: 0 });
  await until(() => system.asked.length === 2, 'the second stream');
  assert.deepEqual(system.asked.map(({ url, method, last }) => [url, method, last]), [
    ['/elsewhere?for=it', 'POST', undefined], ['/elsewhere?for=it', 'POST', '7-5'],
  ]);
  assert.deepEqual(system.asked[0].body, { userid: 'user1', videoid: 'video1' });
  assert.equal((await clients.stop()).code, 0);
});

scenario('it says why a comment was not accepted', async (t) => {
  const clients = startClients(t, await fakeSystem(t, [connected('7-4')]), { viewers: 1, rate: 20 });
  await clients.until(() => /^level=warn role=clients event=post_failed client=1 status=404 error=""$/m.test(clients.program.stderr), 'a line about it');
  const { figures } = await clients.stop();
  assert.equal(figures.comments, 0);
  assert.ok(figures.failed > 0);
});
