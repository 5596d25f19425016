// Prometheus's text format 0.0.4, read strictly (prometheus/docs, exposition_formats.md).
import assert from 'node:assert/strict';
import { call } from './api.mjs';

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SERIES = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/;

function labelsOf(text) {
  const labels = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    assert.ok(found, `labels: ${text}`);
    assert.equal(labels[found[1]], undefined, `a label twice: ${text}`);
    labels[found[1]] = found[2];
  }
  return labels;
}

const toNumber = (text) => Number(text.replace('Inf', 'Infinity'));

// Returns the families by name: {help, type, series: [{name, labels, value}]}.
export function parse(text) {
  const families = new Map();
  const seen = new Set();
  let family;
  assert.ok(text.endsWith('\n'), 'the last line ends');
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      assert.match(name, NAME);
      assert.ok(!families.has(name), `${name} is there once`);
      families.set(name, family = { name, help: rest, series: [] });
    } else if (kind === 'TYPE') {
      assert.equal(name, family?.name, `TYPE follows HELP: ${line}`);
      assert.match(rest, /^(counter|gauge|histogram)$/);
      family.type = rest;
    } else {
      const [, series, labels = '', value] = SERIES.exec(line) ?? assert.fail(`a line: ${line}`);
      const suffix = family.type === 'histogram' ? /^(.*)_(bucket|sum|count)$/.exec(series)?.[1] : series;
      assert.equal(suffix, family.name, `the series is of its family: ${line}`);
      assert.match(value, NUMBER, line);
      const key = line.slice(0, line.lastIndexOf(' '));
      assert.ok(!seen.has(key), `a series twice: ${key}`);
      seen.add(key);
      family.series.push({ name: series, key, labels: labelsOf(labels), value: toNumber(value) });
    }
  }
  for (const each of families.values()) assert.ok(each.type && each.series.length, `${each.name} has a type and a series`);
  return families;
}

const keyOf = ({ le, ...labels }) => JSON.stringify(labels);

// Returns the histograms of a family, by their labels other than le: {bounds, counts, sum, count}.
export function histograms(family) {
  const found = new Map();
  for (const { name, labels, value } of family.series) {
    const at = found.get(keyOf(labels)) ?? { labels, bounds: [], counts: [] };
    found.set(keyOf(labels), at);
    if (name.endsWith('_bucket')) {
      at.bounds.push(toNumber(labels.le));
      at.counts.push(value);
    } else at[name.slice(family.name.length + 1)] = value;
  }
  return [...found.values()];
}

export async function scrape(url, headers) {
  const answer = await call('GET', `${url}/metrics`, { headers });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  return parse(answer.text);
}

// The sum of a family's series that have these labels.
export function sum(families, name, labels = {}) {
  const family = families.get(name) ?? assert.fail(`a metric ${name}`);
  const fits = family.series.filter((each) => each.name === name && Object.entries(labels).every(([label, value]) => each.labels[label] === value));
  return fits.reduce((all, { value }) => all + value, 0);
}
