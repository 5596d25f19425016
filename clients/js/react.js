// A hook for React 18 or later: const { comments, state, viewers, room, post } = useLiveComments({ server, video, user, name });
import { useCallback, useEffect, useRef, useState } from 'react';
import { LiveComments } from './index.js';

const NOTHING = { comments: [], state: { name: 'connecting' }, viewers: undefined, room: undefined, gaps: 0 };

// options: those of LiveComments, and keep: how many comments, the newest (200). Another server, video, user or history
// begins again; a new token, callback or name does not. Strict Mode mounts twice: the first client is closed before it has
// asked for anything.
export function useLiveComments({ server, video, user, name, history = 50, keep = 200, ...rest }) {
  const [view, setView] = useState(NOTHING);
  const live = useRef(null), latest = useRef(null);
  latest.current = { name, keep, rest };
  useEffect(() => {
    const change = (next) => setView((last) => ({ ...last, ...next(last) }));
    const tell = (callback, ...args) => latest.current.rest[callback]?.(...args);
    const client = new LiveComments({
      viewers: true, ...latest.current.rest, server, video, user, history, name: latest.current.name,
      token: rest.token && (() => {
        const { token } = latest.current.rest;
        return typeof token === 'function' ? token() : token;
      }),
      onComment(comment, info) {
        change(({ comments }) => ({ comments: [...comments, { ...comment, own: info.own }].slice(-latest.current.keep) }));
        tell('onComment', comment, info);
      },
      onEntry(entry) {
        const stays = ({ id, userid }) => (entry.type === 'purge' ? userid !== entry.userid : entry.type !== 'retract' || id !== entry.target);
        change(({ comments }) => ({ comments: comments.filter(stays) }));
        tell('onEntry', entry);
      },
      onState(state) {
        change(() => ({ state }));
        tell('onState', state);
      },
      onViewers(viewers) {
        change(() => ({ viewers }));
        tell('onViewers', viewers);
      },
      onRoom(room) {
        if (room.type === 'room') change(() => ({ room }));
        tell('onRoom', room);
      },
      onGap(gap) {
        change(({ gaps }) => ({ gaps: gaps + 1 }));
        tell('onGap', gap);
      },
    });
    live.current = client;
    return () => {
      client.close();
      live.current = null;
      setView(NOTHING);
    };
  }, [server, video, user, history]);
  useEffect(() => {
    if (live.current) live.current.name = name;
  }, [name]);
  const post = useCallback((text) => (live.current ? live.current.post(text) : Promise.reject(new Error('The component is not mounted.'))), []);
  return { ...view, post };
}
