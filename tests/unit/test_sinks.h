// The sink that the viewers of a test have, by CHORUS_TEST_SINK: `raw` (the default), `chunked` or
// `scrambled` (in chunks). A test that counts bytes counts those of its framing.
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/sink.h"
#include "scrambled_sink.h"

static inline bool test_sink_is(const char *kind) {
    const char *sink = getenv("CHORUS_TEST_SINK");
    return !strcmp(sink ? sink : "raw", kind);
}

static inline bool test_is_scrambled(void) {
    return test_sink_is("scrambled");
}

static inline enum sink_framing test_framing(void) {
    return test_sink_is("raw") ? SINK_RAW : SINK_CHUNKED;
}

// Takes the socket.
static inline struct sink test_sink(int fd) {
    struct sink s = sink_from_socket(fd, test_framing());
    return test_is_scrambled() ? scrambled_sink(s, SCRAMBLED_CREDIT) : s;
}
