// Of undici's parts those that the tests use. All of them take 0.07 s of CPU to load, which each of some 700 processes would pay.
import api from 'undici/lib/api/index.js';
import buildConnector from 'undici/lib/core/connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import { getGlobalDispatcher } from 'undici/lib/global.js';

export { Agent, buildConnector };

// As undici's own request().
export function request(url, { dispatcher = getGlobalDispatcher(), ...options } = {}) {
  const { origin, pathname, search } = new URL(url);
  return api.request.call(dispatcher, { ...options, origin, path: pathname + search, method: options.method || (options.body ? 'PUT' : 'GET') });
}
