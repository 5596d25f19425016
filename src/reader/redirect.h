// The Location of a viewer whose video another reader owns: that reader's address, followed by the target of
// the request. Control loop only.
//
// Hops are counted, so that a viewer is redirected at most twice, however often its video moves. The first
// redirect ends the query with an empty pair (`&`), which has no meaning otherwise; the second with
// `hop=<nonce>`, and the reader that receives it serves the viewer itself. A browser keeps using the address
// it was redirected to, and may reconnect with the same nonce days later. So a reader honours each nonce
// once; after that the viewer is redirected like any other. Where a reader is full its first redirect has a
// nonce: the reader that the viewer is sent to is to serve it, although another one has the video.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "http/request.h"
#include "identity/ticket.h"

struct buf;
struct placement;
struct placement_answer;

enum { REDIRECT_LOCATION_SIZE = ENGINE_URL_MAX + HTTP_KEPT_MAX + TICKET_TEXT_MAX + 64, REDIRECT_SPENT = 256 };

// The newest nonces that a reader has honoured. Zero-initialise.
struct redirect_spent {
    uint64_t nonces[REDIRECT_SPENT];
    size_t next;
};

// Returns the address of the reader for this client: services stay among reader URLs, browsers among public
// ones. NULL if the client cannot reach it: the only address is a loopback one, and the client is elsewhere.
const char *redirect_base(struct placement *, struct http_request *, const struct placement_answer *to);

// Adds the target without what admits its sender (`token` and `ticket` of the query), and with this ticket
// (NULL: none).
void redirect_target(struct buf *, const char *target, const char *ticket);

// Writes base and target, with the hop count raised by one, or (`is_last`) a nonce.
void redirect_location(char location[REDIRECT_LOCATION_SIZE], const char *base, const char *target,
                       bool is_last);

// Returns whether the viewer has already been redirected twice. `spend`: honours the nonce.
bool redirect_is_last_hop(struct redirect_spent *, const char *target, bool spend);
