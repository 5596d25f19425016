// Private to http: how a protocol builds a request. It adds the target and the values of the kept fields to
// `head`, each with a terminating NUL, and calls http_request_take_field() for each value; then checks the
// head; then adds the body.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/method.h"
#include "http/router.h"
#include "net/address.h"

// The header fields that are kept. All others are checked and skipped.
enum http_field {
    FIELD_HOST,
    FIELD_CONNECTION,
    FIELD_TRANSFER_ENCODING,
    FIELD_CONTENT_TYPE,
    FIELD_EXPECT,
    FIELD_ORIGIN,
    FIELD_AUTHORIZATION,
    FIELD_LAST_EVENT_ID,
    FIELD_IDEMPOTENCY_KEY,
    FIELD_IF_NONE_MATCH,
    FIELD_ACCEPT,
    FIELD_ACCEPT_ENCODING,
    FIELD_REQUEST_HEADERS, // of a preflight
    FIELD_FETCH_SITE,
    FIELD_COOKIE,        // the first with a chorus_token
    FIELD_FORWARDED_FOR, // all of them, joined by commas,
    FIELD_FORWARDED,     // and of these
    FIELD_PROXY,         // only its presence is kept
    FIELD_COUNT,
    FIELD_UNKNOWN = FIELD_COUNT
};

struct networks;

struct http_query_field {
    const char *name, *value;
};

// Peer and origin are set once, the rest for each request.
struct http_request {
    union address peer;
    union address origin; // of the connection, as its proxy's header says; no family: the peer
    union address client; // of the proxy that is the origin; no family: the origin itself
    enum http_method method;
    struct buf head;              // target and values of kept header fields as NUL-terminated strings
    uint32_t values[FIELD_COUNT]; // of the first of each field, in head; 0: absent
    uint8_t hosts, encodings;     // their number, up to 2
    bool bad_host;
    bool is_proxied;        // its connection began with the header of a proxy
    bool is_unnamed;        // an exempt proxy does not say which client's it is
    bool closes;            // the Connection field lists `close`
    size_t path_start;      // of the target
    size_t path_len;        // without the query
    address_key limits_key; // net/address_limits.h
    struct buf body;
    struct buf query; // decoded fields, made by the first http_request_query()
    struct http_query_field *fields;
    unsigned field_count;
    char *params[HTTP_PARAMS];
};

// Empties it for the next request of the same peer, and keeps the buffers' memory.
void http_request_reset(struct http_request *);
void http_request_release(struct http_request *);

enum http_method http_method_of(const char *name);

enum http_field http_field_find(const char *name, size_t len);

// Takes the value that was just added to the head at `value_at`; removes it again if it is not kept.
void http_request_take_field(struct http_request *, enum http_field, uint32_t value_at);

// Checks that the head is complete and valid (`minor`: of HTTP/1.x), and finds the path. Returns NULL, or a
// sentence that says what is wrong.
const char *http_request_check_head(struct http_request *, int minor);

// Sets the client, for an origin that is one of the `trusted` proxies.
void http_request_set_client(struct http_request *, const struct networks *trusted);

// Finds the client of an origin that is one of the `trusted` proxies, or a unix socket, in X-Forwarded-For,
// or else in Forwarded: a proxy that writes one of them passes the other on as its client has sent it, and
// nearly all write the first. It may be the peer itself. Returns false if it is a stranger whose address the
// proxy at *client does not tell.
bool http_request_find_client(const struct http_request *, const struct networks *trusted,
                              union address *client);

// Whether it has a field that http_request_find_client() reads.
static inline bool http_request_names_client(const struct http_request *r) {
    return r->values[FIELD_FORWARDED] || r->values[FIELD_FORWARDED_FOR];
}

static inline const union address *http_request_origin(const struct http_request *r) {
    return r->origin.any.sa_family ? &r->origin : &r->peer;
}

// Returns the client's address: the origin's, if it is not a proxy's client.
static inline const union address *http_request_client_address(const struct http_request *r) {
    return r->client.any.sa_family ? &r->client : http_request_origin(r);
}

// Removes doubled and trailing slashes from the path. Returns whether there were any.
bool http_request_normalize_path(struct http_request *);

// Decodes the parameters, HTTP_PARAMS parts of the path.
void http_request_set_params(struct http_request *, const struct http_path_part *);

// Returns how much memory it holds.
size_t http_request_bytes(const struct http_request *);

// Frees what only a running handler may read: the query, and a body of more than `body_bytes`.
void http_request_release_read(struct http_request *, size_t body_bytes);
