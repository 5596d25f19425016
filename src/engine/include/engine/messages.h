// The listeners of one process, by topic, and what waits for them: the part of an engine that passes messages
// on (engine.h, notify).
//
// Control loop only. Callbacks may listen, unlisten and free: a listener that is ended there gets no further
// call. At most ENGINE_MESSAGES_WAITING bytes wait.
#pragma once

#include "engine/engine.h"

struct messages;

struct messages *messages_new(void);
void messages_free(struct messages *); // with every listener; NULL is fine

// Returns a listener, owned by the messages.
struct engine_listener *messages_listen(struct messages *, const char *topic, engine_message_cb *, void *arg);

// Returns whether it was the topic's last.
bool messages_unlisten(struct messages *, struct engine_listener *);

const char *messages_topic_of(const struct engine_listener *);

// Returns whether a message is within the limits of its length.
bool messages_fit(const char *topic, size_t len);

// Calls the topic's listeners. May free the messages.
void messages_deliver(struct messages *, const char *topic, const void *body, size_t len);

// For an engine without a store between sender and listener: the next messages_flush() delivers it, which
// leaves what is posted meanwhile to the one after. Returns whether it waits.
bool messages_post(struct messages *, const char *topic, const void *body, size_t len);
void messages_flush(struct messages *);
