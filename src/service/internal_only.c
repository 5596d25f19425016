#include "service/internal_only.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "http/router.h"

enum { ADDRESS_BITS = 128, MAPPED_BITS = 96 };

// Addresses are stored as IPv6, with IPv4 ones mapped (RFC 4291, 2.5.5.2), so that one comparison serves
// both.
struct network {
    uint8_t address[ADDRESS_BITS / 8];
    unsigned bits;
};

struct internal_only {
    struct network networks[INTERNAL_NETWORKS];
    size_t count;
    char *token; // or NULL
};

// *least is the number of bits in front of those that a prefix length counts.
static bool parse_address(const char *text, uint8_t address[ADDRESS_BITS / 8], unsigned *least) {
    static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
    memcpy(address, mapped, sizeof mapped);
    *least = MAPPED_BITS;
    if (inet_pton(AF_INET, text, address + sizeof mapped) == 1) return true;
    *least = 0;
    return inet_pton(AF_INET6, text, address) == 1;
}

static bool parse_bits(const char *text, unsigned least, unsigned *bits) {
    if (!isdigit((unsigned char)*text)) return false;
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || value > ADDRESS_BITS - least) return false;
    *bits = least + (unsigned)value;
    return true;
}

// Bits after the prefix may be set: people write 10.1.2.3/8.
static bool parse_network(const char *text, size_t len, struct network *n) {
    char copy[64];
    if (len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    char *slash = strchr(copy, '/');
    if (slash) *slash = 0;
    unsigned least;
    if (!parse_address(copy, n->address, &least)) return false;
    n->bits = ADDRESS_BITS;
    return !slash || parse_bits(slash + 1, least, &n->bits);
}

static unsigned leading_ones(const uint8_t *mask, unsigned most) {
    unsigned bits = 0;
    while (bits < most && mask[bits / 8] & 0x80 >> bits % 8) bits++;
    return bits;
}

// Returns false if it is neither IPv4 nor IPv6.
static bool network_of(const struct ifaddrs *own, struct network *n) {
    static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
    if (!own->ifa_addr || !own->ifa_netmask) return false;
    if (own->ifa_addr->sa_family == AF_INET) {
        memcpy(n->address, mapped, sizeof mapped);
        memcpy(n->address + sizeof mapped, &((const struct sockaddr_in *)own->ifa_addr)->sin_addr, 4);
        const void *mask = &((const struct sockaddr_in *)own->ifa_netmask)->sin_addr;
        n->bits = MAPPED_BITS + leading_ones(mask, ADDRESS_BITS - MAPPED_BITS);
        return true;
    }
    if (own->ifa_addr->sa_family != AF_INET6) return false;
    memcpy(n->address, &((const struct sockaddr_in6 *)own->ifa_addr)->sin6_addr, sizeof n->address);
    const void *mask = &((const struct sockaddr_in6 *)own->ifa_netmask)->sin6_addr;
    n->bits = leading_ones(mask, ADDRESS_BITS);
    return true;
}

// Adds the networks in which this machine, or this container, has an address: a container learns its network
// only when it starts.
static bool add_own_networks(struct internal_only *i) {
    struct ifaddrs *all = NULL;
    bool fits = getifaddrs(&all) == 0;
    for (const struct ifaddrs *own = all; own && fits; own = own->ifa_next) {
        struct network n;
        if (!network_of(own, &n)) continue;
        fits = i->count < INTERNAL_NETWORKS;
        if (fits) i->networks[i->count++] = n;
    }
    if (all) freeifaddrs(all);
    return fits;
}

static bool add_network(struct internal_only *i, const char *text, size_t len) {
    static const char own[] = "samenet";
    if (len == sizeof own - 1 && !memcmp(text, own, len)) return add_own_networks(i);
    return i->count < INTERNAL_NETWORKS && parse_network(text, len, &i->networks[i->count++]);
}

static bool parse_networks(struct internal_only *i, const char *text) {
    for (const char *end = text; *end; text = end + 1) {
        text += strspn(text, " ");
        end = text + strcspn(text, ",");
        size_t len = strcspn(text, " ,");
        if (text + len + strspn(text + len, " ") != end) return false; // more than one word between commas
        if (len && !add_network(i, text, len)) return false;
    }
    return true;
}

struct internal_only *internal_only_new(const char *networks, const char *token) {
    struct internal_only *i = mem_zalloc(sizeof *i);
    if (!parse_networks(i, networks ? networks : "127.0.0.0/8,::1/128")) {
        free(i);
        return NULL;
    }
    if (token && *token) i->token = mem_strdup(token);
    return i;
}

void internal_only_free(struct internal_only *i) {
    if (!i) return;
    free(i->token);
    free(i);
}

static bool is_known_peer(const struct internal_only *i, const char *peer) {
    uint8_t address[ADDRESS_BITS / 8];
    unsigned least;
    if (!parse_address(peer, address, &least)) return false;
    for (size_t k = 0; k < i->count; k++) {
        const struct network *n = &i->networks[k];
        unsigned whole = n->bits / 8, rest = n->bits % 8;
        if (memcmp(n->address, address, whole) != 0) continue;
        if (!rest || (n->address[whole] ^ address[whole]) >> (8 - rest) == 0) return true;
    }
    return false;
}

// Takes the same time for all tokens of one length, however many bytes are right.
static bool has_token(const struct internal_only *i, const char *authorization) {
    static const char scheme[] = "Bearer ";
    if (!i->token || !authorization) return false;
    if (strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) return false;
    const char *given = authorization + sizeof scheme - 1;
    given += strspn(given, " ");
    size_t given_len = strlen(given), token_len = strlen(i->token);
    volatile unsigned different = given_len != token_len;
    for (size_t k = 0; k < given_len; k++)
        different |= (unsigned)(unsigned char)given[k] ^ (unsigned char)i->token[k % token_len];
    return !different;
}

bool internal_only_allows(const struct internal_only *i, const struct internal_sign *sign) {
    if (sign->origin) return false;
    return has_token(i, sign->authorization) || (!sign->forwarded && is_known_peer(i, sign->peer));
}

static bool internal_only_allows_from(const struct internal_only *i, const struct http_request *r,
                                      const char *origin) {
    char peer[INET6_ADDRSTRLEN + 8];
    http_request_peer(r, peer, sizeof peer);
    return internal_only_allows(
        i, &(struct internal_sign){.peer = peer,
                                   .origin = origin,
                                   .authorization = http_request_header(r, "authorization"),
                                   .forwarded = http_request_is_forwarded(r)});
}

// Whether the origin's host and port are those of the request.
static bool origin_is_host(const char *origin, const char *host) {
    const char *at = strstr(origin, "://");
    return at && host && !strcasecmp(at + 3, host);
}

bool internal_only_page_guard(const struct internal_only *i, const struct http_request *r,
                              struct http_refusal *refusal) {
    const char *origin = http_request_header(r, "origin");
    if (origin && origin_is_host(origin, http_request_header(r, "host"))) origin = NULL;
    if (internal_only_allows_from(i, r, origin)) return true;
    return http_refuse(
        refusal, 403, "forbidden",
        "This is for operators and services: from an address in --internal-from and not through "
        "a proxy, or with the token.");
}

bool internal_only_guard(const struct internal_only *i, const struct http_request *r,
                         struct http_refusal *refusal) {
    if (internal_only_allows_from(i, r, http_request_header(r, "origin"))) return true;
    return http_refuse(
        refusal, 403, "forbidden",
        "Only services may do this: from an address in --internal-from and not through a proxy, or with "
        "the token.");
}
