// A small server that imitates a Chorus with one video and numbers and sends its comments as a test tells it to.
import { bodyOf, openStream, serve } from './fake-streams.mjs';

const START = '1000-100'; // where the streams begin
const next = (n) => `1000-${100 + n}`;

const eventAt = (id, fields) => `id: ${id}\ndata: ${JSON.stringify(fields)}\n\n`;

// What a slow viewer gets instead of `missed` comments, up to `to`.
export const gap = (to, missed) => `event: gap\n${eventAt(to, { type: 'gap', from: START, to, missed, reason: 'slow' })}`;

// send(streams, event, n): what it does with the n-th comment, from 1. A stream knows its viewer's number as .viewer.
// position(n): the number of the n-th comment. Returns the bench's flags for it.
export async function serveChorus(t, send, position = next) {
  const streams = [];
  let comments = 0;

  function connect(url, response) {
    streams.push(openStream(response, Number(url.searchParams.get('userid').split('-').at(-1))));
    response.write(eventAt(START, { type: 'connected' }));
  }

  function take(body, response) {
    const n = ++comments;
    const comment = { id: position(n), ...JSON.parse(body), timestamp: Date.now() };
    send(streams, eventAt(comment.id, comment), n);
    response.writeHead(201).end(JSON.stringify({ success: true, comment }));
  }

  const base = await serve(t, async (request, response) => {
    const url = new URL(request.url, base);
    if (url.pathname === '/connect') connect(url, response);
    else if (url.pathname === '/register') response.end(JSON.stringify({ ...JSON.parse(await bodyOf(request)), readerUrl: base }));
    else if (url.pathname === '/comment') take(await bodyOf(request), response);
    else response.writeHead(404).end();
  });
  return { 'manager-url': base, 'comment-url': base };
}
