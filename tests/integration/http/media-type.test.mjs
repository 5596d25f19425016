import assert from 'node:assert/strict';
import { call } from '../lib/api.mjs';
import { checkError } from '../lib/checks.mjs';
import { scenario } from '../lib/scenario.mjs';

const takers = (system) => [
  [`${system.manager}/register`, 200, { videoid: 'v' }],
  [`${system.comment}/register`, 200, { videoid: 'v' }],
  [`${system.comment}/comment`, 201, { userid: 'u', videoid: 'v', comment: 'hi' }],
  [`${system.statistics}/client-statistics`, 200, { clientId: 'c' }],
];

scenario('a body that is not application/json is 415', async (t) => {
  const system = await t.system();
  const urls = [...takers(system), [`${system.readers[0]}/connect`, 200, { userid: 'u', videoid: 'v' }]];
  for (const [url, , json] of urls) {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'x', '']) {
      const answer = await call('POST', url, { body: JSON.stringify(json), headers: { 'content-type': type } });
      checkError(answer, 415, `${url} ${type}`);
    }
    checkError(await call('POST', url, { body: JSON.stringify(json) }), 415, `${url} without a type`);
  }
});

scenario('application/json is accepted with parameters and in any case', async (t) => {
  const system = await t.system();
  for (const [url, status, json] of takers(system)) {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON;charset=UTF-8', 'application/json ;x="y"']) {
      const answer = await call('POST', url, { body: JSON.stringify(json), headers: { 'content-type': type } });
      assert.equal(answer.status, status, `${url} ${type}: ${answer.text}`);
    }
  }
});
