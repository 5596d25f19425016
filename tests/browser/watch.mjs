// The viewer page in Chromium, as one browser window; and what must never happen there.
import { until } from '../integration/lib/time.mjs';
import { Column, launch } from './embedding.mjs';

// A line that Chromium writes for each request that fails. Only tests in which requests do fail tolerate it.
export const FAILED_REQUEST = /^Failed to load resource/;

// A browser of its own; pages of one share what it keeps. What stands in for the video stands still, as drawing it takes most of
// the CPU; where motion matters, options say so.
export async function openBrowser(t, options) {
  const browser = await launch(t);
  return browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
}

// Opens the page of a video. expect: console errors that are no failure.
export async function openWatch(t, system, { video = 'v', path = `/watch/${video}`, context, expect = [], route, live = true, ...options } = {}) {
  const page = await (context ?? (await openBrowser(t, options))).newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(`${message.text()} ${message.location().url}`));
  page.on('pageerror', (error) => problems.push(error.stack || String(error)));
  await page.exposeFunction('reportViolation', (what) => problems.push(`Content-Security-Policy: ${what}`));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => reportViolation(`${e.violatedDirective} ${e.blockedURI}`), true));
  t.after(() => {
    const left = problems.filter((text) => !expect.some((pattern) => pattern.test(text)));
    if (left.length) throw new Error(`the page reported:\n${left.join('\n')}`);
  });
  await route?.(page);
  await page.goto(system.comment + path);
  const watch = new Watch(page);
  if (live) await page.locator('#badge.live').waitFor();
  return watch;
}

export class Watch {
  constructor(page) {
    this.page = page;
    this.column = new Column(page);
    this.title = page.locator('#title');
    this.badge = page.locator('#badge');
    this.viewers = page.locator('#viewers');
    this.problem = page.locator('#problem');
    this.videos = page.locator('#videos');
  }
  sees(...texts) {
    return this.column.wait((rows) => texts.every((text) => rows.some((row) => row.text === text)), `the comments ${texts.join(', ')}`);
  }
  path() {
    return this.page.evaluate(() => location.pathname);
  }
  until(probe, what, ms) {
    return until(() => this.page.evaluate(probe), what, ms);
  }
  // The element that has the focus, also inside <live-comments>: {tag, id, part, label}.
  focused() {
    return this.page.evaluate(() => {
      let element = document.activeElement;
      while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      return { tag: element.localName, id: element.id, part: element.part?.value ?? '', text: element.textContent.trim().slice(0, 40) };
    });
  }
}
