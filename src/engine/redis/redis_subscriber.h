// Private to the Redis engine: the connection that is subscribed to the channels of the hub's videos, and
// publishes into the hub what it receives. In a Cluster each server has one, for the slots that are its own,
// and the commands are SSUBSCRIBE and SPUBLISH.
//
// A subscription can fail without an error: Redis disconnects a slow subscriber, which is noticed; but after
// a failover the connection may be to a server that no process publishes to. So the path is probed: once a
// second a message is published through the other connection, and if it does not arrive, this one is closed
// and resubscribes. hub_notify_subscribed() is called whenever a subscription is active again. Control loop
// only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct redis_conn_config;
struct redis_node;
struct redis_subscriber;

// `how`: how to connect; it adds its callbacks.
struct redis_subscriber *redis_subscriber_new(struct redis_node *, const struct redis_conn_config *how);
void redis_subscriber_close(struct redis_subscriber *);
void redis_subscriber_reap(struct redis_subscriber *); // frees it, when none of its callbacks is running
void redis_subscriber_resolved(struct redis_subscriber *);
void redis_subscriber_look(struct redis_subscriber *); // the primary may be another

// For a video's first subscription, and after its last.
void redis_subscriber_add(struct redis_subscriber *, const char *video);
void redis_subscriber_remove(struct redis_subscriber *, const char *video);

// In a Cluster: for all the videos of a slot that is its own now.
void redis_subscriber_add_slot(struct redis_subscriber *, char *const *videos, size_t count);

// For a channel of messages (redis_messages.h), which is known to be permitted.
void redis_subscriber_listen(struct redis_subscriber *, const char *channel);
void redis_subscriber_unlisten(struct redis_subscriber *, const char *channel);

// In a Cluster: it has got slots, or lost some.
void redis_subscriber_settle(struct redis_subscriber *);

// Sends a probe, and checks that the one before has arrived; once a second.
void redis_subscriber_probe(struct redis_subscriber *);

// Returns whether it is subscribed. If not, *why is a sentence.
bool redis_subscriber_ready(const struct redis_subscriber *, const char **why);
