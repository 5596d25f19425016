#!/usr/bin/env node
// Runs the black-box tests: run.mjs [folder or file, from tests/ on...], by default all of integration/ and browser/.
// Environment: CHORUS_BIN the binary; CHORUS_SETUP what to start (lib/system.mjs); CHORUS_SLOW=1 for sanitizer builds;
// JOBS files at once. The last line is `integration: N passed, M failed` (or another label, from LABEL).
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scaled } from './lib/time.mjs';

const tests = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = process.argv.slice(2).map((path) => resolve(tests, path));
const roots = wanted.length ? wanted : [join(tests, 'integration'), join(tests, 'browser')];
// Each test mostly waits, so two files for each processor keep them busy, up to a point.
const jobs = Number(process.env.JOBS) || Math.min(2 * availableParallelism(), 4);
const FILE_LIMIT_MS = scaled(150_000);
// Those that take longest, so that none of them is left alone at the end.
const LONG = ['crash.test.mjs', 'away.test.mjs', 'fleet.test.mjs', 'silent-instance.test.mjs', 'nine-thousand.test.mjs', 'failures.test.mjs'];

function filesIn(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(join(path, entry.name));
    return entry.name.endsWith('.test.mjs') ? [join(path, entry.name)] : [];
  });
}

// What a test that had to be killed leaves behind lies in here too.
const folder = mkdtempSync(join(tmpdir(), 'chorus-tests-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

const running = new Set();
// A file and all that it started form a process group, so that nothing stays behind whatever happens.
const killGroup = (child) => {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // gone already
  }
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    running.forEach(killGroup);
    process.exit(1);
  });
}

function runFile(file) {
  return new Promise((done) => {
    const started = Date.now();
    const child = spawn(process.execPath, ['--test-reporter=tap', file], {
      detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: folder },
    });
    running.add(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    const timer = setTimeout(() => {
      output += `\nstopped after ${FILE_LIMIT_MS} ms\n`;
      killGroup(child);
    }, FILE_LIMIT_MS);
    child.once('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      killGroup(child);
      const count = (word) => Number(output.match(new RegExp(`^# ${word} (\\d+)$`, 'm'))?.[1] ?? 0);
      const result = { passed: count('pass'), failed: count('fail') + count('cancelled'), skipped: count('skipped') };
      if (code !== 0 && result.failed === 0) result.failed = 1;
      if (code === 0 && result.passed + result.failed + result.skipped === 0) result.failed = 1; // a file without a test
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(`${result.failed ? 'FAIL' : 'ok  '} ${seconds.padStart(6)} s  ${relative(tests, file)}${result.skipped ? '  (skipped)' : ''}`);
      if (result.failed) console.log(output.replace(/^/gm, '    '));
      done(result);
    });
  });
}

const rank = (file) => LONG.findIndex((name) => file.endsWith(name)) >>> 0;
const queue = roots.flatMap(filesIn).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
const total = { passed: 0, failed: 0 };
await Promise.all(Array.from({ length: jobs }, async () => {
  while (queue.length) {
    const result = await runFile(queue.shift());
    total.passed += result.passed;
    total.failed += result.failed;
  }
}));
console.log(`${process.env.LABEL ?? 'integration'}: ${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed || total.passed === 0 ? 1 : 0;
