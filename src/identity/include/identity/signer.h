// Signs tokens, and makes keys to sign with: for `chorus token` and for tests. The services themselves only
// verify. Any thread; a signer belongs to one at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct identity_signer;

// Reads a JWK with its secret part, or the first such key of a JWK set. Returns NULL, with a clause in `why`,
// if there is none.
struct identity_signer *identity_signer_new(const char *text, size_t len, char *why, size_t why_size);
void identity_signer_free(struct identity_signer *); // NULL is fine

// Adds the token of these claims, a JSON object.
void identity_sign(const struct identity_signer *, const char *claims, size_t len, struct buf *token);

// Adds a new key as JWK: with its secret part to `secret`, and without it to `shared` (for HS256, which has
// no other part, with it). `algorithm`: HS256, RS256, ES256 or EdDSA; returns false if it is none of these.
bool identity_make_key(const char *algorithm, const char *kid, struct buf *secret, struct buf *shared);
