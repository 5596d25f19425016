import type { Comment, LiveCommentsOptions, Room, State } from './index.js';

export interface UseLiveCommentsOptions extends LiveCommentsOptions {
  /** How many comments are kept, the newest: 200 by default. */
  keep?: number;
}

export interface LiveCommentsView {
  /** Oldest first. */
  comments: (Comment & { own: boolean })[];
  state: State;
  /** How many watch, once the server has said so. */
  viewers: number | undefined;
  /** What moderators have set, and what is pinned, once the server has said so. */
  room: Room | undefined;
  /** How many times comments were missed. */
  gaps: number;
  /** Resolves to the comment as stored; rejects with a ChorusError. */
  post(text: string): Promise<Comment>;
}

/** One stream for as long as the component is mounted, also in Strict Mode. */
export function useLiveComments(options: UseLiveCommentsOptions): LiveCommentsView;
