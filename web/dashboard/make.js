// Elements, and changes to them only where something changes: so nothing flickers, and what has the focus keeps it.

export function make(name, className = '', ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export const setText = (element, text) => element.textContent !== text && (element.textContent = text);

/** A bar for a share from 0 to 1. */
export function makeGauge(label) {
  const gauge = make('span', 'gauge', make('i'));
  const attributes = { role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': 0 };
  for (const [name, value] of Object.entries(attributes)) gauge.setAttribute(name, value);
  return gauge;
}

/** `level`: '', 'warn' or 'bad'. */
export function setGauge(gauge, share, level = '') {
  const percent = Math.round(100 * share);
  gauge.dataset.level = level;
  gauge.setAttribute('aria-valuenow', percent);
  gauge.firstChild.style.inlineSize = `${100 * share}%`;
  gauge.firstChild.hidden = !(share > 0);
}
