#include "net/networks.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ifaddrs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/address.h"

enum { ADDRESS_BITS = 128, MAPPED_BITS = 96 };

// Addresses are stored as IPv6, with IPv4 ones mapped (RFC 4291, 2.5.5.2), so that one comparison serves
// both.
struct network {
    uint8_t address[ADDRESS_BITS / 8];
    unsigned bits;
};

struct networks {
    size_t count, room;
    struct network network[];
};

static void map_address(const union address *a, uint8_t bytes[ADDRESS_BITS / 8]) {
    static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};
    if (a->any.sa_family == AF_INET6) {
        memcpy(bytes, &a->v6.sin6_addr, ADDRESS_BITS / 8);
    } else {
        memcpy(bytes, mapped, sizeof mapped);
        memcpy(bytes + sizeof mapped, &a->v4.sin_addr, 4);
    }
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
    union address address;
    if (len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    char *slash = strchr(copy, '/');
    if (slash) *slash = 0;
    if (!address_parse(&address, copy)) return false;
    map_address(&address, n->address);
    n->bits = ADDRESS_BITS;
    return !slash || parse_bits(slash + 1, address.any.sa_family == AF_INET ? MAPPED_BITS : 0, &n->bits);
}

static unsigned leading_ones(const uint8_t *mask, unsigned most) {
    unsigned bits = 0;
    while (bits < most && mask[bits / 8] & 0x80 >> bits % 8) bits++;
    return bits;
}

// Returns false if it is neither IPv4 nor IPv6.
static bool network_of(const struct ifaddrs *own, struct network *n) {
    if (!own->ifa_addr || !own->ifa_netmask) return false;
    const union address *address = (const void *)own->ifa_addr, *mask = (const void *)own->ifa_netmask;
    if (own->ifa_addr->sa_family == AF_INET)
        n->bits = MAPPED_BITS + leading_ones((const uint8_t *)&mask->v4.sin_addr, ADDRESS_BITS - MAPPED_BITS);
    else if (own->ifa_addr->sa_family == AF_INET6)
        n->bits = leading_ones((const uint8_t *)&mask->v6.sin6_addr, ADDRESS_BITS);
    else
        return false;
    map_address(address, n->address);
    return true;
}

// Adds the networks in which this machine, or this container, has an address: a container learns its network
// only when it starts.
static bool add_own_networks(struct networks *all) {
    struct ifaddrs *interfaces = NULL;
    bool fits = getifaddrs(&interfaces) == 0;
    for (const struct ifaddrs *own = interfaces; own && fits; own = own->ifa_next) {
        struct network n;
        if (!network_of(own, &n)) continue;
        fits = all->count < all->room;
        if (fits) all->network[all->count++] = n;
    }
    if (interfaces) freeifaddrs(interfaces);
    return fits;
}

static bool add_network(struct networks *all, const char *text, size_t len) {
    static const char own[] = "samenet";
    if (len == sizeof own - 1 && !memcmp(text, own, len)) return add_own_networks(all);
    return all->count < all->room && parse_network(text, len, &all->network[all->count++]);
}

static bool parse_networks(struct networks *all, const char *text) {
    for (const char *end = text; *end; text = end + 1) {
        text += strspn(text, " ");
        end = text + strcspn(text, ",");
        size_t len = strcspn(text, " ,");
        if (text + len + strspn(text + len, " ") != end) return false; // more than one word between commas
        if (len && !add_network(all, text, len)) return false;
    }
    return true;
}

static struct networks *networks_read(const char *list, const char *more, size_t room) {
    struct networks *all = mem_zalloc(sizeof *all + room * sizeof *all->network);
    all->room = room;
    if (parse_networks(all, list) && parse_networks(all, more)) return all;
    free(all);
    return NULL;
}

struct networks *networks_new(const char *list) {
    return networks_read(list, "", NETWORKS_MAX);
}

struct networks *networks_new_joined(const char *list, const char *more) {
    return networks_read(list, more, (size_t)2 * NETWORKS_MAX);
}

void networks_free(struct networks *all) {
    free(all);
}

bool networks_contain(const struct networks *all, const union address *a) {
    uint8_t address[ADDRESS_BITS / 8];
    if (a->any.sa_family != AF_INET && a->any.sa_family != AF_INET6) return false;
    map_address(a, address);
    for (size_t i = 0; i < all->count; i++) {
        const struct network *n = &all->network[i];
        unsigned whole = n->bits / 8, rest = n->bits % 8;
        if (memcmp(n->address, address, whole) != 0) continue;
        if (!rest || (n->address[whole] ^ address[whole]) >> (8 - rest) == 0) return true;
    }
    return false;
}
