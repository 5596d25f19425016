// Parses a chunked stream (RFC 9112, 7.1) that arrives in pieces of any size.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "unit.h"

// Zero-initialise.
struct chunk_reader {
    size_t left; // bytes of the chunk still missing, including CR LF
    struct buf size;
    bool over; // the last chunk has come
};

// Reads bytes; returns how many of them, moved to the front, are content.
static inline size_t chunk_reader_feed(struct chunk_reader *r, char *bytes, size_t len) {
    size_t content = 0;
    for (size_t i = 0; i < len; i++) {
        if (r->left > 2) {
            bytes[content++] = bytes[i];
            r->left--;
        } else if (r->left) {
            assert_int_equal(bytes[i], r->left == 2 ? '\r' : '\n');
            r->left--;
        } else if (bytes[i] == '\n') {
            char *end;
            assert_false(r->over);
            r->left = strtoul(buf_string(&r->size), &end, 16) + 2;
            assert_string_equal(end, "\r");
            r->over = r->left == 2;
            buf_release(&r->size);
        } else {
            assert_true(r->size.len < 9);
            buf_add(&r->size, &bytes[i], 1);
        }
    }
    return content;
}

// Returns whether it is between two chunks.
static inline bool chunk_reader_is_whole(const struct chunk_reader *r) {
    return !r->left && !r->size.len;
}
