// CI also: processes. Reports of other processes.
import assert from 'node:assert/strict';
import { call, owner, post, postMany } from '../lib/api.mjs';
import { startHook } from '../lib/hook.mjs';
import { run } from '../lib/process.mjs';
import { RawClient, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const flags = { 'statistics-interval-ms': 500 };
const ledgerOf = async (system, video) => {
  const { status, json } = await call('GET', `${system.statistics}/videos/${video}/ledger`);
  return status === 200 ? json : undefined;
};
const sum = ({ delivered, sampled, dropped, retracted, waiting, unknown }) => delivered + sampled + dropped + retracted + waiting + unknown;

// Resolves with a video's ledger once nothing is on its way, and checks that it closes.
const settled = (system, video, due) => settledWhen(system, video, (ledger) => ledger.due === due, `${due} due`);
async function settledWhen(system, video, isWhole, what) {
  let last;
  const found = await until(async () => {
    last = await ledgerOf(system, video);
    return last && isWhole(last) && last.waiting === 0 && last;
  }, () => `a ledger with ${what} and nothing waiting: ${JSON.stringify(last)}`);
  for (const row of [found, ...found.readers]) {
    assert.equal(sum(row), row.due, JSON.stringify(row));
    assert.equal(row.closes, true);
    assert.equal(row.dropped, row.droppedAs.slow + row.droppedAs.lost + row.droppedAs.left);
  }
  return found;
}

scenario('the ledger closes to the comment: viewers that stay, leave, come back, come late, and ask for more', async (t) => {
  const system = await t.system({ flags });
  const reader = await owner(system, 'v');
  assert.equal(await ledgerOf(system, 'v'), undefined);
  const viewers = [];
  for (let i = 0; i < 3; i++) viewers.push(await t.watch(reader, { video: 'v', user: `u${i}` }));
  const first = await postMany(system, 'v', 10);
  for (const viewer of viewers) await viewer.reaches(first.at(-1).id);
  assert.equal((await settled(system, 'v', 30)).delivered, 30);

  viewers[0].close();
  await until(async () => (await ledgerOf(system, 'v')).readers[0].viewers === 2, 'one to be gone');
  const missed = await postMany(system, 'v', 5);
  await viewers[1].reaches(missed.at(-1).id);
  const back = await viewers[0].again().connect(reader);
  t.after(() => back.close());
  await back.reaches(missed.at(-1).id);
  const late = await t.watch(reader, { video: 'v', user: 'late', query: { history: 3 } });
  await late.reaches(missed.at(-1).id);
  await t.watch(reader, { video: 'v', user: 'later' }); // sees nothing of all this
  const whole = await settled(system, 'v', 30 + 10 + 5 + 3);
  assert.equal(whole.delivered, 48);
  assert.equal(whole.readers.length, 1);
});

// A client that reads nothing, beside one that reads all; `fill` posts until `enough` holds.
async function besideAStuckOne(t, system) {
  const reader = await owner(system, 'v');
  const stuck = await RawClient.connect(reader);
  await stuck.send(requestBytes('GET', '/connect?userid=stuck&videoid=v'));
  await until(() => stuck.received.includes('\n\n'), 'the stream');
  stuck.socket.pause();
  t.after(() => stuck.destroy());
  const quick = await t.watch(reader, { video: 'v' });
  let posted = 0;
  const fill = async (enough, what) => {
    await until(async () => {
      const last = (await postMany(system, 'v', 50, { text: (i) => `${i} ${'x'.repeat(1_990)}` })).at(-1);
      posted += 50;
      await quick.reaches(last.id);
      return enough(await ledgerOf(system, 'v'));
    }, what, 30_000);
    return posted;
  };
  return { stuck, fill };
}
const settledOfOne = (system, posted) =>
  settledWhen(system, 'v', ({ delivered, readers }) => delivered >= posted && readers[0].viewers === 1, `${posted} delivered to the quick one`);

scenario('what a slow consumer that is disconnected had still to get is in the ledger', async (t) => {
  const system = await t.system({ flags: { ...flags, 'stall-timeout-ms': 1_500 } });
  const { fill } = await besideAStuckOne(t, system);
  const posted = await fill((ledger) => ledger.readers[0].viewers === 1, 'it to be gone');
  const whole = await settledOfOne(system, posted);
  assert.ok(whole.droppedAs.slow > 0, JSON.stringify(whole));
  assert.equal(whole.droppedAs.left, 0);
});

scenario('what one that leaves had still to get is in the ledger', async (t) => {
  const system = await t.system({ flags });
  const { stuck, fill } = await besideAStuckOne(t, system);
  const posted = await fill((ledger) => ledger.waiting > 0, 'its socket to be full');
  stuck.destroy();
  const whole = await settledOfOne(system, posted);
  assert.ok(whole.droppedAs.left > 0, JSON.stringify(whole));
  assert.equal(whole.droppedAs.slow, 0);
});

scenario('what a viewer missed and the log has lost is in the ledger', async (t) => {
  const system = await t.system({ flags: { ...flags, 'log-entries': 100, 'log-min-age-ms': 0, 'unsubscribe-ms': 100 } });
  const reader = await owner(system, 'v');
  const viewer = await t.watch(reader, { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'seen')).id);
  viewer.close();
  const last = (await postMany(system, 'v', 300)).at(-1);
  const back = await viewer.again().connect(reader);
  t.after(() => back.close());
  await back.reaches(last.id);
  const lost = back.gaps.reduce((all, { missed }) => all + missed, 0);
  const { droppedAs, delivered } = await until(async () => {
    const ledger = await ledgerOf(system, 'v');
    return ledger.waiting === 0 && ledger.due >= 301 && ledger;
  }, 'the ledger to be settled');
  assert.equal(droppedAs.lost, lost);
  assert.equal(delivered, 301 - lost);
});

scenario('what was in a report that was not accepted is reported again', { setups: ['processes'] }, async (t) => {
  const hook = await startHook(t);
  const reported = (rows) => rows.filter(({ ledgers }) => ledgers?.v).length;
  let refusals = 2;
  const accepted = [];
  hook.answer = (report, response) => {
    if (report.ledgers?.v && refusals-- > 0) return response.writeHead(503).end();
    accepted.push(report);
    return {};
  };
  const system = await t.system({ flags, readers: 1, ownFlags: (name) => (name === 'reader-1' ? { 'statistics-url': new URL(hook.url).origin } : {}) });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'hello')).id);
  await until(() => reported(accepted), 'the ledger to be accepted');
  assert.equal(accepted.find(({ ledgers }) => ledgers.v).ledgers.v.split(' ')[0], '1');
  const soFar = accepted.length;
  await until(() => accepted.length > soFar + 2, 'later reports');
  assert.equal(reported(accepted), 1, 'and then not any more');
});

scenario('those who watch are reported before anything is said, and that they have left', { setups: ['processes'] }, async (t) => {
  const hook = await startHook(t);
  const reports = [];
  hook.answer = (report) => {
    if (report.ledgers?.v) reports.push(Number(report.ledgers.v.split(' ').at(-2)));
    return {};
  };
  const system = await t.system({ flags, readers: 1, ownFlags: (name) => (name === 'reader-1' ? { 'statistics-url': new URL(hook.url).origin } : {}) });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await until(() => reports.at(-1) === 1, 'its viewer to be reported');
  viewer.close();
  await until(() => reports.at(-1) === 0, 'that it has left to be reported');
});

scenario('a reader that ends in order reports its last before it goes', { setups: ['processes'] }, async (t) => {
  const system = await t.system({ flags: { 'statistics-interval-ms': 60_000 } }); // none of itself meanwhile
  const reader = await owner(system, 'v');
  const viewers = [await t.watch(reader, { video: 'v', user: 'a' }), await t.watch(reader, { video: 'v', user: 'b' })];
  const reach = async (last) => Promise.all(viewers.map((viewer) => viewer.reaches(last.id)));
  await reach(await post(system, 'v', 'hello'));
  await settled(system, 'v', 2);
  await reach((await postMany(system, 'v', 20)).at(-1));
  const name = system.program.names.find((each) => each.startsWith('reader') && system.program.part(each).stdout.includes(new URL(reader).host));
  const begun = performance.now();
  await system.program.end1(name);
  assert.ok(performance.now() - begun < 5_000);
  const ledger = await ledgerOf(system, 'v');
  assert.deepEqual([ledger.due, ledger.delivered, ledger.unknown, ledger.readers[0].ended, ledger.readers[0].viewers], [42, 42, 0, true, 0]);
});

scenario('`chorus ledger VIDEO` prints it', async (t) => {
  const system = await t.system({ flags });
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v' });
  await viewer.reaches((await post(system, 'v', 'hello')).id);
  await settled(system, 'v', 1);
  const ledger = (...words) => run(['ledger', ...words, '--statistics', system.statistics]);
  const text = await ledger('v');
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /^all +1 +1 +0 +0 +0 +0 +0 /m);
  assert.match(text.stdout, /^It closes\.$/m);
  assert.equal(JSON.parse((await ledger('v', '--json')).stdout).due, 1);
  const none = await ledger('none');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /No reader has reported this video/);
  assert.equal((await ledger()).code, 2);
});
