// Long: 12.
// The samples of README.md and docs/ that embed comments in a page work as they are, opened from a file.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { call, owner, post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { Column, launch } from './embedding.mjs';

const top = join(dirname(fileURLToPath(import.meta.url)), '../..');
const samplesIn = (file, language) => Array.from(readFileSync(join(top, file), 'utf8').matchAll(new RegExp('^```' + language + '\\n(.*?)^```', 'gms')), ([, text]) => text);

// Opens a sample with the system's addresses instead of the usual ones.
async function open(t, system, html) {
  const file = join(t.folder(), 'comments.html');
  const reader = await owner(system, 'video1');
  writeFileSync(file, html.replaceAll('http://127.0.0.1:3000', system.comment).replaceAll('http://127.0.0.1:4001', reader));
  const page = await (await launch(t)).newPage();
  page.lines = [];
  page.on('console', (message) => page.lines.push(message.text()));
  page.on('pageerror', (error) => page.lines.push(String(error)));
  await page.goto(pathToFileURL(file).href);
  return page;
}

const stored = async (system) => (await call('GET', `${system.comment}/videos/video1/comments`)).json.comments.map(({ comment }) => comment);

for (const file of ['README.md', 'docs/getting-started.md']) {
  scenario(`${file}: the element`, { ms: 60_000 }, async (t) => {
    const system = await t.system();
    const column = new Column(await open(t, system, samplesIn(file, 'html')[0]));
    await column.live();
    await post(system, 'video1', 'hello, page');
    await column.wait((rows) => rows.some(({ text }) => text === 'hello, page'), 'a comment');
    await column.say('hello, server');
    await column.wait((rows) => rows.some(({ text, state }) => text === 'hello, server' && !state), 'the own comment');
    assert.ok((await stored(system)).includes('hello, server'));
    assert.deepEqual(column.page.lines, []);
  });

  scenario(`${file}: the class`, { ms: 60_000 }, async (t) => {
    const system = await t.system();
    await post(system, 'video1', 'an earlier one');
    const page = await open(t, system, `<!doctype html><meta charset="utf-8"><body>${samplesIn(file, 'html')[1]}`);
    await until(async () => (await stored(system)).includes('Hello from a page of my own!'), 'its comment');
    const shown = async () => (await page.textContent('body')) + page.lines.join('\n');
    await until(async () => /an earlier one.*Hello from a page of my own!/s.test((await shown()).replace(/<script.*?<\/script>/s, '').slice(-400)), async () => `both; it shows ${page.lines}`);
  });
}

scenario('README.md and docs/clients.md: plain EventSource', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  for (const [file, at] of [['README.md', 0], ['docs/clients.md', -1]]) {
    const text = samplesIn(file, 'js').at(at);
    assert.match(text, /new EventSource/, file);
    const show = 'const show = (author, text) => console.log(author, text), note = console.log;';
    const page = await open(t, system, `<!doctype html><meta charset="utf-8"><script type="module">${show}${text}</script>`);
    let n = 0;
    await until(async () => page.lines.some((line) => line.includes(`${file} 0`)) || (await post(system, 'video1', `${file} ${n}`), await post(system, 'launch', `${file} ${n}`), false), () => `a comment; it shows ${page.lines}`);
  }
});
