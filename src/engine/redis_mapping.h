// Private to the Redis engine: its operations on mappings and counters.
#pragma once

#include "engine/engine.h"

struct redis;

void redis_lookup(struct engine *, const char *video, engine_mapping_cb *, void *arg);
void redis_assign(struct engine *, const char *video, const char *reader_url, engine_mapping_cb *, void *arg);
void redis_reassign(struct engine *, const char *video, const char *expected, const char *reader_url,
                    engine_mapping_cb *, void *arg);
void redis_release(struct engine *, const char *video, const char *expected, engine_done_cb *, void *arg);

void redis_counter_next(struct engine *, const char *name, engine_counter_cb *, void *arg);

// Counts the mappings anew, and forgets of those that have been unused for long; once a second.
void redis_mappings_count(struct redis *);
