// Types of the replay of a recording's comments.
import type { Comment, CommentInfo, Entry, Environment, Gap, LiveComments, State } from './index.js';

/** What a replay goes by: a `<video>`, `<audio>`, or whatever plays the recording. It is looked at ten times a second. */
export interface RecordingClock {
  /** Seconds since the beginning of the recording. */
  readonly currentTime: number;
  /** How fast it plays; 1 if there is none. Faster needs more ahead. */
  readonly playbackRate?: number;
  /** While it is true, the clock is on its way to another place, and nothing is shown. */
  readonly seeking?: boolean;
}

export interface ReplayInfo extends CommentInfo {
  /** Where in the recording, in seconds. */
  at: number;
}

export interface ReplayOptions {
  /** The address of the comment API, or of an archive. Default: where chorus.js comes from. */
  server?: string | URL;
  video: string;
  clock: RecordingClock;
  /** When the recording begins, in ms after the video's `start`; less than 0: before it. Default: 0. */
  offsetMs?: number;
  /** Whose comments are `own`. */
  user?: string;
  /** How many comments are shown at a new place: the newest up to there. 0 to 2,000, default 50. */
  history?: number;
  /** Sent as `Authorization: Bearer …` with each request; a function is called for each. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  fetch?: typeof fetch;
  env?: Environment;

  /** In the order of the log. `replayed`: it was said before the place at which the clock is. */
  onComment?(comment: Comment, info: ReplayInfo): void;
  onEntry?(entry: Entry | { type: 'start' | 'end'; id: string; timestamp: string }): void;
  onGap?(gap: Gap): void;
  /** `replaying`, `ended` when the clock is at the end; `reconnecting` while nothing can be read; `refused`. */
  onState?(state: State): void;
  /** The clock is at another place: take off all that is shown, and nothing is pinned. What belongs there follows. */
  onSeek?(): void;
}

/** The comments of a recording, beside its clock. */
export class Replay {
  constructor(options: ReplayOptions);
  readonly state: State;
  /** Comments after a position, of all that there are. `limit`: 1-10,000, default 50. */
  comments(query?: { after?: string; limit?: number }): Promise<{ videoid: string; comments: Comment[]; more: boolean }>;
  close(): void;
}

/**
 * How long the comments of a video go on after its start, in ms; 0 if there are none. It asks some ten times for a few lines, and
 * throws a ChorusError if it is refused.
 */
export function lengthOf(client: LiveComments | Replay): Promise<number>;
