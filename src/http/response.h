// Private to http: responses in the format of HTTP/1.x. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "http/reply.h"
#include "net/sink.h"

struct buf;

// Header lines of every response, made once a second. Zero-initialised is empty.
struct http_common {
    char lines[256];
    int64_t second;
};
const char *http_common_lines(struct http_common *, int64_t wall_ms);

// The Connection field of a response.
enum http_connection {
    HTTP_CONNECTION_OMITTED,
    HTTP_CONNECTION_KEEP_ALIVE, // to a client of HTTP/1.0 that asked for it
    HTTP_CONNECTION_CLOSE
};

bool http_status_has_body(int status);

// Whether the body is JSON that a handler composed, without the newline that such a body ends with: then the
// head counts it, and it has to be sent after the body.
bool http_reply_lacks_newline(const struct http_reply *);

// Adds the head of a response; its body follows, except after HEAD.
void http_response_head(struct buf *, const struct http_reply *, const char *common_lines,
                        enum http_connection);

// The same, of a body whose length is not known: in chunks, or ended by the connection.
void http_response_pieces_head(struct buf *, const struct http_reply *, const char *common_lines,
                               enum http_connection, enum sink_framing);

// Adds the head of an event stream, in chunks or ended by the connection.
void http_response_stream_head(struct buf *, enum sink_framing);

// Adds the header lines of the response to a preflight: `allow` has the methods, `wanted` the header fields
// that the page wants to send (NULL: none).
void http_response_preflight(struct buf *, const char *allow, const char *wanted);

// Writes the methods (enum http_method) that a path has, for Allow.
enum { HTTP_ALLOW_SIZE = 56 };
void http_response_allow(char out[HTTP_ALLOW_SIZE], unsigned methods);
