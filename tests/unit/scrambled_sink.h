// The most inconvenient sink that the contract allows, for tests: it sends records of at most 4 KB, scrambled
// with a key stream that depends on their number, and only as far as the peer has granted credit, so that
// records are cut anywhere and continue when the peer has read something rather than when the socket has
// room. It keeps no copy of a record that is partly sent: it seals the same bytes again, and asserts that
// they are the same.
//
//     record: type (1 byte), length (2), checksum of type, number and content (4), content, scrambled
//     credit: a byte from the peer means 1 to 256 bytes that it has read; at first there is
//     SCRAMBLED_CREDIT
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/sink.h"

enum {
    SCRAMBLED_CREDIT = 1000,
    SCRAMBLED_MOST = 4096,
    SCRAMBLED_HEAD = 7,
    SCRAMBLED_DATA = 0x17,
    SCRAMBLED_CLOSE = 0x15
};

// Returns a sink that scrambles what another one, a socket, would send, with that many bytes of credit.
struct sink scrambled_sink(struct sink, uint32_t credit);

// The other end. Zero-initialise.
struct unscrambler {
    uint64_t number;
    uint8_t record[SCRAMBLED_HEAD + SCRAMBLED_MOST];
    size_t len;
    bool closed; // properly, by a last record
};

// Parses bytes. Writes the content of their records to `out`, which must have room for as many bytes, and
// returns its length.
size_t unscrambler_feed(struct unscrambler *, const char *bytes, size_t len, char *out);

// Writes the credit for that many bytes. Returns its length (at most len / 256 + 1).
size_t unscrambler_credit(size_t len, char *out);
