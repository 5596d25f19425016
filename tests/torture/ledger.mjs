// The ledger of a video (docs/operations.md), once all is healed and quiet: as it is, and after a few more comments, by which it
// has to have grown to the pair.
import { call } from '../integration/lib/api.mjs';
import { until } from '../integration/lib/time.mjs';
import { PATIENCE_MS } from './part.mjs';

// The ledger once nothing is on its way, and each viewer is counted; as it is if that does not come.
export async function settledLedger(world, video, viewers) {
  let ledger;
  await until(async () => {
    const { status, json } = await call('GET', `${world.statistics}/videos/${video}/ledger`);
    ledger = status === 200 ? json : undefined;
    return ledger?.closes && ledger.waiting === 0 && viewersOf(ledger) === viewers;
  }, 'a ledger that is settled', PATIENCE_MS / 6).catch(() => {});
  return ledger;
}

const viewersOf = ({ readers }) => readers.reduce((sum, { ended, viewers }) => sum + (ended ? 0 : viewers), 0);

const partsOf = ({ delivered, sampled, dropped, retracted, waiting, unknown }) => delivered + sampled + dropped + retracted + waiting + unknown;

// ledgers: [{video, ended, before, after, comments, viewers, shown}]: between the two so many comments were posted to so many viewers,
// which together were shown so many; ended: the processes that have ended at any time, `up` with all its readers. rated: videos
// with a readable rate.
export function checkLedgers(ledgers, report, rated) {
  for (const { video, ended, before, after, comments, viewers, shown = comments * viewers } of ledgers) {
    if (!before || !after) {
      report('ledger', `${video} has none`);
      continue;
    }
    for (const row of [after, ...after.readers]) {
      const where = `${video}, ${row.instanceId ?? 'all'}`, whole = JSON.stringify(row);
      if (partsOf(row) !== row.due) report('ledger', `${where}: ${partsOf(row)} pairs of ${row.due} that were due: ${whole}`);
      if (!row.closes || row.waiting !== 0) report('ledger', `${where} does not close: ${whole}`);
      const alive = row.instanceId && !ended.includes(row.instanceId) && !ended.includes('up');
      if (alive && row.ended) report('ledger', `${where}: a life has ended, and the reader has not: ${whole}`);
      if (row.ended === false && row.unknown) report('ledger', `${where}: unknown, and the reader has not ended: ${whole}`);
    }
    if (viewersOf(after) !== viewers) report('ledger', `${video}: ${viewersOf(after)} viewers, and not ${viewers}: ${JSON.stringify(after)}`);
    for (const [part, wanted] of Object.entries({ due: comments * viewers, delivered: shown, sampled: comments * viewers - shown })) {
      const more = after[part] - before[part];
      if (more !== wanted) report('ledger', `${video}: ${more} more are ${part} after ${comments} comments to ${viewers} viewers, who were shown ${shown}: ${JSON.stringify([before, after])}`);
    }
    if (after.sampled && !rated.includes(video)) report('ledger', `${video} has no readable rate, and ${after.sampled} are sampled: ${JSON.stringify(after)}`);
  }
}

// A reader that ends in order, when all is well: what it says of each video as it goes. Nothing of it is unknown. Lives of it that a
// fault has ended are not judged.
export async function leave(world, videos) {
  const part = world.ofRole('reader').find(({ running }) => running);
  if (!part) return undefined;
  const rows = async (which) => {
    const ledgers = await Promise.all(videos.map((video) => call('GET', `${world.statistics}/videos/${video}/ledger`)));
    return ledgers.flatMap(({ json }) => json.readers).filter((row) => row.instanceId === part.name && which(row));
  };
  const lives = new Set((await rows(({ ended }) => !ended)).map(({ life }) => life));
  await part.kill('SIGTERM');
  return { reader: part.name, rows: await rows(({ life }) => lives.has(life)) };
}

export function checkLeaver(leaver, report) {
  for (const row of leaver?.rows ?? []) {
    if (!row.ended || row.viewers || row.unknown || row.waiting || partsOf(row) !== row.due) report('ledger', `${leaver.reader} has ended in order: ${JSON.stringify(row)}`);
  }
}
