// Admits only services to the routes meant for them: a request must come from a known network or carry the
// token, and must not carry an Origin, which every browser sends with a POST. Control loop only.
//
// No browser sends an Origin with a GET of a page's own server, and after DNS rebinding a website's name is
// that of this machine. So from loopback, where an operator's browser may be, Host must then not be a name
// that a website can have (http/hostnames.h): an address, localhost, a name without a dot, or one that is
// known. Wherever the browser is, that holds for a page of this server that sends its Origin, which is how a
// page writes.
//
// The peer's address is that of the connection, and behind a proxy that is the proxy's. So a request with a
// header that proxies add (Forwarded, X-Forwarded-For, X-Real-IP, Via) needs the token; a proxy that adds
// none must not be in the list.
#pragma once

#include <stdbool.h>

struct hostnames;
struct http_refusal;
struct http_request;
struct internal_only;

// `networks`: as networks_new() reads them (net/networks.h); NULL: loopback. `token`: NULL or empty: none.
// Both are copied. Returns NULL if `networks` is malformed.
struct internal_only *internal_only_new(const char *networks, const char *token);
void internal_only_free(struct internal_only *); // NULL is fine

// Changes who is admitted, from the next request on. Returns false, and changes nothing, if `networks` is
// malformed.
bool internal_only_set(struct internal_only *, const char *networks, const char *token);

// Names of this server that no website elsewhere can have. Borrowed; NULL, as at first: none.
void internal_only_know(struct internal_only *, const struct hostnames *);

// The parts of a request that show its origin. NULL: absent.
struct internal_sign {
    const char *peer, *origin, *authorization;
    bool forwarded;   // it has a header that proxies add, so the peer may not be the client
    const char *host; // of a request that no Origin need accompany, or whose Origin is this host
    bool is_page;     // the latter
};

bool internal_only_allows(const struct internal_only *, const struct internal_sign *);

// Whether the request carries the token.
bool internal_only_has_token(const struct internal_only *, const struct http_request *);

// For a route's guard: returns whether the request may pass; if not, refuses it with 403.
bool internal_only_guard(const struct internal_only *, const struct http_request *, struct http_refusal *);

// The same for what operators see: a page of this very server, which is an Origin that is Host, may request
// it too.
bool internal_only_page_guard(const struct internal_only *, const struct http_request *,
                              struct http_refusal *);
