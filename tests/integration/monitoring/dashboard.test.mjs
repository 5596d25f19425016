// The dashboard as a document: what Grafana needs to import it and what a reader of it may expect. Its queries are asked by
// prometheus.test.mjs.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { dashboard, panelsOf, rules } from '../lib/monitoring.mjs';
import { scenario } from '../lib/scenario.mjs';

const setups = ['embedded'];
const board = dashboard();
const COLUMNS = 24; // of Grafana's grid
const TYPES = ['heatmap', 'row', 'stat', 'state-timeline', 'table', 'timeseries'];
const UNITS = ['short', 's', 'bytes', 'percentunit', 'cps', 'reqps', 'ops'];

scenario('Grafana can import it: version, variables, ids', { setups }, async () => {
  assert.equal(board.uid, 'chorus');
  assert.ok(board.schemaVersion >= 36 && board.schemaVersion <= 39, 'of Grafana 9 and 10; later ones migrate it');
  assert.equal(board.id, undefined, 'the id of one database');
  const ids = [...board.panels, ...panelsOf(board)].map(({ id }) => id);
  assert.equal(new Set(ids).size, board.panels.length, 'each panel has an id of its own');
  const variables = new Map(board.templating.list.map((variable) => [variable.name, variable]));
  assert.deepEqual([...variables.keys()], ['datasource', 'instance']);
  assert.deepEqual([variables.get('datasource').type, variables.get('datasource').query], ['datasource', 'prometheus']);
  const used = JSON.stringify(board).matchAll(/\$\{?([a-z]\w*)/g);
  for (const [, name] of used) assert.ok(variables.has(name), `the variable ${name}`);
});

scenario('each panel has a place of its own', { setups }, async () => {
  const taken = new Map();
  for (const { title, gridPos: { x, y, w, h } } of board.panels) {
    assert.ok(x >= 0 && w > 0 && h > 0 && x + w <= COLUMNS, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert.equal(taken.get(`${column},${line}`), undefined, `${title} is over ${taken.get(`${column},${line}`)}`);
        taken.set(`${column},${line}`, title);
      }
    }
  }
});

scenario('each panel says what it shows, of the data source that was chosen', { setups }, async () => {
  const chosen = { type: 'prometheus', uid: '${datasource}' };
  for (const { type, title, description, datasource, targets, fieldConfig, options } of panelsOf(board)) {
    assert.ok(TYPES.includes(type), `${title}: ${type}`);
    assert.match(description, /^[A-Z\d].*\.$/, title);
    assert.deepEqual(datasource, chosen, title);
    assert.ok(targets.length > 0 && options, title);
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    for (const target of targets) {
      assert.deepEqual(target.datasource, chosen, title);
      assert.ok(target.expr.trim(), title);
    }
    const { unit } = fieldConfig.defaults;
    if (['stat', 'timeseries'].includes(type)) assert.ok(UNITS.includes(unit), `${title}: ${unit}`);
  }
  for (const { type, panels, collapsed } of board.panels) if (type === 'row') assert.deepEqual([panels, collapsed], [[], false]);
});

scenario('a dashed line is where an alert fires', { setups }, async () => {
  const limits = rules().flatMap(({ expr }) => Array.from(expr.matchAll(/[<>] ([\d.]+)/g), ([, limit]) => Number(limit)));
  const dashed = panelsOf(board).filter(({ fieldConfig }) => fieldConfig.defaults.custom?.thresholdsStyle?.mode === 'dashed');
  assert.ok(dashed.length >= 10);
  for (const { title, fieldConfig } of dashed) assert.ok(limits.includes(fieldConfig.defaults.thresholds.steps.at(-1).value), title);
});
