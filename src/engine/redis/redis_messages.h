// Private to the Redis engine: messages between processes, one channel a topic, `chorus:<topic>`. Control
// loop only.
//
// The user that Redis knows may lack the right to these channels, as that of an earlier version does. That
// must disturb nothing else, and a SUBSCRIBE that is refused does not say which one it was. So a topic is
// first published to, with an empty message, which listeners ignore and which needs the same right; only if
// that is accepted does the subscriber connection subscribe to it. A refused topic is tried again every
// REDIS_MESSAGES_AGAIN_MS.
#pragma once

#include "engine/engine.h"

struct redis;
struct redis_messages;

enum { REDIS_MESSAGES_AGAIN_MS = 30000 };

#define REDIS_MESSAGES_PREFIX "chorus:"

struct redis_messages *redis_messages_new(struct redis *);
void redis_messages_free(struct redis_messages *); // after both connections

// Operations; see engine.h.
void redis_notify(struct engine *, const char *topic, const void *body, size_t len);
struct engine_listener *redis_listen(struct engine *, const char *topic, engine_message_cb *, void *arg);
void redis_unlisten(struct engine *, struct engine_listener *);

// Subscribes to the topics that are not: once a second, and when a connection can be used.
void redis_messages_check(struct redis_messages *);

// The subscriber connection is new: subscribes to all of them.
void redis_messages_begin(struct redis_messages *);

// A slot of a Cluster is another server's.
void redis_messages_moved(struct redis_messages *, unsigned slot);

// A message on any channel: ignores those without the prefix.
void redis_messages_take(struct redis_messages *, const char *channel, const char *body, size_t len);
