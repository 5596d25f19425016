// A disk without a single free block: a small file system of its own, visible only to the server.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { call, health, post } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { Program, binary } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const root = process.getuid() === 0;
const inNamespace = (folder, ...command) => [
  root ? '-m' : '-rm', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs -o size=4m none "$0" && exec "$@"', folder, ...command,
];
const allowed = spawnSync('unshare', inNamespace('/mnt', 'true')).status === 0;

// The free space is filled, down to the last byte.
function fillUp(folder) {
  const fd = openSync(join(folder, 'filler'), 'w');
  try {
    for (let size = 1 << 16; size; ) {
      try {
        writeSync(fd, Buffer.alloc(size));
      } catch (error) {
        assert.equal(error.code, 'ENOSPC');
        size >>= 1;
      }
    }
  } finally {
    closeSync(fd);
  }
}

const skip = !allowed && 'no file system can be mounted here';
scenario('a disk without a free block: leases hold, comments are refused, and it recovers', { disk: true, setups: ['embedded'], skip }, async (t) => {
  const folder = t.folder();
  const ports = ['--manager-port', '0', '--comment-port', '0', '--statistics-port', '0', '--reader-ports', '0', '--statistics-interval-ms', '200'];
  const program = new Program(inNamespace(folder, binary, 'up', '--data', folder, ...ports), { file: 'unshare' });
  t.after(() => program.kill('SIGKILL'));
  const url = async (name) => (await until(() => program.stdout.match(new RegExp(`^ *${name} +(http:\\S+)`, 'm')), () => `the address of ${name}: ${program.stderr}`))[1];
  const [comment, manager, reader] = [await url('comment'), await url('manager'), await url('reader-1')];
  const viewer = await t.watch(reader, { video: 'v', query: { redirect: 'never' } });
  await viewer.reaches((await post({ comment }, 'v', 'before')).id);

  const inside = `/proc/${program.pid}/root${folder}`;
  fillUp(inside);
  const send = () => call('POST', `${comment}/comment`, { json: { userid: 'u', videoid: 'v', comment: 'x'.repeat(1900) } });
  await until(async () => (await send()).status === 503, 'the disk to be full');
  // Longer than a lease lasts without being renewed.
  const renewed = Date.now() + 4_000;
  await until(async () => {
    checkError(await send(), 503);
    assert.equal((await health(manager)).availableReaderApis, 3);
    return Date.now() > renewed;
  }, 'leases to be renewed', 20_000);
  assert.doesNotMatch(program.stderr, /lease_lapsed|lease_lost|reader_gone|reader_went/);
  assert.equal(program.stderr.match(/role=engine event=unavailable/g).length, 1, program.stderr);
  assert.equal(viewer.ended, false);

  rmSync(join(inside, 'filler'));
  const { json } = await until(async () => {
    const answer = await send();
    return answer.status === 201 && answer;
  }, 'comments to be taken again', 15_000);
  await viewer.reaches(json.comment.id);
});
