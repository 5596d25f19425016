// Private to http: parses one request of HTTP/1.1 or 1.0 at a time into the request of an exchange: llhttp in
// strict mode, after the raw checks of head.h. Uses no socket and no clock, and calls only the route's guard.
// Bounds everything: HTTP_HEAD_MAX, HTTP_KEPT_MAX, HTTP_FIELDS_MAX, the route's body_max, and the overhead of
// the chunks of a body.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "head.h"

struct http_exchange;
struct http_site;

enum { H1_FIELD_NAME_MAX = 32 };

struct h1_parser {
    llhttp_t llhttp;
    const struct http_site *site;
    struct http_exchange *exchange;
    bool in_body;       // the head is complete and admitted
    bool asks_continue; // then: the client waits for 100 Continue
    bool last;          // the client wants no further request after this one
    bool refused;       // a callback has stopped llhttp
    enum { SPAN_NONE, SPAN_NAME, SPAN_VALUE } span;
    struct http_head head_scan;
    char name[H1_FIELD_NAME_MAX]; // of the current header field, as far as it fits
    uint8_t name_len, field;      // H1_FIELD_NAME_MAX + 1: longer; enum http_field
    uint16_t field_count;
    uint32_t value_at;             // in the request's head
    size_t wire_bytes, body_bytes; // of the body: as received, and without the framing of its chunks
};

enum h1_parsed {
    H1_PARSED_PART,    // all bytes are used, and the request is not complete
    H1_PARSED_REQUEST, // it is complete
    H1_PARSED_REFUSED  // the site is to answer it now, and the connection to be closed
};

// Prepares for the first, or the next, request. The request and the exchange's match and refusal are empty.
void h1_parser_start(struct h1_parser *, const struct http_site *, struct http_exchange *);

// Parses bytes. Sets how many it has used: up to the end of the request.
enum h1_parsed h1_parser_feed(struct h1_parser *, const char *bytes, size_t len, size_t *used);

// Whether the request came over HTTP/1.0.
static inline bool h1_parser_is_1_0(const struct h1_parser *h) {
    return h->llhttp.http_minor == 0;
}
