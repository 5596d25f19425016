// Keeps addresses meant for services to services: a request must come from a known network or carry the
// token, and must not carry an Origin, which every browser sends with a POST. Immutable once made; control
// loop only.
//
// The peer's address is that of the connection: behind a proxy every request comes from the proxy. So what
// carries a header that proxies add (Forwarded, X-Forwarded-For, X-Real-IP, Via) needs the token; a proxy
// that adds none does not belong in the list. At most INTERNAL_NETWORKS networks.
#pragma once

#include <stdbool.h>

struct http_refusal;
struct http_request;
struct internal_only;

enum { INTERNAL_NETWORKS = 64 };

// `networks`: addresses and CIDRs, IPv4 and IPv6, separated by commas; the word samenet stands for the
// networks this machine has an address in, as they are now; NULL: loopback; empty: none. `token`: NULL or
// empty: none. Both are copied. Returns NULL if `networks` cannot be understood.
struct internal_only *internal_only_new(const char *networks, const char *token);
void internal_only_free(struct internal_only *); // NULL is fine

// The parts of a request that show where it comes from. NULL: absent.
struct internal_sign {
    const char *peer, *origin, *authorization;
    bool forwarded; // it has a header that proxies add: the peer's address is not the client's
};

bool internal_only_allows(const struct internal_only *, const struct internal_sign *);

// For a route's guard: whether the request may pass; if not, it is refused with 403.
bool internal_only_guard(const struct internal_only *, const struct http_request *, struct http_refusal *);
