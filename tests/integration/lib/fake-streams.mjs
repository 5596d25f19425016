// A server of event streams that does what a test tells it, to judge the judge of streams.
import { once } from 'node:events';
import { createServer } from 'node:http';

// send(streams, event, n): what it does with the n-th post, from 1. A stream knows its viewer's number as .viewer.
// refuse: {stream(viewer), post(n)} give [status, text] for what is not to be taken. Returns the bench's flags for it.
export async function serveStreams(t, send, refuse = {}) {
  const streams = [];
  let posts = 0;
  const server = createServer(async (request, response) => {
    if (request.url.startsWith('/sub/')) {
      response.viewer = Number(request.url.split('/').at(-1));
      const refusal = refuse.stream?.(response.viewer);
      if (refusal) return response.writeHead(refusal[0]).end(refusal[1]);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      return streams.push(response);
    }
    let body = '';
    for await (const piece of request) body += piece;
    posts++;
    const refusal = refuse.post?.(posts);
    if (refusal) return response.writeHead(refusal[0]).end(refusal[1]);
    send(streams, `data: ${body}\n\n`, posts);
    return response.writeHead(202).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  const base = `http://127.0.0.1:${server.address().port}`;
  return { subscribe: `${base}/sub/{video}/{viewer}`, publish: `POST ${base}/pub/{video} {body}` };
}

export const toAll = (streams, event) => streams.forEach((stream) => stream.write(event));
