// Comments and mappings between the two systems.
import assert from 'node:assert/strict';
import { freePorts } from '../integration/lib/ports.mjs';
import { pause, until } from '../integration/lib/time.mjs';
import { post, redirected, register, resolve, watch } from './talk.mjs';

const elsewhere = async () => ({ PORT: String((await freePorts(1))[0]) });
const mapping = (world, video) => world.redis('get', `video:${video}:reader`);

export async function theirCommentsReachOurViewers(world) {
  const [a, b] = [await world.reader('chorus'), await world.reader('chorus')];
  const manager = await world.start('manager', 'chorus');
  const theirs = await world.start('comment', 'original');
  const ours = await world.start('comment', 'chorus', await elsewhere()); // beside theirs
  const owner = (await register(manager, 'seen')).readerUrl;
  const viewers = [await watch(owner, 'seen'), await watch(a, 'seen'), await watch(b, 'seen')];
  const [{ url }] = viewers;
  for (const viewer of viewers) assert.equal(new URL(viewer.url).port, new URL(url).port, 'one reader serves the video');

  const stored = await post(theirs, 'seen', 'from theirs, with "quotes", é and\nlines');
  const numbered = await post(ours, 'seen', 'from ours');
  await post(theirs, 'seen', 'theirs again');
  await post(ours, 'seen', 'ours again');
  for (const viewer of viewers) {
    await viewer.sees('ours again');
    const [first, second, third] = viewer.comments;
    assert.deepEqual(first.json, stored, 'as their service answered it');
    assert.deepEqual([first.id, third.id], [undefined, undefined], 'no number, and none made up');
    assert.deepEqual(second.json, numbered);
    assert.equal(second.id, numbered.id);
    assert.deepEqual(viewer.comments.map(({ json }) => json.comment),
      ['from theirs, with "quotes", é and\nlines', 'from ours', 'theirs again', 'ours again']);
    assert.deepEqual(viewer.gaps, []);
    viewer.close();
  }
}

export async function theirMappingsHoldForUs(world) {
  const [a, b] = [await world.reader('chorus'), await world.reader('chorus')];
  const ours = await world.start('manager', 'chorus', await elsewhere()); // beside theirs
  const theirs = await world.start('manager', 'original', { READER_API_URLS: b.url });
  const comment = await world.start('comment', 'chorus');
  assert.equal((await register(theirs, 'theirs')).action, 'registered');
  assert.deepEqual(await resolve(ours, 'theirs'), { videoid: 'theirs', readerUrl: b.url });
  assert.deepEqual(await register(ours, 'theirs'), { videoid: 'theirs', readerUrl: b.url, action: 'existing' });
  const [direct, led] = [await watch(b, 'theirs'), await watch(a, 'theirs')];
  assert.equal(new URL(led.url).port, new URL(b.url).port, 'our other reader leads there');
  await post(comment, 'theirs', 'hello');
  for (const viewer of [direct, led]) {
    await viewer.sees('hello');
    viewer.close();
  }
  assert.equal(await mapping(world, 'theirs'), b.url);
}

export async function unknownReadersAreHonoured(world) {
  const reader = await world.reader('chorus');
  const ours = await world.start('manager', 'chorus', await elsewhere());
  const nowhere = 'http://reader.elsewhere.invalid:4000';
  const theirs = await world.start('manager', 'original', { READER_API_URLS: nowhere });
  const comment = await world.start('comment', 'chorus');
  await register(theirs, 'far');
  await post(comment, 'far', 'does not move it');
  assert.deepEqual(await register(ours, 'far'), { videoid: 'far', readerUrl: nowhere, action: 'existing' });
  assert.equal(await redirected(reader, 'far'), `${nowhere}/connect`);
  await pause(4_000); // longer than a lease: it must not be taken for a dead reader
  assert.deepEqual(await resolve(ours, 'far'), { videoid: 'far', readerUrl: nowhere });
  assert.equal(await mapping(world, 'far'), nowhere);
}

export async function ourMappingsHoldForThem(world) {
  const [a, b] = [await world.reader('chorus'), await world.reader('chorus')];
  const ours = await world.start('manager', 'chorus', await elsewhere());
  const theirs = await world.start('manager', 'original', { READER_API_URLS: 'http://reader.elsewhere.invalid:4000' });
  const { readerUrl } = await register(ours, 'ours');
  assert.ok([a, b].some(({ url }) => new URL(url).port === new URL(readerUrl).port), readerUrl);
  assert.deepEqual(await register(theirs, 'ours'), { videoid: 'ours', readerUrl, action: 'existing' });
  assert.deepEqual(await resolve(theirs, 'ours'), { videoid: 'ours', readerUrl });
}

export async function ourCommentsReachTheirViewers(world) {
  const reader = await world.reader('original');
  const manager = await world.start('manager', 'chorus', { READER_API_URLS: reader.url });
  const ours = await world.start('comment', 'chorus');
  assert.equal((await register(manager, 'seen')).readerUrl, reader.url);
  const viewer = await watch(reader, 'seen');
  await until(async () => (await world.redis('pubsub', 'numsub', 'video:seen')).endsWith('1'), 'their reader to subscribe');
  const text = 'from ours, with "quotes", é and\nlines';
  const stored = await post(ours, 'seen', text);
  await viewer.sees(text);
  await post(ours, 'seen', 'once more');
  await viewer.sees('once more');
  assert.deepEqual(viewer.comments.map(({ json }) => json.comment), [text, 'once more'], 'each once');
  assert.deepEqual(viewer.comments[0].json, stored);
  viewer.close();
}
