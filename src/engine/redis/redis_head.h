// Private to the Redis engine: where a video's log stands.
//
// After an interruption a reader asks that of each video it has, and nearly all stand where it knows them to.
// So the questions of a turn of the loop that name a position are asked together, HEADS_AT_ONCE with one call
// of a script; in a Cluster those that follow each other and are of one slot. A video that stands elsewhere
// is asked for by itself, which finds out what it has lost. Control loop only.
#pragma once

#include "engine/engine.h"

struct redis;

enum { HEADS_AT_ONCE = 64 };

void redis_head(struct engine *, const char *video, struct position known, engine_head_cb *, void *arg);

void redis_heads_start(struct redis *);

// Has those that have not been sent answered with ENGINE_CLOSED.
void redis_heads_close(struct redis *);
