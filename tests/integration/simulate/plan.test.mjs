// Set-ups: embedded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';

const large = ['simulate', '--plan', '--videos', '90000', '--viewers', '2000000', '--comment-rate', '1000', '--distribution', 'zipf:1'];

scenario('simulate --plan: text and JSON say the same, and where their figures come from', { setups: ['embedded'] }, async () => {
  const [text, json] = await Promise.all([large, [...large, '--json']].map((args) => run(args)));
  assert.equal(text.code, 0, text.stderr);
  const { load, plan, figures, notMeasured, machine } = JSON.parse(json.stdout);
  const row = (name) => text.stdout.match(new RegExp(`^  ${name} +([\\d,.]+)`, 'm'))[1].replaceAll(',', '');
  assert.deepEqual(['readers', 'comment APIs', 'managers', 'Redis'].map((name) => Number(row(name))), [plan.readers, plan.commentApis, plan.managers, plan.redisPrimaries]);
  assert.equal(row('sending them'), load.sendingCores.toFixed(2));
  assert.equal(row('deliveries a second'), load.deliveriesPerSecond.toFixed(0));
  assert.equal(plan.setup, 'one-redis');
  assert.equal(plan.readersForSending, Math.ceil((load.sendingCores + load.heartbeatCores) / (machine.cores * machine.plannedWith)));
  assert.ok(load.largestVideo.readers > 1);
  const headings = readFileSync(new URL('../../../docs/benchmarks.md', import.meta.url), 'utf8').match(/^#+ .*$/gm).join('\n');
  for (const { section, date } of figures) {
    assert.ok(text.stdout.includes(`(${section}, ${date})`), section);
    for (const heading of section.split('; ')) assert.ok(headings.includes(`# ${heading}`), heading);
  }
  for (const each of notMeasured) assert.ok(text.stdout.includes(each));
});

scenario('and refuses options that would have no effect', { setups: ['embedded'] }, async () => {
  for (const [flags, says] of [
    [['--plan', '--readers', '3'], /--readers is for a simulation; --plan says how many readers it takes/],
    [['--plan', '--html', 'page.html'], /--html is for a simulation/],
    [['--plan', '--distribution', 'normal'], /--distribution is "normal"/],
    [['--plan', '--comment-rate', '-1'], /--comment-rate/],
    [['--redis-rate', '5'], /--redis-rate is for --plan/],
  ]) {
    const { code, stdout, stderr } = await run(['simulate', ...flags]);
    assert.equal(code, 2, flags.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, says);
  }
  const { code, stderr } = await run(['simulate', '--plan'], { output: '/dev/full' });
  assert.equal(code, 1);
  assert.match(stderr, /could not be written/);
});
