// Light or dark: as the system is, or as [data-theme-switch] was last used. Loaded before the page is drawn, so that it does
// not flash in the other one.
(() => {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const system = () => (dark.matches ? 'dark' : 'light');

  function apply(chosen) {
    if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen;
    else delete root.dataset.theme;
  }

  try {
    apply(localStorage.getItem('chorus.theme'));
  } catch {
    // storage is blocked: the system's
  }
  addEventListener('storage', ({ key, newValue }) => key === 'chorus.theme' && apply(newValue));

  addEventListener('click', ({ target }) => {
    if (!target.closest?.('[data-theme-switch]')) return;
    const other = (root.dataset.theme ?? system()) === 'dark' ? 'light' : 'dark';
    const chosen = other === system() ? null : other;
    apply(chosen);
    try {
      if (chosen) localStorage.setItem('chorus.theme', chosen);
      else localStorage.removeItem('chorus.theme');
    } catch {
      // it holds until the page is closed
    }
  });
})();
