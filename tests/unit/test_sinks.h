// The sink that the viewers of a test have, by CHORUS_TEST_SINK: `raw` (the default) or `chunked`. A test
// that counts bytes counts those of its framing.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "net/sink.h"

static inline enum sink_framing test_framing(void) {
    const char *sink = getenv("CHORUS_TEST_SINK");
    return sink && !strcmp(sink, "chunked") ? SINK_CHUNKED : SINK_RAW;
}

// Takes the socket.
static inline struct sink test_sink(int fd) {
    return sink_of_socket(fd, test_framing());
}
