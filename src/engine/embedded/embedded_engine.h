// What an operation of the embedded engine needs on the control loop. Control loop only.
#pragma once

#include "embedded_request.h"
#include "engine/engine.h"

// Takes the request. It is called back with ENGINE_BUSY or ENGINE_CLOSED if it cannot be accepted.
void embedded_push(struct engine *, struct request *);

// Publishes an entry that the request has stored, unless its position is not set.
void embedded_publish(struct embedded *, const char *video, const struct engine_entry *);

// Whether a video has several subscriptions.
bool embedded_is_shared(struct engine *, const char *video);
