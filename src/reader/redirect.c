#include "redirect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/hash.h"
#include "net/address.h"
#include "placement/placement.h"

enum { NONCE_LEN = 16 };
static const char hop[] = "hop=";

// Returns whether the host, with or without a port, is this machine.
static bool host_is_loopback(const char *host) {
    char name[64];
    union address address;
    size_t len = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    if (len >= sizeof name) return false;
    memcpy(name, host, len);
    name[len] = 0;
    if (!strcasecmp(name, "localhost") || !strcmp(name, "[::1]")) return true;
    return address_parse(&address, name) && address_is_loopback(&address);
}

const char *redirect_base(struct placement *p, struct http_request *request,
                          const struct placement_answer *to) {
    const char *host = http_request_header(request, "host");
    bool inside = host && placement_is_reader_host(p, host);
    if (!inside && to->public_url) return to->public_url;
    const char *reader_host = strstr(to->reader_url, "://");
    bool unreachable = host && reader_host && host_is_loopback(reader_host + 3) && !host_is_loopback(host);
    if (!inside && unreachable) return NULL;
    return to->reader_url;
}

// Returns the last pair of the query if it is a hop's, or NULL.
static const char *find_hop(const char *target) {
    size_t len = strlen(target), pair = sizeof hop - 1 + NONCE_LEN;
    if (len < pair + 1) return NULL;
    const char *at = target + len - pair;
    if (at[-1] != '&' && at[-1] != '?') return NULL;
    if (strncmp(at, hop, sizeof hop - 1) != 0) return NULL;
    return strspn(at + sizeof hop - 1, "0123456789abcdef") == NONCE_LEN ? at : NULL;
}

static bool pair_has_name(const char *pair, size_t len, const char *name) {
    return strlen(name) == len && !memcmp(pair, name, len);
}

// A name may be encoded, so one with a % may be any.
static bool pair_admits(const char *pair) {
    size_t len = strcspn(pair, "=&");
    return memchr(pair, '%', len) || pair_has_name(pair, len, "token") || pair_has_name(pair, len, "ticket");
}

void redirect_target(struct buf *out, const char *target, const char *ticket) {
    const char *separator = ticket ? "&" : "?", *query = strchr(target, '?');
    buf_add(out, target, strcspn(target, "?"));
    if (ticket) buf_printf(out, "?ticket=%s", ticket);
    for (const char *pair = query ? query + 1 : NULL, *end; pair; pair = *end ? end + 1 : NULL) {
        end = pair + strcspn(pair, "&");
        if (pair_admits(pair)) continue;
        buf_add_string(out, separator);
        buf_add(out, pair, (size_t)(end - pair));
        separator = "&";
    }
}

void redirect_location(char location[REDIRECT_LOCATION_SIZE], const char *base, const char *target,
                       bool is_last) {
    const char *query = strchr(target, '?'), *spent = find_hop(target);
    size_t len = spent ? (size_t)(spent - target) : strlen(target);
    bool again = query && !spent && target[len - 1] == '&';
    while (query && len && target[len - 1] == '&') len--;
    int written =
        snprintf(location, REDIRECT_LOCATION_SIZE, "%s%.*s%s&", base, (int)len, target, query ? "" : "?");
    if ((again || is_last) && written > 0 && written < REDIRECT_LOCATION_SIZE)
        snprintf(location + written, REDIRECT_LOCATION_SIZE - (size_t)written, "%s%016" PRIx64, hop,
                 hash_random());
}

static bool is_spent(const struct redirect_spent *s, uint64_t nonce) {
    for (size_t i = 0; i < REDIRECT_SPENT; i++)
        if (s->nonces[i] == nonce) return true;
    return false;
}

bool redirect_is_last_hop(struct redirect_spent *s, const char *target, bool spend) {
    const char *at = find_hop(target);
    uint64_t nonce = at ? strtoull(at + sizeof hop - 1, NULL, 16) : 0;
    if (!nonce || is_spent(s, nonce)) return false;
    if (spend) s->nonces[s->next++ % REDIRECT_SPENT] = nonce;
    return true;
}
