#!/usr/bin/env node
// Counts test cases in what ctest wrote (--output-junit): count.mjs NAME... reads NAME.xml, or fails with NAME.log if there
// is none. Prints a line for each, of each test that failed what it printed, and last `N passed, M failed`.
// A test that fails without naming a failed case, that crashed or hung or could not be built, is one failure; one that
// passes and names no cases is one case.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const LINES = 150; // of a failed test's output: the log alone must tell what it was
const entities = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' };
const unescape = (text) => text.replace(/&\w+;/g, (name) => entities[name] ?? name);

// Our own scripts end with `N passed, M failed`; cmocka speaks TAP, and ends with a verdict on the group.
function casesOf(output) {
  const sum = [...output.matchAll(/^(?:[\w-]+: )?(\d+) passed, (\d+) failed$/gm)].at(-1);
  if (sum) return { passed: Number(sum[1]), failed: Number(sum[2]) };
  const number = (pattern) => [...output.matchAll(pattern)].length;
  const planned = [...output.matchAll(/^\s*1\.\.(\d+)$/gm)].reduce((all, [, count]) => all + Number(count), 0);
  const skipped = number(/^\s*(not )?ok \d+.*# SKIP/gm);
  const finished = /^# ok - /m.test(output);
  return {
    planned: finished ? planned - skipped : 0, broken: planned > 0 && !finished,
    passed: number(/^\s*ok \d+(?!.*# SKIP)/gm), failed: number(/^\s*not ok \d+(?!.*# SKIP)/gm),
  };
}

function count({ status, skipped, output }) {
  if (skipped) return { passed: 0, failed: 0 };
  const { planned, broken, passed, failed } = casesOf(output);
  if (status !== 'run' || broken) return { passed, failed: Math.max(failed, 1) };
  return { passed: planned || passed || (failed ? 0 : 1), failed };
}

function* testsOf(path) {
  const one = /<testcase name="([^"]*)"[^>]* time="([^"]*)" status="([^"]*)">(.*?)<\/testcase>/gs;
  if (!existsSync(`${path}.xml`)) {
    yield { name: basename(path), seconds: 0, status: 'fail', why: 'no result', output: readFileSync(`${path}.log`, 'utf8') };
    return;
  }
  for (const [, name, time, status, inside] of readFileSync(`${path}.xml`, 'utf8').matchAll(one)) {
    const output = unescape(inside.match(/<system-out>(.*?)<\/system-out>/s)?.[1] ?? '');
    const why = inside.match(/<(?:failure|error|skipped) message="([^"]*)"/)?.[1] ?? '';
    yield { name: unescape(name), seconds: Number(time), status, skipped: why.startsWith('SKIP_'), why: unescape(why), output };
  }
}

const total = { passed: 0, failed: 0 };
for (const path of process.argv.slice(2)) {
  const own = { passed: 0, failed: 0 };
  const failures = [];
  for (const test of testsOf(path)) {
    const { passed, failed } = count(test);
    own.passed += passed;
    own.failed += failed;
    if (failed) failures.push(test);
  }
  console.log(`${basename(path).padEnd(12)} ${own.passed} passed, ${own.failed} failed`);
  for (const { name, seconds, why, output } of failures) {
    console.log(`  FAILED ${name} after ${seconds.toFixed(1)} s: ${why}`);
    const lines = output.split('\n').filter((line) => line && !/^\s*ok \d/.test(line));
    if (lines.length > LINES) console.log(`    | ... the last ${LINES} of ${lines.length} lines:`);
    console.log(lines.slice(-LINES).map((line) => `    | ${line}`).join('\n'));
  }
  total.passed += own.passed;
  total.failed += own.failed;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed || !total.passed ? 1 : 0;
