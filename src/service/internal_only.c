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

// Whether it may come from a website in a browser on this machine, or from a page of one anywhere.
static bool is_rebound(const struct internal_only *i, const struct internal_sign *s) {
    union address peer;
    bool is_here = address_parse(&peer, s->peer) && address_is_loopback(&peer);
    if ((!is_here && !s->is_page) || !s->host || !hostname_is_website(s->host)) return false;
    return !i->hostnames || !hostnames_contain(i->hostnames, s->host);
}

bool internal_only_allows(const struct internal_only *i, const struct internal_sign *sign) {
    if (sign->origin) return false;
    return has_token(i, sign->authorization) ||
           (!sign->forwarded && is_known_peer(i, sign->peer) && !is_rebound(i, sign));
}

// What writes and comes from a website has an Origin: without one its host does not matter.
static bool internal_only_allows_request(const struct internal_only *i, const struct http_request *r,
                                         bool is_for_pages) {
    const char *origin = http_request_header(r, "origin"), *host = http_request_header(r, "host");
    bool is_page = is_for_pages && origin && http_origin_is_host(origin, host);
    char peer[INET6_ADDRSTRLEN + 8];
    http_request_peer(r, peer, sizeof peer);
    return internal_only_allows(
        i, &(struct internal_sign){.peer = peer,
                                   .origin = is_page ? NULL : origin,
                                   .authorization = http_request_header(r, "authorization"),
                                   .forwarded = http_request_is_forwarded(r),
                                   .host = is_page || !http_request_writes(r) ? host : NULL,
                                   .is_page = is_page});
}

bool internal_only_page_guard(const struct internal_only *i, const struct http_request *r,
                              struct http_refusal *refusal) {
    if (internal_only_allows_request(i, r, true)) return true;
    return http_refuse(
        refusal, 403, "forbidden",
        "This is for operators and services: from an address in --internal-from and not through "
        "a proxy, or with the token.");
}

bool internal_only_guard(const struct internal_only *i, const struct http_request *r,
                         struct http_refusal *refusal) {
    if (internal_only_allows_request(i, r, false)) return true;
    return http_refuse(
        refusal, 403, "forbidden",
        "Only services may do this: from an address in --internal-from and not through a proxy, or with "
        "the token.");
}
