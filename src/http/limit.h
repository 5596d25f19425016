// Private to http: what a request gets that is beyond the limits of its address (net/address_limits.h).
// Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "http/limited.h"
#include "net/address_limits.h"
#include "net/sink.h"

struct buf;
union address;
struct http_exchange;

enum http_limit_verdict {
    HTTP_LIMIT_PASSED,
    HTTP_LIMIT_REFUSED,  // the exchange has a refusal, 429; its connection may go on
    HTTP_LIMIT_CLOSE,    // the same, but the connection is to be closed
    HTTP_LIMIT_TURN_AWAY // it asks for a stream, which no error may answer
};

// Checks a request whose head is complete, and logs the first that are refused. `is_crowding`: its connection
// is beyond the rate. `counts_streams`: a stream counts as a connect, as its connection has not been counted.
enum http_limit_verdict http_limit_check(struct http_exchange *, address_key, bool is_crowding,
                                         bool counts_streams, int64_t now_ms);

// Counts what is refused outside http_limit_check(): a connection beyond the rate, which may then be reset,
// and what is dropped for its bytes.
void http_limit_count(enum http_limited);

// Counts a connection that is one too many for its address, and is to be reset, and logs the first.
void http_limit_refuse_connection(const union address *, int64_t now_ms);

// Adds what a stream that is turned away consists of: when to come back, 20 to 40 s from now.
void http_limit_add_retry(struct buf *, enum sink_framing);
