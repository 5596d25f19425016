// Private to the Redis engine: its operations on mappings, sets of readers and counters.
#pragma once

#include "engine/engine.h"

struct redis;

void redis_lookup(struct engine *, const char *video, engine_mapping_cb *, void *arg);
void redis_assign(struct engine *, const char *video, const char *reader_url, engine_mapping_cb *, void *arg);
void redis_reassign(struct engine *, const char *video, const char *expected, const char *reader_url,
                    engine_mapping_cb *, void *arg);
void redis_release(struct engine *, const char *video, const char *expected, engine_done_cb *, void *arg);

void redis_set_read(struct engine *, const char *video, engine_set_cb *, void *arg);
void redis_set_write(struct engine *, const char *video, uint64_t generation, const char *text,
                     engine_set_cb *, void *arg);

void redis_counter_next(struct engine *, const char *name, engine_counter_cb *, void *arg);

void redis_watch(struct engine *, const char *const *videos, size_t count, bool watched);

// Once a minute: drops videos that have been unused for 30 days from the sets.
void redis_mappings_purge(struct redis *);
