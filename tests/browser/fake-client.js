// Stands in for web/chorus.js where a test decides what the stream brings and how posts end: window.fake is the newest.
export class LiveComments {
  constructor(options) {
    Object.assign(this, { options, name: options.name, number: 0, posts: [] });
    window.fake = this;
    queueMicrotask(() => this.state({ name: 'live' }));
  }
  state(state) {
    this.options.onState(state);
  }
  // A comment as the stream brings it. info: {own, replayed}
  emit(comment, { user = 'someone', name, agoMs = 0, more, ...info } = {}) {
    const { video } = this.options, timestamp = new Date(Date.now() - agoMs).toISOString();
    const full = { id: `1-${++this.number}`, userid: user, videoid: video, comment, timestamp, ...(name && { name }), ...(more && { more }) };
    this.options.onComment(full, info);
    return full;
  }
  gap(gap) {
    this.options.onGap({ type: 'gap', ...gap });
    this.number = Number(gap.to.split('-')[1]);
  }
  post(text) {
    return new Promise((resolve, reject) => this.posts.push({ text, name: this.name, resolve, reject }));
  }
  // How the n-th post ends: its comment comes in the answer, and by the stream if that is wanted.
  answer(n, { stream = true } = {}) {
    const { text, name, resolve } = this.posts[n], { user, video } = this.options;
    if (stream) return resolve(this.emit(text, { user, name, own: true }));
    resolve({ id: `1-${++this.number}`, userid: user, videoid: video, comment: text, name, timestamp: new Date().toISOString() });
  }
  refuse(n, { message = 'No.', ...fields }) {
    this.posts[n].reject(Object.assign(new Error(message), fields));
  }
  async room() {
    throw new Error('no room');
  }
  comments(query) {
    return new Promise((resolve, reject) => Object.assign(this, { query, resolve, reject }));
  }
  close() {
    this.closed = true;
  }
}
