// What strangers do to a server, in a process of its own: each attack is what one connection does, and as many connections do it
// at once as there are slots; one that the server closes is replaced. Started by attacks.mjs.
import net from 'node:net';
import os from 'node:os';
import { networks } from './networks.mjs';

const { attack, ports, slots, addresses, network, resume, againMs, nice } = JSON.parse(process.argv[2]);
if (nice) os.setPriority(nice);
const counts = { opened: 0, closed: 0, bytes: 0 };

const random = () => Math.floor(Math.random() * 2 ** 32).toString(36);
const json = (path, body) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const comment = (userid, videoid) => json('/comment', JSON.stringify({ userid, videoid, comment: 'spam' }));
const get = (path, headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
const nested = (size) => `{"userid":"a","videoid":"a","comment":"a","x":${'['.repeat(size / 2)}${']'.repeat(size / 2)}}`;
const every = (socket, ms, action) => {
  const timer = setInterval(action, ms);
  socket.once('close', () => clearInterval(timer));
  action();
};
// Sends another one as soon as the one before is answered.
const repeat = (socket, make) => {
  socket.on('data', () => socket.write(make()));
  socket.write(make());
};

const attacks = {
  'half-sent heads': { at: ports.all, begin: (socket) => {
    socket.write('POST /comment HTTP/1.1\r\nHost: a\r\nX-');
    every(socket, 1_000, () => socket.write('x'));
  } },
  'half-sent bodies': { at: ports.comment, begin: (socket) => socket.write(json('/comment', ' '.repeat(16_000)).slice(0, -100)) },
  'idle connections': { at: ports.all, begin: () => {} },
  '256 KB of nested JSON': { at: ports.comment, begin: (socket, i) => repeat(socket, () => json('/comment', nested(i % 2 ? 262_144 : 16_000))) },
  'invented videos': { at: ports.comment, begin: (socket, i) =>
    (i % 2 ? repeat(socket, () => comment('a', random())) : socket.write(get(`/connect?userid=a&videoid=${random()}&redirect=never`))) },
  'rotating user ids': { at: ports.comment, begin: (socket) => repeat(socket, () => comment(random(), 'spam')) },
  'resumes that never read': { at: ports.readers, begin: (socket) => {
    socket.pause();
    socket.write(get('/connect?userid=a&videoid=honest&redirect=never', `Last-Event-ID: ${resume}\r\n`));
  } },
  'unread answers': { at: ports.comment, begin: (socket) => {
    socket.pause();
    socket.write(get('/videos/honest/comments?limit=200').repeat(20));
  } },
  'descriptors eaten': { at: ports.all, begin: (socket, i) => {
    if (i % 3 === 0) socket.write(get('/health'));
    if (i % 3 === 1) socket.write(get('/connect?userid=a&videoid=honest&redirect=never', `Last-Event-ID: ${resume}\r\n`));
    socket.pause();
  } },
};

const { server, [addresses]: address } = networks[network];

function open(i) {
  const { at, begin } = attacks[attack];
  const socket = net.connect({ host: server, port: at[i % at.length], localAddress: address() });
  socket.on('connect', () => {
    counts.opened++;
    begin(socket, i);
  });
  socket.on('data', (bytes) => (counts.bytes += bytes.length));
  socket.on('error', () => {});
  socket.on('close', () => {
    counts.closed++;
    setTimeout(open, againMs, i);
  });
}
for (let i = 0; i < slots; i++) open(i);
setInterval(() => process.send(counts), 50);
process.on('disconnect', () => process.exit());
