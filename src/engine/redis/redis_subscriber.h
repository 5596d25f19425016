// Private to the Redis engine: the connection that is subscribed to the channels of the hub's videos, and
// publishes into the hub what comes.
//
// A subscription can fall silent without an error: Redis cuts a subscriber that lags, which is seen; but
// after a failover it may hang on a server that nobody publishes to. So the path is probed: once a second a
// message to ourselves goes through the other connection, and if it does not come, this one is cut and
// subscribes anew. Subscriptions are told (hub_notify_subscribed) whenever theirs holds again. Control loop
// only.
#pragma once

#include <stdbool.h>

struct redis;
struct redis_subscriber;

struct redis_subscriber *redis_subscriber_new(struct redis *);
void redis_subscriber_close(struct redis_subscriber *);
void redis_subscriber_reap(struct redis_subscriber *); // frees it, when none of its callbacks is running
void redis_subscriber_resolved(struct redis_subscriber *);

// A video's first subscription has come, its last has gone.
void redis_subscriber_add(struct redis_subscriber *, const char *video);
void redis_subscriber_remove(struct redis_subscriber *, const char *video);

// Sends a probe, and looks what became of the one before; once a second.
void redis_subscriber_probe(struct redis_subscriber *);

// Whether it hears. If not, *why is a sentence.
bool redis_subscriber_ready(const struct redis_subscriber *, const char **why);
