// Who subscribes to which video, inside one process: the part of an engine that hands entries out.
//
// Control loop only. Subscribing and unsubscribing from inside on_entry() is allowed: a subscription ended
// there hears nothing more, one begun there hears the next entry.
#pragma once

#include "engine/engine.h"

struct hub;

struct hub *hub_new(void);

// Frees the hub and every subscription.
void hub_free(struct hub *);

// Returns a subscription owned by the hub; *first tells whether it is the video's first.
struct engine_subscription *hub_subscribe(struct hub *, const char *video, const struct engine_subscriber *,
                                          bool *first);

// Returns whether it was the video's last.
bool hub_unsubscribe(struct hub *, struct engine_subscription *);

const char *hub_video_of(const struct engine_subscription *);

// Hands an entry to all of the video's subscribers. Returns how many there were.
size_t hub_publish(struct hub *, const char *video, const struct engine_entry *);

// Says on_subscribed() to all of a video's subscribers (NULL video: to all there are).
void hub_say_subscribed_all(struct hub *, const char *video);

// Says it to those that have not heard it since hub_subscribe(): for an engine in which a subscription holds
// at once, but which must not call back from inside subscribe().
void hub_say_subscribed_new(struct hub *);

// Walks over the subscribed videos.
void hub_each_video(struct hub *, void (*visit)(void *arg, const char *video), void *arg);
