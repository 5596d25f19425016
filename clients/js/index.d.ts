// Types of the client of Chorus, live comments for live video.

/** A comment, as the server stores it. */
export interface Comment {
  /** Its position in the video's log, `<epoch>-<number>`. */
  id: string;
  userid: string;
  videoid: string;
  comment: string;
  /** The name to display, if its author has given one. */
  name?: string;
  /** ISO 8601, with milliseconds. */
  timestamp: string;
  /** How many comments just before it were left out, where the video has a readable rate. */
  more?: number;
}

export interface CommentInfo {
  /** Whether the user of this client wrote it, in whichever tab. */
  own: boolean;
  /** Whether it was posted before the stream began: it comes from the history, or after a reconnect. */
  replayed: boolean;
}

/** Comments that this client has missed and that the stream will not bring. */
export interface Gap {
  type: 'gap';
  /** The first and the last position missed. */
  from: string;
  to: string;
  /** How many, or null if that is not known. */
  missed: number | null;
  /**
   * `expired`, `slow`, `epoch`: see "Numbers and resuming" in docs/concepts.md. Two are of the client: `lost`, the server has
   * resumed later than it was asked to; `order`, it has sent events out of order, and the late ones are not shown.
   */
  reason: 'expired' | 'slow' | 'epoch' | 'lost' | 'order';
}

/** What moderators have done, as an entry of the log with a position of its own. */
export type Entry =
  /** The comment `target` was deleted: take it off the screen. */
  | { type: 'retract'; id: string; target: string; timestamp: string }
  /** All comments of this user so far were. */
  | { type: 'purge'; id: string; userid: string; timestamp: string }
  /** The comment `target` is pinned now; null: none is. */
  | { type: 'pin'; id: string; target: string | null; timestamp: string };

export interface State {
  /**
   * `connecting`: at first. `live`: comments arrive. `reconnecting`: the stream was lost, or there was none yet; the next
   * attempt is in `retryInMs`. For good: `ended`, the video is over; `refused`, the server does not accept this user, video or
   * token. `replaying`: only of a replay, instead of `live`.
   */
  name: 'connecting' | 'live' | 'reconnecting' | 'ended' | 'refused' | 'replaying';
  retryInMs?: number;
  /** Why, as a sentence and as a stable word: what the server answered; or `unreachable`, `timeout`, `http_<status>`. */
  error?: string;
  code?: string;
}

/** The values of `env`, for tests and unusual places. What is not given is the browser's. */
export interface Environment {
  fetch?: typeof fetch;
  /** Milliseconds; what tabs have must be comparable. */
  now?: () => number;
  random?: () => number;
  setTimeout?: (run: () => void, ms: number) => unknown;
  clearTimeout?: (timer: any) => void;
  /** The target of pagehide, pageshow, freeze, resume and online. */
  page?: EventTarget;
  BroadcastChannel?: typeof BroadcastChannel;
  locks?: LockManager;
}

export interface LiveCommentsOptions {
  /** The address of the comment API, absolute or relative to the page. Default: where chorus.js comes from. */
  server?: string | URL;
  /** Ids of the video and the user: 1-128 characters of `A-Z a-z 0-9 . _ ~ - : @`. */
  video: string;
  user: string;
  /** The name to display beside what this user posts, 1-64 bytes. */
  name?: string;
  /** How many of the newest comments come first: 0 to 1000, default 0. Not with `since`. */
  history?: number;
  /** The position to resume after: what `position` of an earlier client was. */
  since?: string;
  /**
   * Whether all comments are sent, where the video has a readable rate. With tokens it needs the right `everything` or `moderate`, and
   * is ignored without. Default: false.
   */
  everything?: boolean;
  /** Whether the server sends how many watch. Default: false. */
  viewers?: boolean;
  /**
   * Whether the tabs of this browser that watch the same video of the same server share one stream. Default: true. Outside of a
   * page (Node.js, workers) nothing is shared.
   */
  share?: boolean;
  /** Sent as `Authorization: Bearer …` with each request; a function is called for each, so that it can renew the token. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Instead of the global fetch. */
  fetch?: typeof fetch;
  env?: Environment;

  /** In the order of the log, each once. */
  onComment?(comment: Comment, info: CommentInfo): void;
  onGap?(gap: Gap): void;
  /** In the order of the log, between the comments. */
  onEntry?(entry: Entry): void;
  onState?(state: State): void;
  /** How many watch the video, in all; needs `viewers`. */
  onViewers?(viewers: number): void;
  /** Events of the moment but the count of viewers, such as the room and its changes; needs `viewers`, or several tabs. */
  onRoom?(room: Room | { type: string }): void;
}

/** What moderators have set for the video: docs/moderation.md. 0, false and no badges are off. */
export interface Room {
  type: 'room';
  revision: number;
  slow_ms: number;
  rate: number;
  max_length: number;
  only: string[];
  unique: boolean;
  delay_ms: number;
  hold: boolean;
  frozen: boolean;
  readable_rate: number;
  /** The video has ended. */
  over: boolean;
  /** The id of the comment that is pinned: an earlier server does not say. */
  pinned?: string | null;
  /** The position of the log that this is not older than: a `pin` after it is newer than `pinned`. */
  after?: string;
}

/** What post(), comments() and react() throw. The message is the server's sentence. */
export class ChorusError extends Error {
  name: 'ChorusError';
  /** The status of the answer, 0 without one. */
  status: number;
  /** The server's stable word; or `unreachable`, `timeout`, `http_<status>`. */
  code: string;
  /** When to try again, if the server has said so (429, 503). */
  retryAfterMs?: number;
}

/** A page of kept comments, oldest first. */
export interface Page {
  videoid: string;
  comments: Comment[];
  /** Whether there are more in the direction of the page. */
  more: boolean;
}

/** The live comments of one video. Connects as soon as it is made. */
export class LiveComments {
  constructor(options: LiveCommentsOptions);
  readonly state: State;
  /** The position of the newest event shown, `''` before the first connection. Keep it, and give it as `since`, to resume. */
  readonly position: string;
  /** May be changed at any time, for what is posted from then on. */
  name: string | undefined;
  /**
   * Posts a comment and returns it as stored. Tries again for up to 20 s if there is no answer, or 502, 503 or 504; then throws
   * a ChorusError, as for every other answer at once. A text has one idempotency key until it is taken: so to post the same text
   * again, after an error or in impatience, never stores it twice.
   */
  post(text: string): Promise<Comment>;
  /** The newest kept comments; or those after or before a position. `limit`: 1-200, default 50. */
  comments(query?: { before?: string; after?: string; limit?: number }): Promise<Page>;
  /** The room as it is now, also of a video that has ended. */
  room(): Promise<Omit<Room, 'type' | 'after'>>;
  /**
   * Reacts, with `heart` for instance, `n` times (1, 20 at most); every viewer who asks sees how many have. Throws `too_fast`
   * beyond ten a second: so add up what is tapped faster.
   */
  react(kind: string, n?: number): Promise<{ success: true }>;
  /** Ends the stream, or leaves it to other tabs. No callback comes after it. */
  close(): void;
}
