// A request as a handler and a guard see it: a value, independent of its connection.
//
// Header values and the path's parameter stay valid until the exchange ends; the body and query values only
// until the handler returns. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "http/method.h"
#include "net/address_limits.h"

struct http_request;

enum {
    HTTP_HEAD_MAX = 65536, // request line and header fields together; most fields are not kept
    HTTP_KEPT_MAX = 16384, // of that, the target and the fields that are kept
    HTTP_FIELDS_MAX = 1000,
    HTTP_ADDRESS_SIZE = 48,   // of a peer's address as text
    HTTP_BODY_DEFAULT = 65536 // largest body, unless the route has another limit
};

bool http_request_is_head(const struct http_request *);

// Whether its method is POST, PUT or DELETE.
bool http_request_writes(const struct http_request *);

const char *http_request_body(const struct http_request *, size_t *len);

// Returns a header field's value (the first one's, if repeated), or NULL. Only the fields
// of enum http_field are kept; asking for another is a bug. An absolute target's authority replaces Host.
const char *http_request_header(const struct http_request *, const char *lower_case_name);

// Returns the token of an Authorization field's value (RFC 6750, 2.1), a part of it; NULL: it has none, or is
// NULL.
const char *http_bearer_of(const char *authorization);

// Whether an Origin's host and port are those of Host (which may be NULL).
bool http_origin_is_host(const char *origin, const char *host);

// Whether it came through a proxy that shows that it is one: by the PROXY protocol, or by Forwarded,
// X-Forwarded-For, X-Real-IP, Via and similar ones.
bool http_request_is_forwarded(const struct http_request *);

// Returns the path's segment that matches a parameter of the route's pattern, the first one is 0,
// percent-decoded, or NULL.
const char *http_request_param(const struct http_request *, int which);

// Returns the decoded value of a query field (the last one, if repeated), or NULL. `+` is a space.
const char *http_request_query(struct http_request *, const char *name);

// Returns the request's path and query, without superfluous slashes.
const char *http_request_target(const struct http_request *);

// Returns the address whose limits count for the request (net/address_limits.h); 0: none, it is exempt.
address_key http_request_limits_key(const struct http_request *);

// Writes the peer's address as text ("127.0.0.1", "::1"; IPv4 mapped into IPv6 as IPv4).
void http_request_peer(const struct http_request *, char *out, size_t size);

// The same of the client: the peer, or where that is a proxy in --trusted-proxies, the address that it names
// in X-Forwarded-For. For logs and shares, not for permissions: those go by the peer.
void http_request_client(const struct http_request *, char *out, size_t size);

// Whether the body was declared as JSON (application/json or +json, parameters ignored).
bool http_request_is_json(const struct http_request *);
