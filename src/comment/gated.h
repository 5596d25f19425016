// Private to comment: what a comment is checked against its video's room by (engine/room.h), and the reply to
// one that is refused. Control loop only.
#pragma once

#include <stdbool.h>

#include "engine/engine.h"
#include "identity/identity.h"

struct comment_draft;
struct http_exchange;
struct service;

struct gated {
    struct engine_gate gate;
    char badges[IDENTITY_BADGES_SIZE], id[ROOM_HELD_ID_SIZE];
};

// Whether the room binds the author: not a service, and not a user who may moderate the video.
bool gated_binds(const struct service *, const struct http_exchange *, const struct identity *,
                 const char *video);

// Describes a comment, with its token, or NULL. Returns its gate, which is in the struct. Borrows the
// author's id; `refusal` is where the answer goes.
const struct engine_gate *gated_describe(struct gated *, const struct comment_draft *,
                                         const struct engine_token *, struct engine_refusal *refusal);

// Replies to a comment that was refused, or waits as `id`; but not for REFUSED_SHADOWED. `asked`: the
// comment.
void gated_reply(struct http_exchange *, const struct engine_refusal *, const char *id,
                 const struct engine_entry *asked);
