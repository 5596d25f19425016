// The subscriptions of one process, by video: the part of an engine that delivers entries to subscribers.
//
// Control loop only. Callbacks may subscribe, unsubscribe and free the hub: a subscription that is ended
// there gets no further call, one that is begun there gets the next entry. A subscription takes some 80
// bytes; names and subscribers are borrowed (engine.h).
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

// Delivers an entry to all of the video's subscribers. Returns how many there were.
size_t hub_publish(struct hub *, const char *video, const struct engine_entry *);

// Returns the highest position that a subscriber of the video has received; not set if there is none.
struct position hub_position(const struct hub *, const char *video);

// Returns whether the video has a subscription.
bool hub_has_video(const struct hub *, const char *video);

// Returns whether the video has more than one subscription.
bool hub_is_shared(const struct hub *, const char *video);

// Calls on_subscribed() of all of a video's subscribers.
void hub_notify_subscribed(struct hub *, const char *video);

// For an engine in which a subscription is active immediately, but which must not call back from inside
// subscribe(): the next hub_flush_notifications() calls its on_subscribed(), unless that was called before.
void hub_defer_notify(struct hub *, struct engine_subscription *);
void hub_flush_notifications(struct hub *);

// Calls visit() for each subscribed video; it must not subscribe or unsubscribe.
void hub_each_video(struct hub *, void (*visit)(void *arg, const char *video), void *arg);
