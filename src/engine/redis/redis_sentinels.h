// Private to the Redis engine: asks Sentinels where the primary is. Control loop only.
//
// A connection to each is kept, and each is asked every SENTINELS_ASK_MS and whenever find() is called. Of
// what those say that are connected the highest configuration epoch counts: so one that has not heard of a
// failover changes nothing, and a primary that hangs is left as soon as another is promoted, not when its
// connection is found dead. While none is connected, what was said last stays.
#pragma once

#include <stdbool.h>

struct loop;
struct redis_config;
struct redis_place;
struct redis_url;
struct redis_sentinels;
struct resolver;

enum { SENTINELS_ASK_MS = 400 };

// Borrows url and config. on_moved() is called when find() says another place than before.
struct redis_sentinels *redis_sentinels_new(struct loop *, struct resolver *, const struct redis_url *,
                                            const struct redis_config *, void (*on_moved)(void *arg),
                                            void *arg);

// May be called in a callback; the memory is freed at the end of the turn. NULL is allowed.
void redis_sentinels_free(struct redis_sentinels *);

// Must be called when the resolver has a result. NULL is allowed.
void redis_sentinels_resolved(struct redis_sentinels *);

// Returns false, and a sentence that is its own until the next call, if none has said where the primary is.
bool redis_sentinels_find(struct redis_sentinels *, struct redis_place *, const char **why);
