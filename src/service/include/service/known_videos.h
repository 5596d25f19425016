// Which videos exist, where only those do that a service has created (--videos known), and whether they are
// open: a cache of their settings in the store (engine.h), for all roles of a process. Control loop only.
//
// A change arrives as a message on the topic KNOWN_VIDEOS_TOPIC; if that is lost, within seconds. What does
// not exist is not remembered: a video exists everywhere once the request that created it is answered. While
// the store is away, what was known last counts.
//
// Bounds: 50,000 videos that nothing waits for, 16,384 that the store is asked for, and
// KNOWN_WAITING_OF_ADDRESS requests of an address that wait. Whatever is invented, the store gets one query
// at a time, 500 a second at most, each for up to ENGINE_SETTINGS_BATCH videos.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"
#include "net/address_limits.h"

struct http_exchange;
struct known_videos;
struct loop;
struct service;

#define KNOWN_VIDEOS_TOPIC "videos"

enum video_state {
    VIDEO_UNSURE,  // the store has to be asked; as an answer: it does not reply
    VIDEO_UNKNOWN, // there is no such video
    VIDEO_OPEN,
    VIDEO_CLOSED // may be watched and read, but not commented on
};

// "open" or "closed", as in PUT /videos/:id and in the store.
const char *video_state_name(enum video_state);

struct known_videos *known_videos_new(struct loop *, struct engine *);

// After the engine has been closed. What still waits is answered VIDEO_UNSURE.
void known_videos_free(struct known_videos *); // NULL is fine

// Returns what is known without asking.
enum video_state known_videos_find(struct known_videos *, const char *video);

// Calls back when the store has replied; soon, with VIDEO_UNSURE, if too much waits already.
enum { KNOWN_WAITING_OF_ADDRESS = 2048 };
typedef void known_videos_cb(void *arg, enum video_state);
void known_videos_ask(struct known_videos *, const char *video, address_key, known_videos_cb *, void *arg);

// Makes sure that known_videos_find() knows those of {"videos": [{"videoid": ...}, ...]}, at most 100, as far
// as the store answers. Returns false, and calls back, if they have to be asked for.
bool known_videos_prepare(struct known_videos *, const json_t *list, void (*cb)(void *arg), void *arg);

// Whether the request may use the video: to read, or to post if there is `on_refused`, which is called with
// the video's state if it may not. For handlers: if not, it has replied, or `handle` is called again with the
// request once the store has answered. Without --videos known, and for the service token, all videos may be
// used.
typedef void known_videos_handle(struct http_exchange *, void *arg);
bool known_videos_admit(const struct service *, struct http_exchange *, const char *video,
                        known_videos_cb *on_refused, known_videos_handle *handle, void *arg);

// The same for a request that waits by itself: VIDEO_OPEN if it need not be checked.
enum video_state known_videos_look(const struct service *, const struct http_exchange *, const char *video);

// Replies 404 because there is no such video.
void known_videos_reply_unknown(struct http_exchange *);

// Writes whether a video is open, creates it if it did not exist, and tells all processes; VIDEO_UNKNOWN
// removes it.
void known_videos_write(const struct service *, const char *video, enum video_state, engine_done_cb *,
                        void *arg);
