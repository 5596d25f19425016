// The table of bench/retract: retract.mjs COMMENT-API READER VIEWERS ROUNDS; with a fifth word, the sockets of one part of the viewers.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const EACH = 2_500; // viewers of a process
const BATCH = 100;
const now = () => performance.timeOrigin + performance.now();
const [api, reader, viewers, rounds, part] = process.argv.slice(2);

// Reports when its viewers got each deletion: {id: [ms]}.
async function hold(count) {
  const { hostname, port } = new URL(reader), got = new Map();
  let open = 0;
  const take = (viewer, text) => {
    if (!viewer.open && text.includes('"type":"connected"')) {
      viewer.open = true;
      if (++open === count) process.send('open');
    }
    for (const [, id] of text.matchAll(/"type":"retract","id":"[^"]*","target":"([^"]*)"/g)) {
      const times = got.get(id) ?? got.set(id, []).get(id);
      if (times.push(now()) === count) process.send({ id, times });
    }
  };
  const join = () => new Promise((resolve, reject) => {
    const viewer = net.connect(port, hostname);
    viewer.setEncoding('latin1');
    viewer.once('error', reject);
    viewer.on('data', (text) => {
      take(viewer, text);
      resolve();
    });
    viewer.write(`GET /connect?userid=u&videoid=v HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  });
  for (let left = count; left > 0; left -= BATCH) await Promise.all(Array.from({ length: Math.min(BATCH, left) }, join));
}

const send = async (method, path, json) => {
  const response = await fetch(`${api}${path}`, { method, headers: json && { 'content-type': 'application/json' }, body: json && JSON.stringify(json) });
  if (!response.ok) throw new Error(await response.text());
  return response.status === 204 ? undefined : response.json();
};
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);

if (part) {
  await hold(Number(part));
} else {
  const counts = Array.from({ length: Math.ceil(viewers / EACH) }, (_, i) => Math.min(EACH, viewers - i * EACH));
  const parts = counts.map((count) => fork(fileURLToPath(import.meta.url), [api, reader, viewers, rounds, String(count)]));
  await Promise.all(parts.map((each) => once(each, 'message')));
  const all = [];
  for (let round = 0; round < rounds; round++) {
    const { comment: { id } } = await send('POST', '/comment', { userid: 'u', videoid: 'v', comment: `comment ${round}` });
    const answers = parts.map((each) => once(each, 'message'));
    const began = now();
    await send('DELETE', `/videos/v/comments/${id}`);
    const answered = now() - began;
    const delays = (await Promise.all(answers)).flatMap(([{ times }]) => times.map((time) => time - began)).sort((a, b) => a - b);
    all.push(...delays);
    console.error(`${round}: answered after ${answered.toFixed(0)} ms, p50 ${at(delays, 0.5)}, p99 ${at(delays, 0.99)}, last ${delays.at(-1).toFixed(0)}`);
  }
  all.sort((a, b) => a - b);
  console.log(`| viewers | deletions | p50, ms | p99, ms | the last, ms |\n| --- | --- | --- | --- | --- |`);
  console.log(`| ${viewers} | ${rounds} | ${at(all, 0.5)} | ${at(all, 0.99)} | ${all.at(-1).toFixed(0)} |`);
  for (const each of parts) each.kill();
}
