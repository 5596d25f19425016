// A viewer through npm's `eventsource`: what a Node program written against the standard API gets.
import { EventSource } from 'eventsource';
import { streamFetch } from './scrambled.mjs';
import { until } from './time.mjs';

export class EventSourceViewer {
  comments = [];
  gaps = [];
  connects = []; // the positions announced by `connected`, one per connection
  requests = []; // {url, from} of every connection tried
  retries = 0;

  constructor(reader, { video, user = 'source', query = {} }) {
    const url = new URL('/connect', reader);
    for (const [name, value] of Object.entries({ userid: user, videoid: video, ...query })) url.searchParams.set(name, value);
    this.source = new EventSource(url, {
      fetch: (target, init) => {
        this.requests.push({ url: String(target), from: init.headers['Last-Event-ID'] });
        return streamFetch(target, init);
      },
    });
    this.source.onmessage = ({ data, lastEventId }) => {
      const json = JSON.parse(data);
      if (json.type === 'connected') this.connects.push(lastEventId);
      else this.comments.push(json);
    };
    this.source.addEventListener('gap', ({ data }) => this.gaps.push(JSON.parse(data)));
    this.source.onerror = () => this.retries++;
  }

  opened(times = 1) {
    return until(() => this.connects.length >= times, `connection ${times} of an EventSource`);
  }
  sees(count, ms) {
    return until(() => this.comments.length >= count, () => `${count} comments; has ${this.comments.length}`, ms);
  }
  close() {
    this.source.close();
  }
}
