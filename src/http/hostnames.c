#include "http/hostnames.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct hostnames {
    char *list; // NULL: any name is known
};

enum { ADDRESS_MAX = 64 }; // a longer name is none

static bool is_address(const char *text, int family) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(family, text, address) == 1;
}

bool hostname_is_own(const char *host) {
    char name[ADDRESS_MAX];
    bool v6 = *host == '[';
    const char *begin = host + v6;
    size_t len = strcspn(begin, v6 ? "]" : ":");
    if (len >= sizeof name) return false;
    memcpy(name, begin, len);
    name[len] = 0;
    if (v6) return begin[len] == ']' && strchr(":", begin[len + 1]) && is_address(name, AF_INET6);
    return is_address(name, AF_INET) || !strcasecmp(name, "localhost");
}

bool hostname_is_website(const char *host) {
    return strchr(host, '.') && !hostname_is_own(host);
}

static bool is_name(const char *text, size_t len) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    if (len > 2 && !memcmp(text, "*.", 2)) text += 2, len -= 2;
    return len && strspn(text, letters) >= len;
}

static bool list_is_valid(const char *list) {
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (!is_name(at, strcspn(at, ","))) return false;
    return true;
}

struct hostnames *hostnames_new(const char *list) {
    if (list && !list_is_valid(list)) return NULL;
    struct hostnames *all = mem_zalloc(sizeof *all);
    hostnames_set(all, list);
    return all;
}

void hostnames_set(struct hostnames *all, const char *list) {
    free(all->list);
    all->list = list ? mem_strdup(list) : NULL;
}

void hostnames_free(struct hostnames *all) {
    if (all) free(all->list);
    free(all);
}

static bool is_named_by(const char *item, size_t item_len, const char *name, size_t len) {
    if (*item != '*') return len == item_len && !strncasecmp(item, name, len);
    item++; // the rest begins with a dot
    return len >= item_len && !strncasecmp(item, name + len - (item_len - 1), item_len - 1);
}

bool hostnames_contain(const struct hostnames *all, const char *host) {
    size_t len = strcspn(host, ":");
    for (const char *at = all->list ? all->list : ""; *at; at += strcspn(at, ","), at += *at == ',')
        if (is_named_by(at, strcspn(at, ","), host, len)) return true;
    return false;
}

bool hostnames_allow(const struct hostnames *all, const char *host) {
    return !all->list || !host || !hostname_is_website(host) || hostnames_contain(all, host);
}
