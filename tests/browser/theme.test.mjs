// The colours of web/theme.css, without a browser: contrast, and one dark theme in both places that choose it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const css = readFileSync(new URL('../../web/theme.css', import.meta.url), 'utf8');

// The colours of the first rule with the selector: {'--bg': [245, 246, 248], ...}.
function coloursOf(selector) {
  const rule = css.slice(css.indexOf(`${selector} {`)).match(/\{([^}]*)\}/)[1];
  return Object.fromEntries([...rule.matchAll(/(--[\w-]+): #([\da-f]{6});/g)].map(([, name, hex]) => [name, [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16))]));
}

// WCAG 2.2, relative luminance and contrast ratio.
function luminance(colour) {
  const [r, g, b] = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const areas = ['--bg', '--surface', '--raised'];
const texts = ['--text', '--text-dim', '--accent', '--accent-hover', '--ok', '--warn', '--danger'];
const marks = ['--live', '--line-strong', '--focus', ...[1, 2, 3, 4, 5, 6].map((n) => `--series-${n}`)];
const pairs = [
  ['--on-accent', '--accent'], ['--on-accent', '--accent-hover'], ['--on-live', '--live'],
  ...['--text', '--text-dim', '--accent'].map((name) => [name, '--accent-soft']),
  ['--text', '--warn-soft'], ['--warn', '--warn-soft'], ['--text', '--danger-soft'], ['--danger', '--danger-soft'],
];

for (const [theme, selector] of [['light', ':root'], ['dark', ':root[data-theme="dark"]']]) {
  test(`${theme}: text has a contrast of 4.5, what is drawn of 3`, () => {
    const colours = coloursOf(selector);
    const check = (front, back, least) => {
      const found = contrast(colours[front], colours[back]);
      assert.ok(found >= least, `${front} on ${back}: ${found.toFixed(2)}, and not ${least}`);
    };
    for (const area of areas) {
      for (const name of texts) check(name, area, 4.5);
      for (const name of marks) check(name, area, 3);
    }
    for (const [front, back] of pairs) check(front, back, 4.5);
  });
}

test('dark is the same by the system and by data-theme, and names each colour of light', () => {
  const [light, bySystem, byAttribute] = [':root', ':root:not([data-theme="light"])', ':root[data-theme="dark"]'].map(coloursOf);
  assert.deepEqual(bySystem, byAttribute);
  assert.deepEqual(Object.keys(bySystem), Object.keys(light));
  assert.ok(Object.keys(light).length > 20);
});
