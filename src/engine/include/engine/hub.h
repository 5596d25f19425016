// Who subscribes to which video, inside one process: the part of an engine that hands entries out.
//
// Control loop only. Subscribing, unsubscribing and freeing the hub from inside on_entry() and
// on_subscribed() is allowed: a subscription ended there hears nothing more, one begun there hears the next
// entry. A subscription takes some 80 bytes; names and subscribers are borrowed (engine.h).
#pragma once

#include "engine/engine.h"

struct hub;

struct hub *hub_new(void);

// Frees the hub and every subscription.
void hub_free(struct hub *);

// Returns a subscription owned by the hub.
struct engine_subscription *hub_subscribe(struct hub *, const char *video, const struct engine_subscriber *,
                                          void *arg);

// Returns whether it was the video's last.
bool hub_unsubscribe(struct hub *, struct engine_subscription *);

const char *hub_video_of(const struct engine_subscription *);

// Hands an entry to all of the video's subscribers. Returns how many there were.
size_t hub_publish(struct hub *, const char *video, const struct engine_entry *);

// Returns the highest position that a subscriber of the video has taken; not set if there is none.
struct position hub_position(const struct hub *, const char *video);

// Whether a video has more than one subscription.
bool hub_is_shared(const struct hub *, const char *video);

// Says on_subscribed() to all of a video's subscribers.
void hub_say_subscribed(struct hub *, const char *video);

// For an engine in which a subscription holds at once, but which must not call back from inside subscribe():
// has hub_tell_now() say on_subscribed() to it, unless it has heard that by then.
void hub_tell_later(struct hub *, struct engine_subscription *);
void hub_tell_now(struct hub *);

// Walks over the subscribed videos. visit() leaves the subscriptions as they are.
void hub_each_video(struct hub *, void (*visit)(void *arg, const char *video), void *arg);
