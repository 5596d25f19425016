#include "demo_desk.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/random.h"
#include "http/request.h"
#include "service/internal_only.h"
#include "service/own_page.h"

enum { TOKEN_BYTES = 16 };

struct demo_desk {
    const struct statistics_demo *demo;
    const struct internal_only *near;
    char token[2 * TOKEN_BYTES + 1];
    struct internal_only *bearer; // admits the token, and nothing without it
};

struct demo_desk *demo_desk_new(const struct statistics_demo *demo, const struct internal_only *near) {
    struct demo_desk *d = mem_zalloc(sizeof *d);
    unsigned char bytes[TOKEN_BYTES];
    d->demo = demo;
    d->near = near;
    if (random_bytes(bytes, sizeof bytes)) // otherwise there is none, and all commands are refused
        hex_write(d->token, bytes, sizeof bytes);
    d->bearer = internal_only_new("", d->token);
    return d;
}

void demo_desk_free(struct demo_desk *d) {
    if (!d) return;
    internal_only_free(d->bearer);
    free(d);
}

const struct statistics_demo *demo_desk_demo(const struct demo_desk *d) {
    return d->demo;
}

const char *demo_desk_token(const struct demo_desk *d) {
    return d->token;
}

// The address counts, not the token of services, which a dashboard does not have.
bool demo_desk_trusts(const struct demo_desk *d, const struct http_request *r) {
    char peer[INET6_ADDRSTRLEN + 8];
    http_request_peer(r, peer, sizeof peer);
    return own_page_sent(r) &&
           internal_only_allows(
               d->near, &(struct internal_sign){.peer = peer, .forwarded = http_request_is_forwarded(r)});
}

bool demo_desk_has_token(const struct demo_desk *d, const struct http_request *r) {
    return internal_only_allows(
        d->bearer,
        &(struct internal_sign){.peer = "", .authorization = http_request_header(r, "authorization")});
}
