// The numbers of one /statistics are of one moment, whatever the parts' reports are spread over.
// CI also: processes. There parts are asked for reports through Redis.
import assert from 'node:assert/strict';
import { call, owner, post, postMany, statistics } from '../lib/api.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

// Reports that nobody asks for come too late for this test, but for the first ones.
const flags = { 'statistics-interval-ms': 60_000 };

async function reported(system) {
  return until(async () => {
    const found = await statistics(system);
    return found.commentApi.lastUpdated && found.readerApiManager.lastUpdated && found.readerApis.totalReaders === 3 && found;
  }, 'the first reports');
}

function checkAgreement({ commentApi, storedComments, readerApis }, before, after) {
  const { totalComments } = commentApi;
  assert.equal(Object.values(commentApi.commentsByVideo).reduce((all, count) => all + count, 0), totalComments, 'the videos of one comment API');
  assert.equal(readerApis.readers.reduce((all, { messagesSent }) => all + messagesSent, 0), readerApis.totalMessagesSent);
  assert.ok(totalComments >= before, `${totalComments} counted, ${before} were answered before the request`);
  assert.ok(storedComments.total >= totalComments && storedComments.total <= after, `${storedComments.total} stored, ${totalComments} counted, ${after} posted`);
}

scenario('under load, a document has what was answered before it was asked for', { ms: 60_000 }, async (t) => {
  const system = await t.system({ flags });
  await owner(system, 'v0');
  await reported(system);
  let posted = 0;
  let answered = 0;
  let stop = false;
  const posters = Array.from({ length: 4 }, async (_, poster) => {
    while (!stop) {
      posted++;
      await post(system, `v${poster}`, 'text');
      answered++;
    }
  });
  try {
    for (let round = 0; round < 8; round++) {
      const before = answered;
      // A document is at most as old as the last time when the parts were asked.
      const found = await until(async () => {
        const document = await statistics(system);
        return document.commentApi.totalComments >= before && document;
      }, 'a document of now');
      checkAgreement(found, before, posted);
      await until(() => answered > before + 20, 'more comments');
    }
  } finally {
    stop = true;
    await Promise.all(posters);
  }
});

scenario('in a fresh system that is quiet all numbers are equal', async (t) => {
  const system = await t.system({ flags });
  const reader = await owner(system, 'v');
  await reported(system);
  const viewers = [await t.watch(reader, { video: 'v' }), await t.watch(reader, { video: 'v' })];
  await postMany(system, 'v', 57);
  for (const viewer of viewers) await viewer.sees(57);
  const found = await until(async () => {
    const document = await statistics(system); // without a part's figures of now where it is too slow to answer
    return document.readerApis.totalMessagesSent === 2 * 57 && document.commentApi.totalComments === 57 && document;
  }, 'all deliveries');
  assert.equal(found.storedComments.total, 57);
  assert.deepEqual(found.commentApi.commentsByVideo, { v: 57 });
  assert.equal(found.readerApis.totalActiveConnections, 2);
  assert.deepEqual(found.commentApi.activeTopics, ['video:v']);
});

scenario('a part that does not answer delays the document once, and not for long', async (t) => {
  const system = await t.system({ flags });
  await reported(system);
  const silent = { instanceId: 'silent', askedOn: 'reports', activeConnections: 3 };
  assert.equal((await call('POST', `${system.statistics}/reader-api-statistics`, { json: silent })).status, 200);
  for (let round = 0; round < 3; round++) {
    await post(system, 'v', `${round}`);
    const found = await until(async () => {
      const document = await statistics(system);
      return document.commentApi.totalComments === round + 1 && document;
    }, 'a document with the comment');
    assert.equal(found.readerApis.totalReaders, 4);
  }
});
