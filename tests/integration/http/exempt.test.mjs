// Limits of addresses are on by default, and what runs on the same machine or in its networks does not notice: clients, bench,
// and the services of docker-compose.yml, which meet in a network of their own.
// Set-ups: embedded, processes.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { bench, at } from '../lib/bench.mjs';
import { health, call } from '../lib/api.mjs';
import { everyPort } from '../lib/checks.mjs';
import { startClients } from '../lib/clients.mjs';
import { requestBytes, RawClient } from '../lib/raw.mjs';
import { scenario } from '../lib/scenario.mjs';

// What the limits have refused, and the comments that came too fast.
async function refused(system) {
  let sum = 0;
  for (const [, url] of everyPort(system)) {
    const { metrics } = await health(url);
    for (const kind of ['streams', 'connections', 'connects', 'posts', 'bytes']) sum += metrics[`chorus_limits_too_many_${kind}_total`];
    sum += metrics.chorus_http_429_responses_total;
  }
  return sum;
}

scenario('chorus clients posts and connects faster than a stranger may', async (t) => {
  const system = await t.system();
  const clients = startClients(t, system, { viewers: 300, rate: 200 });
  await clients.until(async () => (await health(system.comment)).totalComments >= 300, 'three hundred comments');
  const { code, figures } = await clients.stop();
  assert.equal(code, 0, JSON.stringify(figures));
  assert.equal(await refused(system), 0);
});

scenario('chorus bench runs without a refusal', { ms: 60_000 }, async (t) => {
  const system = await t.system();
  const { code, figures, stderr } = await bench(t, { ...at(system), viewers: 300, rate: 200, duration: 1, publishers: 2 });
  assert.equal(code, 0, stderr);
  assert.equal(figures.counts.lost, 0);
  assert.ok(figures.counts.comments > 50, `${figures.counts.comments} comments`);
  assert.equal(await refused(system), 0);
});

const [own] = Object.values(networkInterfaces()).flat().filter(({ family, internal }) => family === 'IPv4' && !internal);

scenario('so does a client at another address of this machine, and with --limit-local it is limited', { skip: !own && 'this machine has no other address' }, async (t) => {
  const connect = async (system) => {
    const url = new URL(system.comment);
    url.hostname = own.address;
    const clients = await Promise.all(Array.from({ length: 300 }, () => RawClient.connect(url).catch(() => undefined)));
    t.after(() => clients.forEach((client) => client?.destroy()));
    const answers = await Promise.all(clients.map(async (client) => {
      await client?.send(requestBytes('GET', '/health'));
      return (await client?.answer().catch(() => undefined))?.status;
    }));
    return answers.filter((status) => status !== 200).length;
  };
  const exempt = await t.system({ flags: { bind: '0.0.0.0' } });
  assert.equal(await connect(exempt), 0);
  assert.equal(await refused(exempt), 0);
  const limited = await t.system({ flags: { bind: '0.0.0.0', 'limit-local': true } });
  assert.ok(await connect(limited) > 0);
  assert.equal((await call('GET', `${limited.comment}/health`)).status, 200, 'an address of its own is not affected');
});
