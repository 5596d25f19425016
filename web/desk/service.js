// What moderators ask of the comment API. What it refuses is thrown with its sentence.
import { ChorusError } from '../chorus.js';

const PATIENCE_MS = 10_000;

export class Service {
  token = ''; // '': the cookie, or none
  #path;

  constructor(video) {
    this.#path = `/videos/${encodeURIComponent(video)}/`;
  }

  async ask(method, what, json) {
    const headers = { ...(json && { 'content-type': 'application/json' }), ...(this.token && { authorization: `Bearer ${this.token}` }) };
    let response, answer;
    try {
      response = await fetch(this.#path + what, { method, headers, body: json && JSON.stringify(json), signal: AbortSignal.timeout(PATIENCE_MS) });
      answer = response.status === 204 ? {} : await response.json();
    } catch {
      throw new ChorusError(response ? `The server answered ${response.status}.` : 'The server does not answer.', response?.status);
    }
    if (!response.ok) throw new ChorusError(answer.error, response.status, answer.code);
    return answer;
  }
}
