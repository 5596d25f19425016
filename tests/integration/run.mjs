#!/usr/bin/env node
// Runs the black-box tests: run.mjs [folder or file, from tests/ on...], by default all of integration/ and browser/.
// Environment: CHORUS_BIN the binary; CHORUS_SETUP what to start (lib/system.mjs); CHORUS_SLOW=1 for sanitizer builds;
// JOBS files at once. What a sanitizer reports of any process is a failure of its file. At the end stand the seconds of CPU
// that all of them took, and in the last line `integration: N passed, M failed`; the exit code is 77 if all was skipped.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scaled } from './lib/time.mjs';

const tests = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = process.argv.slice(2).map((path) => resolve(tests, path));
const roots = wanted.length ? wanted : [join(tests, 'integration'), join(tests, 'browser')];
// Tests mostly wait, so two files for each processor keep them busy, up to a point.
const jobs = Number(process.env.JOBS) || Math.min(2 * availableParallelism(), 4);
const FILE_LIMIT_MS = scaled(150_000);

function filesIn(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesIn(join(path, entry.name));
    return entry.name.endsWith('.test.mjs') ? [join(path, entry.name)] : [];
  });
}

// What a killed test leaves behind is in here too.
const folder = mkdtempSync(join(tmpdir(), 'chorus-tests-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

const running = new Set();
// A file and all that it started form a process group, so that nothing stays behind whatever happens.
const killGroup = (child) => {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // already gone
  }
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    running.forEach(killGroup);
    process.exit(1);
  });
}

// A sanitizer that has options writes into the file's own folder: a server's stderr may be lost.
const SANITIZERS = ['ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS'].filter((name) => process.env[name] !== undefined);
const reportTo = (path) => Object.fromEntries(SANITIZERS.map((name) => [name, `${process.env[name]}:log_path=${path}`]));
const reportsIn = (path) => readdirSync(path).filter((name) => name.startsWith('sanitizer.')).map((name) => readFileSync(join(path, name), 'utf8'));

function runFile(file) {
  return new Promise((done) => {
    const started = Date.now();
    const own = mkdtempSync(join(folder, 'file-'));
    const child = spawn(process.execPath, ['--test-reporter=tap', file], {
      detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...reportTo(join(own, 'sanitizer')), TMPDIR: own },
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
      const reports = reportsIn(own);
      result.failed += reports.length;
      output += reports.join('\n');
      if (code === 0 && result.passed + result.failed + result.skipped === 0) result.failed = 1; // a file without a test
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(`${result.failed ? 'FAIL' : 'ok  '} ${seconds.padStart(6)} s  ${relative(tests, file)}${result.skipped ? '  (skipped)' : ''}`);
      if (result.failed) console.log(output.replace(/^/gm, '    '));
      done(result);
    });
  });
}

// Of this process and those that it, or one of them, has waited for: proc(5), utime to cstime, in clock ticks.
function cpuSeconds() {
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /s, '').split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

// A file that says it takes long begins first, so that it is not left alone at the end.
const seconds = (file) => Number(readFileSync(file, 'utf8').match(/^\/\/ Long: (\d+)/m)?.[1] ?? 0);
const queue = roots.flatMap(filesIn).sort((a, b) => seconds(b) - seconds(a) || (a < b ? -1 : 1));
const total = { passed: 0, failed: 0, skipped: 0 };
await Promise.all(Array.from({ length: jobs }, async () => {
  while (queue.length) {
    const result = await runFile(queue.shift());
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
  }
}));
console.log(`${cpuSeconds().toFixed(1)} s of CPU`);
console.log(`integration: ${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : total.passed ? 0 : total.skipped ? 77 : 1;
