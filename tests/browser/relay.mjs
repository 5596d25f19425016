// A proxy in front of a system's comment API and readers, which can fail in between: on(path, how) says what becomes of the
// next request to that path.
import http from 'node:http';
import { once } from 'node:events';

export async function startRelay(t, system) {
  const next = new Map(), seen = [], upstreams = new Set(), targets = [system.comment, ...system.readers];
  const server = http.createServer(async (request, response) => {
    const [, number, path] = request.url.match(/^\/(\d+)(\/.*)$/) ?? [null, 0, request.url];
    const name = path.split('?')[0], how = next.get(name) ?? {};
    seen.push({ method: request.method, path: name, key: request.headers['idempotency-key'], url: path });
    if (request.method !== 'OPTIONS') next.delete(name);
    if (how.status && request.method !== 'OPTIONS') return response.writeHead(how.status, { 'access-control-allow-origin': '*', 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
    const { host, ...headers } = request.headers;
    const upstream = http.request(targets[number] + path, { method: request.method, headers, agent: false });
    upstreams.add(upstream);
    request.pipe(upstream).on('error', () => response.destroy());
    const [answer] = await once(upstream, 'response').catch(() => [response.destroy()]);
    if (!answer) return;
    if (how.lose) return response.destroy(); // done, but the answer never comes
    if (how.delay) await new Promise((resolve) => setTimeout(resolve, how.delay));
    answer.on('error', () => response.destroy());
    if (name !== '/register') return answer.pipe(response.writeHead(answer.statusCode, answer.headers));
    let body = '';
    for await (const piece of answer) body += piece;
    // The readers are behind it too.
    const text = targets.reduce((sum, url, i) => (i ? sum.replaceAll(url, `${relay.url}/${i}`) : sum), body);
    return response.writeHead(answer.statusCode, { ...answer.headers, 'content-length': Buffer.byteLength(text) }).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const relay = {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    on: (path, how) => next.set(path, how),
    cut: () => upstreams.forEach((upstream) => upstream.destroy()),
  };
  return relay;
}
