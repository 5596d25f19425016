// A response with its whole body.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_reply {
    int status;
    const char
        *content_type; // NULL: application/json, to which a newline is added, if it does not end with one
    const char *body;  // copied, unless `is_static`
    size_t body_len;
    bool is_static;         // the body is valid as long as the program runs
    const char *location;   // NULL: none
    int retry_after_s;      // 0: none
    const char *headers;    // further header lines, each ended by CR LF; NULL: none
    bool says_how_to_cache; // among its headers; otherwise no cache may store it
};
