// Set-ups: embedded, up-redis.
import assert from 'node:assert/strict';
import { owner } from '../lib/api.mjs';
import { exchange, requestBytes } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

scenario("the authority of an absolute target counts, whatever the Host", { setups: ['embedded', 'up-redis'] }, async (t) => {
  const system = await t.system({ readers: 2, flags: { 'public-host': 'watch.example' } });
  const mine = await owner(system, 'v');
  const other = system.readers.find((url) => url !== mine);
  const inside = new URL(other).host;
  const publicUrl = `http://watch.example:${new URL(mine).port}`;
  const query = '/connect?userid=u&videoid=v';
  for (const [target, host, base] of [
    [query, inside, mine], [query, 'page.example', publicUrl],
    [`http://${inside}${query}`, 'page.example', mine], [`http://page.example${query}`, inside, publicUrl],
    [`HTTP://${inside}//connect/?userid=u&videoid=v`, 'page.example', mine],
  ]) {
    const answer = await exchange(other, requestBytes('GET', target, { host }));
    assert.equal(answer.status, 307, `${target} ${host}`);
    assert.ok(answer.headers.location.startsWith(base + query), `${answer.headers.location} for ${target} ${host}`);
  }
});
