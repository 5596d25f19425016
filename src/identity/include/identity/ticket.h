// What stands in the address of a redirect in place of a token: one user's right to read one video at one
// reader, for what is left of the token's session. Signed with HMAC-SHA256 by a key that the readers share.
// Whether it comes in time, and for the first time, is the reader's to check (reader/tickets.h). Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

struct buf;

enum { TICKET_KEY = 32, TICKET_TEXT_MAX = 448 }; // bytes

struct ticket {
    uint64_t nonce;             // not 0
    int64_t issued_ms, until_s; // wall time
    char user[ID_MAX + 1], video[ID_MAX + 1];
};

// Adds the text, of at most TICKET_TEXT_MAX characters of base64url.
void ticket_write(struct buf *, const struct ticket *, const unsigned char key[TICKET_KEY],
                  const char *reader_url);

// Reads when it says it was issued, which chooses the key. Returns false if it is no ticket.
bool ticket_issued(const char *text, int64_t *issued_ms);

// Returns false unless it was written with this key for this reader.
bool ticket_read(struct ticket *, const char *text, const unsigned char key[TICKET_KEY],
                 const char *reader_url);
