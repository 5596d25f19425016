// Private to identity: header and payload of a token, read strictly: a member that counts may stand there
// once, and must be what it is said to be. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "identity/identity.h"

enum { CLAIM_TEXT_MAX = 128 };

struct token_header {
    char algorithm[16];
    char kid[CLAIM_TEXT_MAX + 1];
    bool has_kid;
};

// What a token must have been made by and for; NULL: see identity_demands.
struct token_payload {
    const char *issuer, *audience;
    // What was found:
    bool issuer_matches, has_audience, audience_matches;
    int64_t not_before_s; // 0: none
};

// Both return false if the JSON is not well-formed, or not as above.
bool token_header_read(struct token_header *, const char *json, size_t len);
bool token_payload_read(struct token_payload *, struct identity *, const char *json, size_t len);
