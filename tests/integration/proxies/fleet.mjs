// A fleet behind a proxy: three readers, two comment APIs, and the address of all.
import { prepareProxy } from '../lib/proxies.mjs';
import { startLoad } from '../lib/load.mjs';

// flagsOf(proxy, number): what a reader is started with.
export async function startFleet(t, kind, recipe, flagsOf) {
  const proxy = await prepareProxy(t, kind, recipe);
  const readerFlags = (name) => name.startsWith('reader') && flagsOf(proxy, name.split('-')[1]);
  const system = await t.system({ comments: 2, stable: true, ownFlags: readerFlags });
  await proxy.start(Object.fromEntries([
    ...system.comments.map((url, i) => [`10.0.0.1${i + 1}:3000`, url]),
    ...system.readers.map((url, i) => [`10.0.0.2${i + 1}:4001`, url]),
  ]));
  const through = { comment: proxy.url, dispatcher: proxy.dispatcher };
  return { proxy, system, through };
}

// Whether a response has come, and with which status.
export async function connectOnce(proxy, base, transport) {
  const url = new URL(`${base}/connect?userid=u&videoid=v`);
  let answer;
  for (let hops = 0; hops < 3; hops++) {
    answer = await transport(url, { method: 'GET', headers: {} }).catch(() => ({ status: 'closed' }));
    if (answer.status !== 307) break;
    url.href = answer.headers.location;
  }
  answer.body?.on('error', () => {}).destroy();
  return answer.status;
}

// Posters and viewers that go through the proxy. The transport notes each status that is no stream and no redirect: after one,
// an EventSource would not come back.
export function startThrough(t, { proxy, system }, { readers = [proxy.url], connect, ...options }) {
  const fatal = [];
  const noting = (transport) => async (url, request) => {
    const answer = await transport(url, request);
    if (answer.status !== 200 && answer.status !== 307) fatal.push(answer.status);
    return answer;
  };
  const transports = [proxy.http1(), proxy.http2()].map(noting);
  const facade = { comment: proxy.url, comments: [], readers, manager: system.manager };
  const load = startLoad(t, facade, {
    connect: proxy.connector, everywhere: true, viewer: (number) => ({ transport: transports[number % 2], mayEnd: proxy.completes }), ...options,
  });
  return load.then((started) => Object.assign(started, { fatal }));
}
