// The hook of clients/js under React's Strict Mode. React comes as CommonJS, which the page loads without a bundler.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { post } from '../integration/lib/api.mjs';
import { scenario } from '../integration/lib/scenario.mjs';
import { until } from '../integration/lib/time.mjs';
import { launch, serve } from './embedding.mjs';

const here = dirname(fileURLToPath(import.meta.url)), top = join(here, '../..');
const packages = dirname(dirname(createRequire(import.meta.url).resolve('react/package.json')));
const commonJs = {
  react: 'react/cjs/react.development.js', scheduler: 'scheduler/cjs/scheduler.development.js',
  'react-dom': 'react-dom/cjs/react-dom.development.js', 'react-dom/client': 'react-dom/cjs/react-dom-client.development.js',
};

const HTML = `<!doctype html><meta charset="utf-8"><title>React</title><link rel="icon" href="data:,"><div id="root"></div>
<script type="importmap">{"imports": {"react": "/react-module.js"}}</script>
<script>
  const modules = {}, texts = {}, process = { env: { NODE_ENV: 'development' } };
  function require(name) {
    if (!modules[name]) {
      const module = (modules[name] = { exports: {} });
      new Function('module', 'exports', 'require', 'process', texts[name])(module, module.exports, require, process);
    }
    return modules[name].exports;
  }
  async function load(names) {
    for (const name of names) texts[name] = await (await fetch('/cjs/' + name)).text();
    const [React, { createRoot }] = names.slice(-2).map(require);
    window.React = React;
    const { useLiveComments } = await import('/react.js');
    const App = (props) => {
      const view = (window.view = useLiveComments(props));
      return React.createElement('ol', null, view.comments.map(({ id, comment, own }) => React.createElement('li', { key: id }, comment + (own ? ' (own)' : ''))));
    };
    const root = createRoot(document.getElementById('root'));
    window.render = (props) => root.render(React.createElement(React.StrictMode, null, props && React.createElement(App, props)));
  }
</script>`;

async function openReact(t) {
  const files = {
    '/': HTML, '/react.js': readFileSync(join(top, 'clients/js/react.js')), '/index.js': "export * from './chorus.js';",
    '/chorus.js': readFileSync(join(top, 'web/chorus.js')),
    '/react-module.js': `export const { ${['useCallback', 'useEffect', 'useRef', 'useState'].join(', ')} } = window.React;`,
  };
  for (const [name, file] of Object.entries(commonJs)) files[`/cjs/${name}`] = readFileSync(join(packages, file));
  const page = await (await launch(t)).newPage();
  page.problems = [];
  page.streams = { asked: 0, opened: [], closed: 0 };
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && page.problems.push(message.text()));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('request', (request) => request.method() === 'POST' && /\/register$/.test(request.url()) && page.streams.asked++);
  page.on('request', (request) => /\/connect\?/.test(request.url()) && page.streams.opened.push(request.url()));
  page.on('requestfailed', (request) => /\/connect\?/.test(request.url()) && page.streams.closed++);
  await page.goto(await serve(t, files));
  await page.evaluate((names) => load(names), ['scheduler', 'react-dom', 'react', 'react-dom/client']);
  page.view = () => page.evaluate(() => ({ ...window.view, rows: Array.from(document.querySelectorAll('li'), (li) => li.textContent) }));
  page.wait = (probe, what) => until(async () => probe(await page.view()), async () => `${what}; it is ${JSON.stringify(await page.view())}, ${page.problems}`);
  return page;
}

scenario('useLiveComments under Strict Mode: one stream, its comments, and posts', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  await post(system, 'v', 'before');
  const page = await openReact(t);
  const props = { server: system.comment, video: 'v', user: 'me', name: 'Me' };
  await page.evaluate((some) => render(some), props);
  await page.wait(({ state, rows }) => state.name === 'live' && rows.join() === 'before', 'the history');
  assert.deepEqual([page.streams.asked, page.streams.opened.length, page.streams.closed], [1, 1, 0], 'one stream, although Strict Mode mounts twice');

  const stored = await page.evaluate(() => view.post('mine'));
  assert.deepEqual([stored.comment, stored.name], ['mine', 'Me']);
  await post(system, 'v', 'theirs');
  await page.wait(({ rows }) => rows.join() === 'before,mine (own),theirs', 'all, in order');
  await page.wait(({ room }) => room?.frozen === false, 'the room');

  await page.evaluate((some) => render(some), { ...props, name: 'Renamed', keep: 2 });
  await until(async () => (await page.evaluate(() => view.post('renamed'))).name === 'Renamed', 'the new name');
  await page.wait(({ rows }) => rows.length === 2 && rows.at(-1) === 'renamed (own)', 'the newest two');
  assert.equal(page.streams.opened.length, 1, 'still the same stream');

  await page.evaluate((some) => render(some), { ...props, video: 'w' });
  await page.wait(({ state, rows }) => state.name === 'live' && rows.length === 0, 'the other video');
  await until(() => page.streams.opened.length === 2 && page.streams.closed === 1, () => `the first stream to be closed: ${JSON.stringify(page.streams)}`);
  await post(system, 'v', 'of the old video');
  await post(system, 'w', 'of the new one');
  await page.wait(({ rows }) => rows.join() === 'of the new one', 'its comment alone');

  await page.evaluate(() => render(null));
  await until(() => page.streams.closed === 2, 'the end of the stream');
  await assert.rejects(page.evaluate(() => view.post('too late')), /not mounted/);
  assert.deepEqual(page.problems, []);
});
