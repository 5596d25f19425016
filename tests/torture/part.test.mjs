// A part ends when it is killed, whatever it has forked.
import assert from 'node:assert/strict';
import test from 'node:test';
import { until, within } from '../integration/lib/time.mjs';
import { Part } from './part.mjs';

const alive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

// As the child of a Redis that sends its data to a replica.
test('the end of a process is noticed, and its children end with it', async (t) => {
  const part = new Part('redis-a', { address: '127.0.0.1', port: 1, file: 'sh', forks: true, args: () => ['-c', 'sleep 15 & echo "$!"; wait'] });
  t.after(() => void part.close());
  part.start();
  const child = Number(await until(() => part.program.stdout, 'its child'));
  await within(part.kill(), 5_000, 'its end');
  await until(() => !alive(child), 'the end of its child');
  part.start();
  assert.ok(part.running);
});
