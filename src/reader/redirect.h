// Where a viewer of another reader's video is redirected: an address from the table of readers, followed by
// the request's own target. Control loop only.
//
// Hops are counted, so that a viewer is redirected at most twice, however often its video moves meanwhile.
// The first redirect ends the query with an empty pair (`&`), which has no meaning otherwise; the second with
// `hop=<nonce>`, and the reader that receives it serves the viewer itself. A browser keeps using the address
// it was redirected to, and may reconnect with the same nonce days later: a reader honours each nonce once,
// so that such a viewer is then redirected like any other.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "http/request.h"

struct placement;
struct placement_answer;

enum { REDIRECT_LOCATION_SIZE = ENGINE_URL_MAX + HTTP_KEPT_MAX + 32, REDIRECT_SPENT = 256 };

// The nonces that a reader has honoured, the newest of them. Zero-initialised is empty.
struct redirect_spent {
    uint64_t nonces[REDIRECT_SPENT];
    size_t next;
};

// Returns the reader's address for this client: services stay among reader URLs, browsers among public ones.
// NULL if the table has none that the client could use: the reader's address is a loopback one, and the
// client came here under another name.
const char *redirect_base(struct placement *, struct http_request *, const struct placement_answer *to);

// Writes base and target, with one hop more.
void redirect_location(char location[REDIRECT_LOCATION_SIZE], const char *base, const char *target);

// Whether the viewer has been redirected twice just now. `spend`: the nonce counts as honoured from now on.
bool redirect_is_last_hop(struct redirect_spent *, const char *target, bool spend);
