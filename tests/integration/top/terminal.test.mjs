// Set-ups: embedded.
// How `chorus top` looks and behaves in a terminal, whatever the system does.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { aReader, startFakeDashboard } from '../lib/fake-dashboard.mjs';
import { binary } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { openTerminal } from '../lib/terminal.mjs';
import { until } from '../lib/time.mjs';

const setups = ['embedded']; // it only sees the statistics service
const ENTERS = '\x1b[?1049h';
const LEAVES = '\x1b[?25h\x1b[?1049l';
const top = (url, ...more) => [binary, 'top', '--statistics', url, ...more];

for (const [key, code] of [['q', 0], ['\x03', 0]]) {
  scenario(`${JSON.stringify(key)} ends it, and the terminal is as it was`, { setups }, async (t) => {
    const fake = await startFakeDashboard(t);
    const terminal = openTerminal(t, top(fake.url));
    await terminal.shows(/reader-2/);
    assert.match(terminal.output, /reader-1 [\s\S]*reader-2/);
    terminal.press(key);
    const output = await terminal.end();
    assert.ok(output.includes(ENTERS) && output.includes(LEAVES));
    assert.ok(output.includes(`<as before, code ${code}>`), JSON.stringify(output.slice(-300)));
    assert.ok(output.indexOf(LEAVES) < output.indexOf('<as before'));
  });
}

scenario('it shows figures, readers, videos and what happened, and follows them', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  fake.dashboard.topVideos = [{ videoid: 'film-7', viewers: 12, commentsPerSecond: 1.25 }];
  const terminal = openTerminal(t, top(fake.url));
  await terminal.shows(/film-7/);
  for (const part of [/19 +6 +1\.9 +6\.2 +<1 ms +4\.2 ms/, /imbalance of viewers 1\.58/, /reader-1 +live +6 .*50% +2 +2\.1 +1\.2 MB/, /film-7 +12 +1\.[23]/]) {
    await terminal.draws(part);
  }
  Object.assign(fake.dashboard, {
    viewers: 12_345, readers: [aReader(1), aReader(2, { state: 'lost', viewers: null, share: null, lostForMs: 12_000 })],
    notices: [{ kind: 'assigned', video: 'film-8', from: null, reader: 'reader-1', at: Date.now() }, { kind: 'reader_lost', reader: 'reader-2', readerUrl: 'http://127.0.0.1:4002', at: Date.now() }],
  });
  for (const part of [/12\.3k|12345/, /reader-2 +lost 12 s +-/, /\d\d:\d\d:\d\d {2}reader lost {2}reader-2$/m, /\d\d:\d\d:\d\d {2}assigned {2}film-8 {2}reader-1$/m]) {
    await terminal.draws(part);
  }
});

scenario('it fits: 80 by 24, a narrow and a low terminal, one that is resized', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  fake.dashboard.readers = Array.from({ length: 40 }, (_, i) => aReader(i + 1, { instanceId: `reader-number-${i + 1}-of-forty` }));
  fake.dashboard.topVideos = Array.from({ length: 20 }, (_, i) => ({ videoid: `v${i}`.padEnd(128, 'x'), viewers: 1, commentsPerSecond: 0 }));
  fake.dashboard.notices = Array.from({ length: 100 }, () => ({ kind: 'assigned', videoid: 'v'.repeat(128), reader: 'r'.repeat(128), at: Date.now() }));
  const terminal = openTerminal(t, top(fake.url));
  for (const [columns, rows] of [[80, 24], [40, 10], [200, 60], [20, 3], [1, 1], [80, 24]]) {
    await terminal.resize(columns, rows);
    terminal.clear();
    await until(() => terminal.output.split('\x1b[H').length > 3, `pictures of ${columns} by ${rows}`);
    const { lines } = terminal;
    assert.ok(lines.length <= rows, `${lines.length} lines in ${rows}`);
    for (const line of lines) assert.ok(line.length < Math.max(columns, 2), `${columns}: ${JSON.stringify(line)}`);
  }
  await terminal.draws(/and \d+ more/); // not all of 40 readers fit
  await terminal.draws(/LATELY/); // and leave room for what happened
});

scenario('a terminal that is resized is drawn at once, not with the next figures', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  fake.dashboard.everyMs = 50_000;
  const terminal = openTerminal(t, top(fake.url));
  await terminal.shows(/reader-2/);
  terminal.clear();
  await terminal.resize(40, 10);
  await terminal.shows(/reader-2/);
  assert.equal(fake.asked, 1);
});

scenario('a statistics service that is away: it says so, keeps the last figures, and goes on when it is back', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  const { port, url } = fake;
  await fake.stop();
  const terminal = openTerminal(t, top(url));
  await terminal.shows(new RegExp(`${url} cannot be reached: Connection refused`));
  await fake.start(port);
  await terminal.shows(/reader-1/);
  await fake.stop();
  terminal.clear();
  await terminal.shows(/cannot be reached/);
  await terminal.draws(/reader-1 +live/);
  await fake.start(port);
  terminal.clear();
  await until(() => !terminal.lines.join('\n').includes('cannot') && terminal.output.includes('reader-1'), 'the trouble to be over');
  fake.status = 404;
  await terminal.shows(/answers 404/);
  Object.assign(fake, { status: 200, text: '{"hello":"world"}' });
  await terminal.shows(/not with a dashboard/);
});

scenario('NO_COLOR and a terminal that shows ASCII only', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  const bare = openTerminal(t, top(fake.url), { env: { NO_COLOR: '1', LC_ALL: 'C' } });
  await bare.shows(/reader-2/);
  assert.doesNotMatch(bare.output, /\x1b\[[0-9;]*m/);
  assert.match(bare.output, /^[\x00-\x7f]*$/);
  const rich = openTerminal(t, top(fake.url), { env: { NO_COLOR: '', LC_ALL: 'C.UTF-8' } });
  await rich.shows(/█/);
  assert.match(rich.output, /\x1b\[32mlive/);
});

scenario('Ctrl-Z gives the terminal back; when it is continued, it draws again', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  const terminal = openTerminal(t, top(fake.url));
  await terminal.shows(/reader-2/);
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && commandOf(name).includes(fake.url) && commandOf(name).startsWith(binary));
  terminal.clear();
  terminal.press('\x1a');
  await until(() => terminal.output.endsWith(LEAVES), 'it to leave the terminal');
  await until(() => readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\) T /), 'it to stop');
  process.kill(Number(pid), 'SIGCONT');
  await until(() => terminal.output.includes(ENTERS) && terminal.output.split(ENTERS).at(-1).includes('reader-2'), 'it to draw again');
  terminal.press('q');
  assert.match(await terminal.end(), /<as before, code 0>/);
});

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

scenario('what a system says cannot write on the terminal', { setups }, async (t) => {
  const fake = await startFakeDashboard(t);
  const evil = '\x1b]0;owned\x07\x1b[2Jé\r\n';
  Object.assign(fake.dashboard, {
    version: evil, readers: [aReader(1, { instanceId: evil, state: evil })],
    notices: [{ kind: evil, reader: evil, [evil]: evil, at: 0 }],
  });
  fake.dashboard.topVideos = [{ videoid: evil, viewers: 1 }];
  const terminal = openTerminal(t, top(fake.url));
  await terminal.shows(/LATELY/);
  assert.doesNotMatch(terminal.output, /\x1b\]|\x1b\[2J|\x07/);
});
