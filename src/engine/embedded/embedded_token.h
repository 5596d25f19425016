// Tokens of appends: which position the first append with a token was given. Store's thread only; failures as
// in embedded_store.h. Bounds, kept by embedded_sweep.c: ENGINE_TOKENS rows of some 150 bytes, of each video
// those of its newest ENGINE_TOKENS_VIDEO entries.
#pragma once

#include "embedded_request.h"
#include "embedded_store.h"
#include "embedded_video.h"

// Looks for the request's token. Returns whether there is one; then the request has its position (also where
// `whole`), or the status ENGINE_KEY_REUSED.
bool token_find(struct store *, const struct video *, struct request *);

// Keeps the token of an entry that has just been added.
void token_add(struct store *, const struct video *, const struct request *);

// Reads where the table ends.
void token_load(struct store *);
