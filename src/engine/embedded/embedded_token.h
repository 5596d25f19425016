// Tokens of appends: which position the first append with a token was given. Store's thread only; failures as
// in embedded_store.h. Bounds, kept by embedded_sweep.c: ENGINE_TOKENS rows of some 150 bytes, of each video
// those of its newest ENGINE_TOKENS_VIDEO entries.
#pragma once

#include "engine/request.h"
#include "embedded_store.h"
#include "embedded_video.h"

// The first append with a token.
struct token_first {
    struct engine_entry entry; // its position; all of it where first.whole
    struct engine_first first;
    bool same; // it has the digest, too
};

// Looks for a token. Returns whether there is one. What the entry points to is held by `holder`.
bool token_find(struct store *, const struct video *, const struct engine_token *, struct request *holder,
                struct token_first *);

// Keeps the token of an entry that has just been added.
void token_add(struct store *, const struct video *, const struct engine_token *, struct position at);

// Reads where the table ends.
void token_load(struct store *);
