// Long: 16.
import assert from 'node:assert/strict';
import { at, bench, delivers } from '../lib/bench.mjs';
import { scenario } from '../lib/scenario.mjs';

// From the left to the right it never falls, and it ends higher than it began. (On a page y grows downwards.)
function checkCurve(page) {
  const points = page.match(/<polyline class="curve" points="([^"]*)"/)[1].trim().split(' ').map((point) => point.split(',').map(Number));
  assert.ok(points.length > 50, `${points.length} points`);
  for (let i = 1; i < points.length; i++) assert.ok(points[i][0] > points[i - 1][0] && points[i][1] <= points[i - 1][1], `${points}`);
  assert.ok(points.at(-1)[1] < points[0][1], `${points}`);
}

const heights = (page) => [...page.matchAll(/<rect class="bar" [^>]*height="([\d.]+)"/g)].map(([, height]) => Number(height));

scenario('every comment at every viewer of its video is a delivery, counted once', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const flags = { ...at(system), viewers: 200, videos: 10, rate: 50, duration: 2, require: 'lost=0,duplicated=0,p99<30s' };
  const { code, stdout, stderr, figures, file } = await bench(t, flags, { written: ['html', 'hdr'] });
  assert.equal(code, 0, stdout + stderr);
  const { counts, latency_ms: latency, deliveries_by_second: seconds, required } = figures;
  assert.deepEqual([counts.connects, counts.connect_failures, counts.cuts], [200, 0, 0]);
  assert.equal(counts.comments + counts.unposted, 100);
  assert.equal(counts.deliveries, counts.comments * 20);
  assert.deepEqual([counts.lost, counts.duplicated, counts.out_of_order, counts.gaps, counts.post_failures], [0, 0, 0, 0, 0]);
  assert.equal(seconds.reduce((sum, count) => sum + count, 0), counts.deliveries);
  const percentiles = ['p50', 'p90', 'p99', 'p999', 'p9999', 'max'].map((name) => latency[name]);
  assert.ok(percentiles[0] > 0);
  assert.deepEqual(percentiles, [...percentiles].sort((a, b) => a - b));
  assert.deepEqual(required.map(({ name, met }) => [name, met]), [['lost', true], ['duplicated', true], ['p99', true]]);
  assert.match(stdout, new RegExp(`deliveries +${counts.deliveries} `));

  const page = await file('html');
  assert.match(page, /^<!doctype html>/);
  assert.equal(page.match(/<svg/g).length, 2);
  checkCurve(page);
  assert.deepEqual(heights(page).map((height) => height > 0), seconds.map((count) => count > 0));
  assert.doesNotMatch(page, /(src|href)=/, 'the page needs nothing else');
  const rows = (await file('hdr')).split('\n').filter((line) => /^ *\d/.test(line)).map((line) => line.trim().split(/ +/).map(Number));
  assert.ok(rows.length > 10);
  assert.deepEqual(rows.at(-1).slice(1), [1, counts.deliveries]);
  assert.equal(rows.at(-1)[0], latency.max);
});

scenario('viewers and comments follow the distribution asked for', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const flags = { ...at(system), viewers: 100, videos: 50, rate: 50, duration: 1, distribution: 'zipf:2', processes: 3 };
  const { code, figures: { counts, plan } } = await bench(t, flags);
  assert.equal(code, 0);
  assert.deepEqual([plan.distribution, plan.exponent, plan.processes], ['zipf', 2, 3]);
  assert.equal(counts.lost, 0);
  assert.ok(counts.deliveries > counts.comments * 10, `${counts.deliveries} deliveries of ${counts.comments}: most are on the first video`);
});

scenario('what the server uses is found by its ports, or by its process id', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const flags = { ...at(system), viewers: 1_000, rate: 20, duration: 1 };
  const [found, named] = [await bench(t, flags), await bench(t, { ...flags, pid: process.pid })];
  const { server } = found.figures;
  assert.ok(server.pids.length >= 1 && !server.pids.includes(process.pid));
  // 20 posts and 20,000 sends: more than nothing, and not absurdly much.
  assert.ok(server.cpu_us_per_delivery > 0 && server.cpu_us_per_delivery < 1_000, `${server.cpu_us_per_delivery} us`);
  assert.ok(server.pss_bytes > 100_000);
  assert.deepEqual(named.figures.server.pids, [process.pid]);
  const { memory, readers } = found.figures;
  assert.ok(memory.load_bytes_per_viewer > 0 && memory.left_bytes > 0);
  assert.equal(typeof memory.kernel_bytes_per_viewer, 'number');
  assert.ok(readers.wakeups_per_comment > 0 && readers.deliveries_per_send > 0);
  assert.deepEqual([readers.slow_gaps, readers.stalled], [0, 0]);
});

scenario('a condition that does not hold makes the exit code 1', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const { code, stdout, figures } = await bench(t, { ...at(system), viewers: 10, rate: 20, duration: 1, require: 'lost=0,p50<1us' });
  assert.equal(code, 1);
  assert.match(stdout, /p50<1us: NOT MET/);
  assert.deepEqual(figures.required.map(({ met }) => met), [true, false]);
});

scenario('a signal ends the posting early, and the results so far are reported', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const during = async (program) => {
    await delivers(program);
    program.child.kill('SIGINT');
  };
  const { code, figures } = await bench(t, { ...at(system), viewers: 20, rate: 50, duration: 600 }, { during });
  assert.equal(code, 0);
  assert.equal(figures.interrupted, true);
  assert.equal(figures.counts.deliveries, figures.counts.comments * 20);
});
