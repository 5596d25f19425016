// An older backup is restored under viewers that go on running: they get a gap, and no number is given twice.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { chownSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { owner, post, postMany } from '../lib/api.mjs';
import { EventSourceViewer } from '../lib/eventsource.mjs';
import { Clock, withoutOwnFaketime } from '../lib/faketime.mjs';
import { run } from '../lib/process.mjs';
import { scenario } from '../lib/scenario.mjs';
import { until } from '../lib/time.mjs';

const chorus = async (words, env) => {
  const { code, stdout, stderr } = await run(words, { env });
  assert.equal(code, 0, stderr);
  return stdout;
};

// What a number stands for, over the whole history; a number that comes again with another text fails.
class Numbers {
  texts = new Map();
  add({ id, comment }) {
    assert.equal(this.texts.get(id) ?? comment, comment, `${id} is given twice`);
    this.texts.set(id, comment);
  }
}

const setups = ['embedded'];
const clocks = [['a clock that is right', false], ['a clock that is behind', withoutOwnFaketime]];
for (const [name, skip] of clocks) {
  const behind = name.endsWith('behind');
  scenario(`an older backup restored under running viewers, with ${name}`, { disk: true, setups, skip, ms: 60_000 }, async (t) => {
    const clock = new Clock(t.folder());
    const env = behind ? clock.env : {};
    const system = await t.system({ stable: true, env });
    const numbers = new Numbers();
    const say = async (text) => {
      const comment = await post(system, 'v', text);
      numbers.add(comment);
      return comment;
    };
    const reader = await owner(system, 'v');
    const sources = [0, 1].map(() => new EventSourceViewer(reader, { video: 'v' }));
    t.after(() => sources.forEach((source) => source.close()));
    const all = async ({ id }) => until(() => sources.every((source) => source.comments.at(-1)?.id === id), `${id} at each viewer`, 20_000);
    await Promise.all(sources.map((source) => source.opened()));
    if (behind) clock.set(-3_600); // from now on numbers are counted up, rather than taken from the clock
    await system.restart();
    await say('before 1');
    await all(await say('before 2'));

    const file = join(t.folder(), 'backup.db');
    assert.match(await chorus(['backup', file, '--data', system.dataDir], env), /written and checked: 1 video, 2 entries/);
    await say('lost 1');
    await all(await say('lost 2'));
    await system.restart(); // which begins an epoch that the backup does not know
    await all(await say('lost 3'));

    await system.stop();
    const said = await chorus(['restore', file, '--data', system.dataDir, '--force'], env);
    assert.match(said, /has what .* holds: 1 video, 2 entries[^]*What it had before is in .*before-restore-/);
    await system.start();
    const comments = [];
    for (let i = 0; i < 5; i++) comments.push(await say(`after ${i}`)); // perhaps before any viewer is back
    await all(comments.at(-1));
    for (const source of sources) {
      assert.equal(source.source.readyState, 1, 'it was never closed for good');
      assert.ok(source.gaps.some(({ reason }) => reason === 'epoch'), JSON.stringify(source.gaps));
      for (const comment of source.comments) numbers.add(comment);
    }
    const texts = sources[0].comments.map(({ comment }) => comment);
    assert.deepEqual(texts.slice(0, 5), ['before 1', 'before 2', 'lost 1', 'lost 2', 'lost 3']);
    const seen = texts.slice(5);
    assert.deepEqual(seen, comments.map(({ comment }) => comment).slice(-seen.length), 'what follows the gap is whole');

    const late = await t.watch(await owner(system, 'v'), { video: 'v', query: { history: 50 } });
    await late.reaches(comments.at(-1).id);
    assert.deepEqual(late.comments.map(({ comment }) => comment), ['before 1', 'before 2', ...comments.map(({ comment }) => comment)]);
  });
}

scenario('what the backup does not know is kept aside, and can be restored in turn', { disk: true, setups }, async (t) => {
  const system = await t.system({ stable: true });
  await postMany(system, 'v', 3);
  const file = join(t.folder(), 'backup.db');
  await chorus(['backup', file, '--data', system.dataDir]);
  await post(system, 'v', 'newer');
  await system.stop();
  const refused = await run(['restore', file, '--data', system.dataDir]);
  assert.deepEqual([refused.code, refused.stdout], [1, '']);
  assert.match(refused.stderr, /^chorus restore: .* has data; choose another folder, or replace it with --force, which keeps it aside\.\n$/);
  await chorus(['restore', file, '--data', system.dataDir, '--force']);
  const [aside] = readdirSync(system.dataDir).filter((name) => name.startsWith('before-restore-'));
  assert.match(await chorus(['check', '--data', join(system.dataDir, aside)]), /is sound: 1 video, 4 entries/);
  assert.match(await chorus(['check', '--data', system.dataDir]), /is sound: 1 video, 3 entries/);
  await chorus(['restore', join(system.dataDir, aside, 'chorus.db'), '--data', system.dataDir, '--force']);
  await system.start();
  const viewer = await t.watch(await owner(system, 'v'), { video: 'v', query: { history: 50 } });
  await viewer.sees(4);
  assert.equal(viewer.comments.at(-1).comment, 'newer');
});

scenario('a restore needs a sound file, and a folder that no process uses; else everything stays', { disk: true, setups }, async (t) => {
  const system = await t.system();
  await postMany(system, 'v', 3);
  const [folder, empty] = [t.folder(), t.folder()];
  const file = join(folder, 'backup.db');
  await chorus(['backup', file, '--data', system.dataDir]);
  const before = readdirSync(system.dataDir);
  const cases = [
    [['restore', file, '--data', system.dataDir, '--force'], /a process of Chorus uses the data folder .*; stop it first/],
    [['restore', join(folder, 'none.db'), '--data', empty], /there is no .*none\.db/],
    [['restore', new URL(import.meta.url).pathname, '--data', empty], /not a database of Chorus/],
    [['restore', folder, '--data', empty], /is a folder; name the file in it, such as chorus\.db/],
  ];
  for (const [words, pattern] of cases) {
    const { code, stderr } = await run(words);
    assert.equal(code, 1);
    assert.match(stderr, pattern);
  }
  assert.deepEqual(readdirSync(system.dataDir), before);
  assert.deepEqual(readdirSync(empty), ['chorus.lock']);
  assert.equal((await run(['restore'])).code, 2);
  const { id } = await post(system, 'v', 'it runs on');
  assert.ok(id);
});

scenario('what root restores belongs to the owner of the folder', { setups, disk: true, skip: process.getuid() !== 0 && 'only root can give files away' }, async (t) => {
  const [folder, backups] = [t.folder(), t.folder()];
  const file = join(backups, 'backup.db');
  const system = await t.system();
  await chorus(['backup', file, '--data', system.dataDir]);
  for (const options of [[], ['--force']]) {
    chownSync(folder, 12345, 23456);
    await chorus(['restore', file, '--data', folder, ...options]);
    const owners = ['.', ...readdirSync(folder)].map((name) => statSync(join(folder, name)));
    assert.deepEqual(owners.map(({ uid, gid }) => [uid, gid]), owners.map(() => [12345, 23456]));
  }
});

// kill -9 between its two last steps, which are to move the old database aside, and the new one in its place.
scenario('after a restore that was killed Chorus does not start empty, and the next one gives no number twice', { disk: true, setups, skip: withoutOwnFaketime }, async (t) => {
  const clock = new Clock(t.folder());
  const system = await t.system({ stable: true, env: clock.env });
  const file = join(t.folder(), 'backup.db');
  await chorus(['backup', file, '--data', system.dataDir]);
  const old = await post(system, 'v', 'not in the backup');
  await system.stop();
  clock.set(-3_600);
  await chorus(['restore', file, '--data', system.dataDir, '--force'], clock.env);
  renameSync(join(system.dataDir, 'chorus.db'), join(system.dataDir, 'chorus.db.restoring'));
  const { code, stderr } = await run(['up', '--single-port', '--comment-port', '0', '--data', system.dataDir]);
  assert.equal(code, 1);
  assert.match(stderr, /^chorus up: a restore into .* was interrupted; run it again, or remove .*chorus\.db\.restoring to start without data/);
  await chorus(['restore', file, '--data', system.dataDir], clock.env);
  await system.start();
  const { id } = await post(system, 'v', 'new');
  assert.ok(BigInt(id.split('-')[0]) > BigInt(old.id.split('-')[0]), `${id} after ${old.id}`);
});
