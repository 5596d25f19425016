// Set-ups: embedded.
// A demo in a terminal ends in its box and one live line; elsewhere it logs what happens.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../lib/api.mjs';
import { demoToken } from '../lib/demo.mjs';
import { Program, binary } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { openTerminal, plain } from '../lib/terminal.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded']; // output does not depend on the engine
const CLEAR = '\r\x1b[K';
const FIGURES = / {2}\d+ viewers {3}[\d.]+ comments\/s {3}[\d.]+ deliveries\/s {3}p99 (?:-|[\d.]+ m?s)$/;
const PORTS = ['manager-port', 'comment-port', 'statistics-port', 'reader-ports'].flatMap((name) => [`--${name}`, '0']);
const demo = (t, ...more) => [binary, 'up', '--demo', '--data', join(t.folder(), 'data'), '--statistics-interval-ms', '200', ...PORTS, ...more];
const RULE = '-'.repeat(70);

// What follows the box, in pieces that each began with clearing the line.
const pieces = (terminal, box = 2) => {
  const after = terminal.output.split(/-{10,}\r?\n/)[box];
  return after?.split(CLEAR).map(plain);
};
const figures = (terminal) => until(() => pieces(terminal)?.find((piece) => FIGURES.test(piece)), () => `figures in ${JSON.stringify(terminal.output)}`, 20_000);

scenario('on a terminal: the box, then one line with figures in place, and no other', { setups }, async (t) => {
  const terminal = openTerminal(t, demo(t));
  await figures(terminal);
  const box = terminal.output.split(RULE)[1];
  const url = (name) => new RegExp(`${name} +(http://127\\.0\\.0\\.1:\\d+)`).exec(box)[1];
  assert.match(box, new RegExp(`Open +${url('comment')} +in two windows`));
  assert.match(box, new RegExp(`Dashboard +${url('statistics')} +what happens; there you can kill a reader`));
  assert.match(box, /--log-level info shows/);
  const [before, ...drawn] = pieces(terminal);
  assert.equal(before, '');
  assert.ok(drawn.length > 1);
  for (const piece of drawn) assert.ok(FIGURES.test(piece) || piece === '  no figures yet', JSON.stringify(piece));

  terminal.press('\x03');
  const output = await terminal.end();
  assert.match(output, /\r\x1b\[K<as before, code 0>/, 'Ctrl-C leaves an empty line');
});

scenario('warnings appear above the line, and only they', { setups, ms: 60_000 }, async (t) => {
  const terminal = openTerminal(t, demo(t, '--demo-restart-ms', '3500'));
  await figures(terminal);
  const statistics = /statistics +(http:\S+)/.exec(terminal.output)[1];
  const token = await demoToken({ statistics });
  const generation = async () => (await call('GET', `${statistics}/dashboard`)).json.readers.find(({ instanceId }) => instanceId === 'reader-2').generation;
  const killed = await generation();
  terminal.clear();
  const { status } = await call('POST', `${statistics}/demo/readers/reader-2/kill`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(status, 202);
  await terminal.shows(/\r\x1b\[Ktime=\S+ level=warn role=demo event=reader_killed reader=reader-2 [^\n]*\n\r\x1b\[K/);
  // Whether a figure shows viewers missing depends on when it is taken.
  await until(async () => await generation() > killed, 'reader-2 to be started again', 30_000);
  const drawn = () => pieces(terminal, 0).filter((piece) => FIGURES.test(piece));
  const before = drawn().length;
  await until(() => drawn().slice(before).some((piece) => piece.includes(' 19 viewers')), 'all viewers to be there', 30_000);
  assert.equal(terminal.output.match(/\n/g).length, 1, `no other line: ${JSON.stringify(terminal.output)}`);
});

scenario('--log-level info shows each comment on its way, also on a terminal', { setups }, async (t) => {
  const terminal = openTerminal(t, demo(t, '--log-level', 'info'));
  await figures(terminal);
  for (const word of ['placement event=assigned', 'manager event=resolved', 'comment event=published', 'reader-\\d event=delivered']) {
    await terminal.shows(new RegExp(`\\r\\x1b\\[Ktime=\\S+ level=info role=${word} [^\\n]*\\n`), 20_000);
  }
  assert.doesNotMatch(terminal.output.split(RULE)[1], /--log-level/);
});

scenario('a log that goes elsewhere is complete, and undisturbed by the line', { setups }, async (t) => {
  const file = join(t.folder(), 'log');
  const terminal = openTerminal(t, ['sh', '-c', `exec "$@" 2> '${file}'`, 'sh', ...demo(t)]);
  await figures(terminal);
  await until(() => / level=info role=reader-\d event=delivered /m.test(readFileSync(file, 'utf8')), 'a comment in the log', 20_000);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /\x1b/);
});

scenario('a narrow terminal, without colours, and one that becomes narrower', { setups }, async (t) => {
  const narrow = openTerminal(t, demo(t), { columns: 30, env: { NO_COLOR: '1' } });
  await until(() => pieces(narrow)?.some((piece) => piece.includes('viewers')), 'figures', 20_000);
  assert.doesNotMatch(narrow.output, /\x1b\[[0-9;]*m/);
  for (const piece of pieces(narrow)) assert.ok(piece.length < 30, JSON.stringify(piece));
  assert.match(narrow.output, /^-{29}\r?\n/m);

  const resized = openTerminal(t, demo(t));
  const line = await figures(resized);
  await resized.resize(25, 24);
  await resized.shows(new RegExp(`\\x1b\\[${Math.floor((line.length - 1) / 25)}A\\r\\x1b\\[J`));
});

scenario('where there is no terminal, or a dumb one, the log shows what happens', { setups }, async (t) => {
  const [file, ...words] = demo(t);
  const program = new Program(words, { file });
  t.after(() => program.kill('SIGTERM'));
  for (const word of ['placement event=assigned', 'manager event=resolved', 'comment event=published', 'reader-\\d event=delivered']) {
    await program.says(new RegExp(`^level=info role=${word} `, 'm'), 20_000);
  }
  assert.doesNotMatch(program.stdout + program.stderr, /\x1b|\r/);
  assert.match(program.stdout, /Open +http:\S+ +in two windows[\s\S]*Dashboard +http:\S+/);
  assert.doesNotMatch(program.stdout, /--log-level/);
  assert.equal(program.stdout.split('\n').at(-2), RULE, 'nothing follows the box');

  const dumb = openTerminal(t, demo(t), { env: { TERM: 'dumb' } });
  await dumb.shows(/ level=info role=reader-\d event=delivered /, 20_000);
  assert.doesNotMatch(dumb.output, /\x1b/);
});
