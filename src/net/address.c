#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

bool address_parse(union address *a, const char *text) {
    *a = (union address){0};
    if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1)
        a->v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1)
        a->v6.sin6_family = AF_INET6;
    else
        return false;
    return true;
}

bool address_parse_with_port(union address *a, const char *text) {
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : "";
    size_t len = colon ? (size_t)(colon - text) : sizeof host, digits = strspn(port, "0123456789");
    if (len >= sizeof host || !digits || digits > 5 || port[digits]) return false;
    bool v6 = len > 1 && *text == '[' && text[len - 1] == ']';
    memcpy(host, text + v6, len - 2 * v6);
    host[len - 2 * v6] = 0;
    unsigned long number = strtoul(port, NULL, 10);
    if (number > 65535 || !address_parse(a, host)) return false;
    address_set_port(a, (int)number);
    return v6 == (a->any.sa_family == AF_INET6);
}

// Adds an address, unless it is there already. Returns how many there are.
static int address_add(union address *out, int count, int max, const char *text) {
    union address a;
    if (count == max || !address_parse(&a, text)) return count;
    for (int i = 0; i < count; i++)
        if (address_size(&out[i]) == address_size(&a) && !memcmp(&out[i], &a, address_size(&a))) return count;
    out[count] = a;
    return count + 1;
}

int address_resolve(const char *name, union address *out, int max) {
    int count = address_add(out, 0, max, name);
    if (count || !*name) return count;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(name, NULL, &hints, &found) != 0) found = NULL;
    for (const struct addrinfo *i = found; i && count < max; i = i->ai_next) {
        char text[INET6_ADDRSTRLEN];
        if (getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            count = address_add(out, count, max, text);
    }
    if (found) freeaddrinfo(found);
    if (strcasecmp(name, "localhost") != 0) return count;
    count = address_add(out, count, max, "127.0.0.1");
    return address_add(out, count, max, "::1");
}

socklen_t address_size(const union address *a) {
    return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

int address_port(const union address *a) {
    return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void address_set_port(union address *a, int port) {
    if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = htons((uint16_t)port);
    else
        a->v4.sin_port = htons((uint16_t)port);
}

bool address_is_loopback(const union address *a) {
    const struct in6_addr *v6 = &a->v6.sin6_addr;
    if (a->any.sa_family == AF_INET) return ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    if (a->any.sa_family != AF_INET6) return false;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

bool address_loopback_source(const union address *to, uint32_t host, union address *from) {
    if (to->any.sa_family != AF_INET || !address_is_loopback(to)) return false;
    *from = (union address){
        .v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)IN_LOOPBACKNET << 24 | host)}};
    return true;
}

const uint8_t *address_embedded_v4(const struct in6_addr *a) {
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    bool is_embedded = IN6_IS_ADDR_V4MAPPED(a) || !memcmp(a->s6_addr, nat64, sizeof nat64);
    return is_embedded ? a->s6_addr + 12 : NULL;
}

void address_format(const union address *a, char *out, size_t size) {
    if (a->any.sa_family == AF_UNIX)
        snprintf(out, size, "unix");
    else if (a->any.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->v4.sin_addr, out, (socklen_t)size);
    else if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        inet_ntop(AF_INET, &a->v6.sin6_addr.s6_addr[12], out, (socklen_t)size);
    else
        inet_ntop(AF_INET6, &a->v6.sin6_addr, out, (socklen_t)size);
}
