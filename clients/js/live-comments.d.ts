import type { Comment, CommentInfo, Entry, Gap, LiveComments, State } from './index.js';
import type { RecordingClock, Replay } from './replay.js';

export interface LiveCommentsEventMap {
  /** Of every comment, also of those that are not shown. */
  comment: CustomEvent<{ comment: Comment; at?: number } & CommentInfo>;
  state: CustomEvent<State>;
  /** A comment was deleted, or pinned: the column shows it by itself. */
  entry: CustomEvent<Entry>;
  gap: CustomEvent<Gap>;
  viewers: CustomEvent<{ viewers: number }>;
}

/** `<live-comments>`: see "The element" in docs/clients.md. Attributes and properties may change at any time. */
export class LiveCommentsElement extends HTMLElement {
  video: string;
  server: string;
  user: string;
  name: string;
  history: string | number;
  theme: string;
  readonly: boolean;
  /** The id of the `<video>` by which the comments of a recording are replayed; or empty, with `clock`. Without the attribute they are live. */
  replay: string;
  /** What the replay goes by instead of a `<video>` of this document. */
  clock: RecordingClock | undefined;
  /** When the recording begins, in ms after the video's `start`. */
  offsetMs: string | number;
  /** The address of the archive to replay from; by default the server's. */
  archive: string;
  token: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** What it says, in another language. What is not given stays. */
  words: Record<string, string | ((...values: any[]) => string)>;
  /** The user's id and name in use, whether the page gave them or they were made. */
  get userid(): string;
  get authorName(): string;
  get state(): State;
  get viewers(): number | undefined;
  /** The id of the comment that is pinned, as far as it is known. */
  get pinned(): string | null;
  /** The client underneath, while there is a video. */
  get live(): LiveComments | Replay | undefined;
  /** While it is true, nothing that comes moves what is shown: it waits, as for a reader who has scrolled up. */
  still: boolean;
  /** A comment that is shown, or waits to be. */
  find(id: string): Comment | undefined;
  /** Sends a comment as if it had been typed. Returns false if it cannot be sent, or is on its way already. */
  post(text: string): boolean;
  addEventListener<Name extends keyof LiveCommentsEventMap>(
    type: Name, listener: (event: LiveCommentsEventMap[Name]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'live-comments': LiveCommentsElement;
  }
}
