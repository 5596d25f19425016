// The data folder comes back as an older copy, with the clock behind: viewers that reconnect still receive comments.
// Set-ups: embedded.
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { owner, post, postMany } from '../lib/api.mjs';
import { Clock, withoutOwnFaketime } from '../lib/faketime.mjs';
import { parseId } from '../lib/journal.mjs';
import { scenario } from '../lib/scenario.mjs';

for (const copy of ['an older copy', 'nothing']) {
  scenario(`the data folder comes back with ${copy} in it, with the clock an hour behind`, { disk: true, setups: ['embedded'], skip: withoutOwnFaketime }, async (t) => {
    const clock = new Clock(t.folder());
    const system = await t.system({ stable: true, env: clock.env });
    const reader = await owner(system, 'v');
    const viewer = await t.watch(reader, { video: 'v' });
    const kept = join(t.folder(), 'copy');
    await viewer.reaches((await postMany(system, 'v', 5)).at(-1).id);
    await system.kill9();
    cpSync(system.dataDir, kept, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    await system.restart();
    const lost = (await postMany(system, 'v', 5)).at(-1);
    const again = await viewer.again().connect(reader);
    t.after(() => again.close());
    await again.reaches(lost.id);
    await system.kill9();
    rmSync(system.dataDir, { recursive: true });
    if (copy === 'an older copy') cpSync(kept, system.dataDir, { recursive: true });
    clock.set(-3_600);
    await system.restart();
    const third = await again.again().connect(reader);
    t.after(() => third.close());
    await third.wait(() => third.gaps.length, 'a gap');
    assert.equal(third.gaps[0].reason, 'epoch');
    const numbers = new Set(third.comments.map(({ id }) => id));
    for (let i = 0; i < 3; i++) {
      const { id } = await post(system, 'v', `after ${i}`);
      assert.ok(!numbers.has(id), 'a number of its own');
      assert.ok(parseId(id).seq > 0);
      await third.reaches(id);
    }
  });
}
