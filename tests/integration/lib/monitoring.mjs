// What deploy/ has for Prometheus and Grafana: alert rules, the dashboard, and the queries in both.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const top = join(dirname(fileURLToPath(import.meta.url)), '../../..');

const unquoted = (text) => text.trim().replace(/^"(.*)"$/, '$1');

// The value of a key in a rule: a line, or a block after `|`.
function valueOf(rule, key) {
  const [, indent, first] = rule.match(new RegExp(`^( +)${key}: (.*)$`, 'm')) ?? [];
  if (first !== '|') return first && unquoted(first);
  const [, block] = rule.match(new RegExp(`^${indent}${key}: \\|\\n((?:${indent} .*\\n)+)`, 'm'));
  return block.replace(/\s+/g, ' ').trim();
}

// The alert rules, of the form in which the file is written: [{name, expr, severity, summary, description, runbook}].
export function rules() {
  const text = readFileSync(join(top, 'deploy/prometheus/alerts.yml'), 'utf8');
  return text.split(/^ +- alert: /m).slice(1).map((rule) => ({
    name: rule.split('\n')[0],
    ...Object.fromEntries(['expr', 'severity', 'summary', 'description', 'runbook'].map((key) => [key, valueOf(rule, key)])),
  }));
}

// The anchors of a document's headings, as GitHub makes them.
export function anchorsOf(file) {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return new Set(Array.from(headings, ([, text]) => text.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')));
}

export const dashboard = () => JSON.parse(readFileSync(join(top, 'deploy/grafana/chorus.json'), 'utf8'));

// The panels of a dashboard but for rows, those in collapsed rows included.
export const panelsOf = ({ panels }) => panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : panel));

// What Grafana puts in place of its variables: every process, a window of some scrapes.
const filled = (expr, window) => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', window);

// A comparison returns nothing where it does not hold; with `bool` it returns 0 there.
const always = (expr) => expr.replace(/(==|<|>)/g, '$1 bool');

// Every query of the dashboard: [{where, expr}].
export const dashboardQueries = (window) =>
  [...panelsOf(dashboard()).flatMap(({ title, targets }) => targets.map(({ refId, expr }) => [`panel "${title}" ${refId}`, expr])),
    ...dashboard().annotations.list.filter(({ expr }) => expr).map(({ name, expr }) => [`annotation "${name}"`, always(expr)])]
    .map(([where, expr]) => ({ where, expr: filled(expr, window) }));

// What the alert rules ask: each side of `and`, `or` and `unless` by itself, and of comparisons what is compared and with what, so that
// there is an answer also while nothing is wrong. absent() is answered where there is nothing.
export const ruleQueries = () =>
  rules().flatMap(({ name, expr }) => expr.split(/\s(?:and|or|unless)(?: on \(\w+\))?\s/).map((part) => ({
    where: name,
    expr: always(part.trim().replace(/^absent\((.*)\)$/, '$1')),
  })));
