// Checks a request head's raw bytes before llhttp does, for what llhttp accepts or hides from its callbacks:
// bare LF and CR, folded lines, a start line that is not `METHOD SP target SP HTTP/1.x`, a field
// name that is no token, control characters in a value (RFC 9112, 2.2, 3, 5). It also finds where the head
// ends. Pure; zero-initialise for each request.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct http_head {
    size_t seen; // bytes so far
    uint8_t state;
    uint8_t version_matched;
};

enum http_head_verdict {
    HTTP_HEAD_MORE, // all bytes belong to the head, which is not complete
    HTTP_HEAD_DONE, // *used bytes end the head
    HTTP_HEAD_BAD,
    HTTP_HEAD_VERSION, // the protocol version is not HTTP/1.0 or HTTP/1.1
    HTTP_HEAD_LONG     // more than HTTP_HEAD_MAX
};

enum http_head_verdict http_head_scan(struct http_head *, const char *bytes, size_t len, size_t *used);
