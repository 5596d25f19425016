#!/usr/bin/env node
// Counts test cases in what ctest wrote (--output-junit): count.mjs NAME... reads NAME.xml, or fails with NAME.log if there
// is none. Prints a line for each, of each test that failed what it printed, and last `N passed, M failed`.
// With --costliest before them, prints instead which tests took the most of the CPU.
// A test that fails without naming a failed case, that crashed or hung or could not be built, is one failure; one that
// passes and names no cases is one case.
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const COSTLIEST = 10;
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

const sum = () => ({ passed: 0, failed: 0, seconds: 0 });
function add(to, { passed, failed, seconds }) {
  to.passed += passed;
  to.failed += failed;
  to.seconds += seconds;
}
const line = (indent, name, { passed, failed, seconds }) =>
  `${(indent + name).padEnd(16)}${String(passed).padStart(6)} passed, ${failed} failed ${seconds.toFixed(0).padStart(6)} s of tests`;

function show({ name, seconds, why, output }) {
  console.log(`  FAILED ${name} after ${seconds.toFixed(1)} s: ${why}`);
  const lines = output.split('\n').filter((text) => text && !/^\s*ok \d/.test(text));
  if (lines.length > LINES) console.log(`    | ... the last ${LINES} of ${lines.length} lines:`);
  console.log(lines.slice(-LINES).map((text) => `    | ${text}`).join('\n'));
}

// The seconds of CPU that a test says it took; else all of its time, of which a unit test waits for little.
const cpuOf = ({ seconds, output }) => Number([...output.matchAll(/^(\d+\.\d) s of CPU$/gm)].at(-1)?.[1] ?? seconds);

function showCostliest(tests) {
  const costs = tests.map((test) => ({ ...test, cpu: cpuOf(test) })).sort((a, b) => b.cpu - a.cpu);
  console.log('The costliest tests, in seconds of CPU:');
  for (const { name, cpu, seconds } of costs.slice(0, COSTLIEST)) console.log(`${cpu.toFixed(1).padStart(7)} of ${seconds.toFixed(1).padStart(6)} s  ${name}`);
}

if (process.argv[2] === '--costliest') {
  process.argv.slice(3).forEach((path) => showCostliest([...testsOf(path)]));
  process.exit();
}

const total = sum();
for (const path of process.argv.slice(2)) {
  const own = sum();
  const kinds = new Map(); // by the first word of their names
  const failures = [];
  for (const test of testsOf(path)) {
    const counted = { ...count(test), seconds: test.seconds };
    const [kind] = test.name.split('/');
    if (!kinds.has(kind)) kinds.set(kind, sum());
    add(kinds.get(kind), counted);
    add(own, counted);
    if (counted.failed) failures.push(test);
  }
  console.log(line('', basename(path), own));
  for (const [kind, counted] of kinds.size > 1 ? kinds : []) console.log(line('  ', kind, counted));
  failures.forEach(show);
  add(total, own);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed || !total.passed ? 1 : 0;
