// A server of event streams that does what a test tells it to, to test the checks of `chorus bench`.
import { once } from 'node:events';
import { createServer } from 'node:http';

// An HTTP server for as long as the test lasts. Returns its address.
export async function serve(t, onRequest) {
  const server = createServer(onRequest).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return `http://127.0.0.1:${server.address().port}`;
}

export async function bodyOf(request) {
  let body = '';
  for await (const piece of request) body += piece;
  return body;
}

export function openStream(response, viewer) {
  response.viewer = viewer;
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  return response;
}

// send(streams, event, n): what it does with the n-th post, from 1, before it answers. A stream knows its viewer's number
// as .viewer.
// refuse: {stream(viewer), post(n)} return [status, text] for what is to be refused. Returns the bench's flags for it.
export async function serveStreams(t, send, refuse = {}) {
  const streams = [];
  let posts = 0;
  const base = await serve(t, async (request, response) => {
    if (request.url.startsWith('/sub/')) {
      const viewer = Number(request.url.split('/').at(-1));
      const refusal = refuse.stream?.(viewer);
      if (refusal) return response.writeHead(refusal[0]).end(refusal[1]);
      return streams.push(openStream(response, viewer));
    }
    const body = await bodyOf(request);
    posts++;
    const refusal = refuse.post?.(posts);
    if (refusal) return response.writeHead(refusal[0]).end(refusal[1]);
    await send(streams, `data: ${body}\n\n`, posts);
    return response.writeHead(202).end();
  });
  return { subscribe: `${base}/sub/{video}/{viewer}`, publish: `POST ${base}/pub/{video} {body}` };
}

export const toAll = (streams, event) => streams.forEach((stream) => stream.write(event));
