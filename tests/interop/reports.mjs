// The figures that the original's services post, and those that ours post to it.
import assert from 'node:assert/strict';
import { until } from '../integration/lib/time.mjs';
import { post, register, statistics, watch } from './talk.mjs';

// Our comment API reports no topics: our statistics service takes them from the readers.
const reported = (maker, reporter) => async (world) => {
  const service = await world.start('statistics', maker);
  const reader = await world.reader(reporter);
  const manager = await world.start('manager', reporter, { READER_API_URLS: reader.url });
  const comment = await world.start('comment', reporter);
  await register(manager, 'told');
  const viewer = await watch(reader, 'told');
  await until(async () => (await world.redis('pubsub', 'numsub', 'video:told')).endsWith('1'), 'the reader to subscribe');
  await post(comment, 'told', 'one');
  await post(comment, 'told', 'two');
  await viewer.sees('two');
  await until(async () => {
    const { commentApi, readerApis, readerApiManager } = await statistics(service);
    assert.equal(commentApi.totalComments, 2);
    assert.deepEqual(commentApi.commentsByVideo, { told: 2 });
    if (maker === 'chorus' || reporter === 'original') assert.deepEqual(commentApi.activeTopics, ['video:told']);
    assert.equal(readerApis.totalReaders, 1);
    assert.equal(readerApis.totalActiveConnections, 1);
    assert.equal(readerApis.totalMessagesSent, 2);
    assert.deepEqual(readerApis.allSubscribedTopics, ['video:told']);
    assert.equal(readerApis.readers[0].instanceId, new URL(reader.url).host);
    assert.equal(readerApiManager.registeredVideos, 1);
    assert.equal(readerApiManager.registrationCount, 1);
    assert.equal(Object.keys(readerApiManager.videoMappings).join(), 'told');
    return true;
  }, 'the document to tell all', 15_000);
  for (const { output } of world.processes) assert.doesNotMatch(output, /Error sending statistics/);
  viewer.close();
};

export const theirsToOurs = reported('chorus', 'original');
export const oursToTheirs = reported('original', 'chorus');
