// `chorus doctor` and what it found.
import assert from 'node:assert/strict';
import { run } from './process.mjs';

// Whatever else is wrong with the machine of the tests, the code is that of the worst finding.
const codes = { ok: 0, unknown: 0, warning: 1, fault: 3 };

// Returns {worst, findings, of(check) -> "level: what was found" of each finding}.
export async function doctor(args = [], options = {}) {
  const { code, stdout, stderr } = await run(['doctor', '--json', ...args], options);
  assert.match(stdout, /^\{.*\}\n$/, stderr);
  const report = JSON.parse(stdout);
  assert.equal(code, codes[report.worst]);
  for (const { level, remedy } of report.findings) assert.equal(remedy === undefined, level === 'ok');
  return { ...report, of: (check) => report.findings.filter((each) => each.check === check).map(({ level, found }) => `${level}: ${found}`) };
}

// The one answer to a point.
export async function finding(check, args, options) {
  const [answer, ...more] = (await doctor(args, options)).of(check);
  assert.equal(more.length, 0);
  return answer;
}
