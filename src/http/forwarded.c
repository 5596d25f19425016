#include "forwarded.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "net/address.h"
#include "net/networks.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

// Some proxies add a port: 192.0.2.1:4711, [2001:db8::1]:4711.
static bool parse_entry(union address *a, const char *text, size_t len) {
    char copy[INET6_ADDRSTRLEN];
    const char *colon = memchr(text, ':', len), *end = text + len;
    if (len && *text == '[') {
        text++;
        end = memchr(text, ']', len - 1);
        if (!end) return false;
    } else if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1))) {
        end = colon;
    }
    len = (size_t)(end - text);
    if (len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    return address_parse(a, copy);
}

// Finds the value of `for` in an element of Forwarded: for=192.0.2.1;proto=https, For="[2001:db8::1]:4711". A
// comma in a quoted value of another parameter splits the element, and what follows it is no address.
static bool find_for(const char **text, size_t *len) {
    const char *at = *text, *end = at + *len;
    while (at < end) {
        while (at < end && (is_space(*at) || *at == ';')) at++;
        const char *stop = at;
        while (stop < end && *stop != ';') stop++;
        if (stop - at > 4 && !strncasecmp(at, "for=", 4)) {
            at += 4;
            while (stop > at && is_space(stop[-1])) stop--;
            if (stop - at >= 2 && *at == '"' && stop[-1] == '"') at++, stop--;
            *text = at;
            *len = (size_t)(stop - at);
            return true;
        }
        at = stop;
    }
    return false;
}

// At a unix socket, whose permissions say who may connect, there are proxies only.
static bool is_proxy(const struct networks *trusted, const union address *a) {
    return a->any.sa_family == AF_UNIX || (trusted && networks_contain(trusted, a));
}

bool forwarded_find_client(union address *client, const char *field, bool is_forwarded,
                           const struct networks *trusted) {
    size_t end = strlen(field);
    for (int hops = 0; hops < FORWARDED_HOPS_MAX && is_proxy(trusted, client); hops++) {
        size_t start, last = end;
        while (end && field[end - 1] != ',') end--;
        start = end;
        while (start < last && is_space(field[start])) start++;
        while (last > start && is_space(field[last - 1])) last--;
        union address entry;
        const char *text = field + start;
        size_t len = last - start;
        if (is_forwarded && !find_for(&text, &len)) return false;
        if (!parse_entry(&entry, text, len)) return false;
        *client = entry;
        if (!end) return true;
        end--; // the comma
    }
    return true;
}
