// Private to doctor: watches a stream at the address that browsers use, also over TLS, and measures whether
// events come through at once. Blocks: runs the loop. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct stream_facts {
    char why[256];   // no stream could be asked for: a clause; empty: it was
    bool tls_failed; // that is why
    char video[132]; // that was watched; empty: none was found
    int status;      // 0: nothing was answered
    int64_t first_ms,
        next_ms; // from the request to the first bytes of the stream, and from them to the next; -1: none
};

struct stream_question {
    const char *url;   // http or https, without query
    const char *video; // NULL: the one with the most viewers, of GET /videos
    const char *token; // NULL: none
    int64_t heartbeat_ms;
};

void stream_probe(struct loop *, const struct stream_question *, struct stream_facts *);
