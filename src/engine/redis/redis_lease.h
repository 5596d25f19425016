// Private to the Redis engine: its operations on leases. A row of the hash `readers` is `<ends> <generation>
// <viewers> <public URL or -> <instance>`; `ends` is by Redis's clock, which an older Chorus judges by. A 0
// in front of it means that the reader has released the lease. `chorus:{readers}:load` has, by URL,
// `<generation> <load>`.
#pragma once

#include "engine/engine.h"

struct redis;

void redis_lease_renew(struct engine *, const struct engine_lease *, int ttl_ms, engine_lease_cb *,
                       void *arg);
void redis_lease_drop(struct engine *, const char *reader_url, uint64_t generation, engine_done_cb *,
                      void *arg);
void redis_leases(struct engine *, engine_leases_cb *, void *arg);

void redis_lease_release(struct redis *);
