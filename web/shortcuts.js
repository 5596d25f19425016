// Single keys that do something, on a page with #help, a dialog that lists them, #help-button, and #shortcuts, a box that turns
// them off: people who speak what they type, and keyboards that are hit by accident, need that (WCAG 2.1.4).
const KEPT = 'chorus.shortcuts';

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage is blocked
  }
}
function keep(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // it holds until the page is closed
  }
}

// keys: {key: what it does}
export function useShortcuts(keys) {
  const [help, button, box] = ['help', 'help-button', 'shortcuts'].map((id) => document.getElementById(id));
  const all = { ...keys, '?': () => help.showModal() };
  button.addEventListener('click', all['?']);
  box.checked = kept() !== 'off';
  box.addEventListener('change', () => keep(box.checked ? 'on' : 'off'));
  addEventListener('keydown', (event) => {
    const target = event.composedPath()[0];
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !box.checked) return;
    if (document.querySelector('dialog[open]') || target.closest?.('input, textarea, select, [contenteditable]')) return;
    if (!Object.hasOwn(all, event.key)) return;
    event.preventDefault();
    all[event.key]();
  });
}
