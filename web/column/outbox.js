// Own comments on their way: shown at once, confirmed by their ids, or marked as failed with their text kept. The same text is
// not sent twice at the same time. The client repeats what gets no answer; here it is only said.
import { compareIds } from './text.js';

const SLOW_MS = 4_000;

export class Outbox {
  #list;
  #client;
  #onLimit;
  #onEdit;
  #words;
  #entries = new Set(); // {comment, client, row, id, failed}

  // client() -> the client to post with, which keeps the key of a text that fails; onLimit(ms, text) -> whether the text is back in the composer; onEdit(text).
  constructor({ list, client, onLimit, onEdit, words }) {
    this.#list = list;
    this.#client = client;
    this.#onLimit = onLimit;
    this.#onEdit = onEdit;
    this.#words = words;
  }

  // author: {userid, name}. Returns false if the same text is already on its way.
  send(text, author) {
    for (const entry of this.#entries) if (entry.comment.comment === text && !entry.id && !entry.failed) return false;
    const comment = { ...author, comment: text, timestamp: new Date().toISOString() };
    const entry = { comment, client: this.#client(), row: this.#list.addPending(comment) };
    this.#entries.add(entry);
    this.#try(entry);
    return true;
  }

  async #try(entry) {
    entry.failed = false;
    entry.row.sending();
    const slow = setTimeout(() => entry.row.sending(this.#words.retrying), SLOW_MS);
    try {
      this.#confirm(entry, await entry.client.post(entry.comment.comment));
    } catch (error) {
      if (this.#entries.has(entry)) this.#onFailure(entry, error);
    } finally {
      clearTimeout(slow);
    }
  }

  #confirm(entry, stored) {
    if (!this.#entries.has(entry)) return;
    if (!stored.id) return entry.row.sending(this.#words.waiting); // for a moderator, or for a while: its text finds it
    entry.id = stored.id;
    entry.comment = stored;
    entry.row.sent();
  }

  #onFailure(entry, error) {
    if (error.status === 429 && this.#onLimit(error.retryAfterMs ?? 1_000, entry.comment.comment)) return this.#forget(entry);
    entry.failed = true;
    entry.row.failed(error.status ? error.message : this.#words.noAnswer, {
      again: () => {
        this.#list.focus(); // its button disappears
        this.#try(entry);
      },
      edit: () => {
        this.#onEdit(entry.comment.comment);
        this.#forget(entry);
      },
      discard: () => {
        this.#forget(entry);
        this.#onEdit('');
      },
    });
  }

  #forget(entry) {
    this.#entries.delete(entry);
    this.#list.remove(entry.row);
  }

  // The stream has brought a comment: the own row that it replaces, or undefined. Own ones that were answered and should have
  // come before it were in a gap, and are put in their place.
  take(comment, own) {
    for (const entry of this.#entries) {
      if (!entry.id || compareIds(entry.id, comment.id) >= 0) continue;
      this.#entries.delete(entry);
      this.#list.add(entry.comment, { own: true, pending: entry.row });
    }
    if (!own) return undefined;
    for (const entry of this.#entries) {
      if (entry.id ? entry.id !== comment.id : entry.comment.comment !== comment.comment) continue;
      this.#entries.delete(entry);
      return entry.row;
    }
    return undefined;
  }

  stop() {
    this.#entries.clear();
  }
}
