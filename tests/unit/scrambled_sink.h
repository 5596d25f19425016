// A sink as inconvenient as one may be, for tests: what is written goes out in records of at most 4 KB,
// scrambled by a key stream that counts them, and only as far as the peer has given credit, so that records
// are cut anywhere and go on when something has been read rather than when the socket has room. It keeps no
// copy of a record that has been begun: it seals the same bytes again, and asserts that they are the same.
//
//     record: type (1 byte), length (2), checksum of type, number and content (4), content, scrambled
//     credit: a byte from the peer stands for 1 to 256 bytes that it has read; at first there is
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

// Returns a sink that scrambles what another one, a socket, would send, with so many bytes of credit.
struct sink scrambled_sink(struct sink, uint32_t credit);

// The other end. Zero-initialise.
struct unscrambler {
    uint64_t number;
    uint8_t record[SCRAMBLED_HEAD + SCRAMBLED_MOST];
    size_t len;
    bool closed; // in order: the last record said so
};

// Takes bytes. Writes what their records hold to `out`, which has room for as many, and returns how much that
// is.
size_t unscrambler_feed(struct unscrambler *, const char *bytes, size_t len, char *out);

// Writes the credit for so many bytes. Returns how many bytes that takes (at most len / 256 + 1).
size_t unscrambler_credit(size_t len, char *out);
