// Many comments a second, and what they cost a page.
import { post } from '../integration/lib/api.mjs';
import { pause } from '../integration/lib/time.mjs';

const TICK_MS = 100;

// Posts evenly until stopped; a slow server does not reduce the rate. stop() resolves to how many were posted.
export function flood(system, perSecond) {
  const started = Date.now(), pending = new Set();
  let sent = 0, stopped = false;
  const run = (async () => {
    for (; !stopped; await pause(TICK_MS)) {
      const due = ((Date.now() - started) * perSecond) / 1000;
      for (; sent < due; sent++) {
        const one = post(system, 'v', `comment ${sent}, of a length that people write`, { user: `u${sent % 60}`, name: `Name ${sent % 60}` });
        pending.add(one.finally(() => pending.delete(one)));
      }
    }
    await Promise.all(pending);
  })();
  return {
    stop: () => {
      stopped = true;
      return run.then(() => sent);
    },
  };
}

// For so many seconds: frames a second, the longest one in ms, the share of the time in script, style and layout, and memory
// {JSHeapUsedSize, Nodes, ...} before and after.
export async function measure(page, seconds) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  await session.send('HeapProfiler.enable');
  const metricsOf = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const before = await metricsOf();
  const frames = await page.evaluate(async (ms) => {
    const started = performance.now();
    let last = started, longest = 0, count = 0;
    while (performance.now() - started < ms) {
      const now = await new Promise(requestAnimationFrame);
      longest = Math.max(longest, now - last);
      last = now;
      count++;
    }
    return { frames: count / ((performance.now() - started) / 1000), longest };
  }, seconds * 1_000);
  const after = await metricsOf();
  const busy = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].reduce((sum, name) => sum + after[name] - before[name], 0) / seconds;
  return { ...frames, busy, before, after };
}
