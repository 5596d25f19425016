#include "service/internal_only.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/hostnames.h"
#include "http/request.h"
#include "http/router.h"
#include "identity/identity.h"
#include "net/address.h"
#include "net/networks.h"

struct internal_only {
    struct networks *networks;
    char *token;                       // or NULL
    const struct hostnames *hostnames; // or NULL
};

struct internal_only *internal_only_new(const char *networks, const char *token) {
    struct networks *all = networks_new(networks ? networks : "127.0.0.0/8,::1/128");
    if (!all) return NULL;
    struct internal_only *i = mem_zalloc(sizeof *i);
    i->networks = all;
    if (token && *token) i->token = mem_strdup(token);
    return i;
}

bool internal_only_set(struct internal_only *i, const char *networks, const char *token) {
    struct internal_only *other = internal_only_new(networks, token), old = *i;
    if (!other) return false;
    other->hostnames = i->hostnames;
    *i = *other;
    *other = old;
    internal_only_free(other);
    return true;
}

void internal_only_free(struct internal_only *i) {
    if (!i) return;
    networks_free(i->networks);
    free(i->token);
    free(i);
}

void internal_only_know(struct internal_only *i, const struct hostnames *hostnames) {
    i->hostnames = hostnames;
}

static bool is_known_peer(const struct internal_only *i, const char *peer) {
    union address address;
    return address_parse(&address, peer) && networks_contain(i->networks, &address);
}

static bool has_token(const struct internal_only *i, const char *authorization) {
    const char *given = http_bearer_of(authorization);
    return given && identity_is_secret(i->token, given, strlen(given));
}

bool internal_only_has_token(const struct internal_only *i, const struct http_request *r) {
    return has_token(i, http_request_header(r, "authorization"));
}

// Whether it may come from a website in a browser on this machine.
static bool is_rebound(const struct internal_only *i, const struct internal_sign *s) {
    union address peer;
    bool is_here = address_parse(&peer, s->peer) && address_is_loopback(&peer);
    if (!is_here || !s->host || !hostname_is_website(s->host)) return false;
    return !i->hostnames || !hostnames_contain(i->hostnames, s->host);
}

bool internal_only_allows(const struct internal_only *i, const struct internal_sign *sign) {
    if (sign->origin) return false;
    return has_token(i, sign->authorization) ||
           (!sign->forwarded && is_known_peer(i, sign->peer) && !is_rebound(i, sign));
}

static bool internal_only_allows_from(const struct internal_only *i, const struct http_request *r,
                                      const char *origin, const char *host) {
    char peer[INET6_ADDRSTRLEN + 8];
    http_request_peer(r, peer, sizeof peer);
    return internal_only_allows(
        i, &(struct internal_sign){.peer = peer,
                                   .origin = origin,
                                   .authorization = http_request_header(r, "authorization"),
                                   .forwarded = http_request_is_forwarded(r),
                                   .host = host});
}

// What writes and comes from a website has an Origin, so without one its host does not matter.
static const char *internal_only_host(const struct http_request *r, const char *origin) {
    return origin || !http_request_writes(r) ? http_request_header(r, "host") : NULL;
}

bool internal_only_page_guard(const struct internal_only *i, const struct http_request *r,
                              struct http_refusal *refusal) {
    const char *origin = http_request_header(r, "origin"), *host = internal_only_host(r, origin);
    if (origin && http_origin_is_host(origin, host)) origin = NULL;
    if (internal_only_allows_from(i, r, origin, host)) return true;
    return http_refuse(
        refusal, 403, "forbidden",
        "This is for operators and services: from an address in --internal-from and not through "
        "a proxy, or with the token.");
}

bool internal_only_guard(const struct internal_only *i, const struct http_request *r,
                         struct http_refusal *refusal) {
    const char *origin = http_request_header(r, "origin");
    if (internal_only_allows_from(i, r, origin, internal_only_host(r, origin))) return true;
    return http_refuse(
        refusal, 403, "forbidden",
        "Only services may do this: from an address in --internal-from and not through a proxy, or with "
        "the token.");
}
