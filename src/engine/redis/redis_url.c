#include "redis_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

enum { LAST_DB = 1 << 20 };

// Copies with %XX decoded (RFC 3986, 2.1).
static bool redis_url_decode(char *to, size_t size, const char *from, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++, n++) {
        if (n + 1 >= size) return false;
        to[n] = from[i];
        if (from[i] != '%') continue;
        if (i + 2 >= len || hex_digit(from[i + 1]) < 0 || hex_digit(from[i + 2]) < 0) return false;
        to[n] = (char)(hex_digit(from[i + 1]) << 4 | hex_digit(from[i + 2]));
        if (!to[n]) return false;
        i += 2;
    }
    to[n] = 0;
    return true;
}

static bool redis_url_parse_number(const char *text, size_t len, long max, int *out) {
    char digits[16], *end;
    if (!len || len >= sizeof digits || text[0] < '0' || text[0] > '9') return false;
    memcpy(digits, text, len);
    digits[len] = 0;
    errno = 0;
    long n = strtol(digits, &end, 10);
    if (*end || errno || n > max) return false;
    *out = (int)n;
    return true;
}

static bool redis_url_parse_user(struct redis_url *u, const char *at, size_t len) {
    const char *colon = memchr(at, ':', len);
    size_t user_len = colon ? (size_t)(colon - at) : len;
    if (!redis_url_decode(u->user, sizeof u->user, at, user_len)) return false;
    if (!colon) return false; // a user without a password cannot log in
    return redis_url_decode(u->password, sizeof u->password, colon + 1, len - user_len - 1) && *u->password;
}

static const char a_scheme[] =
    "like redis://[user:password@]host[:port][/db], sentinel://host,host/NAME or cluster://host,host; with TLS "
    "rediss://, sentinels:// or clusters://";
static const char a_user[] =
    "a URL in which a user has a password, as in user:password@, with special characters as %XX";
static const char a_host[] = "a URL with a host name or an address behind :// and behind each comma";
static const char a_port[] = "a URL whose ports are numbers from 1 to 65535";
static const char one_host[] = "a URL with one host: several are for sentinel:// and cluster://";
static const char few_hosts[] = "a URL with at most 16 hosts";
static const char a_name[] =
    "a URL with the name under which the Sentinels watch the primary: sentinel://host,host/NAME";
static const char a_db[] = "a URL that ends with the number of a database, or with nothing";
static const char no_db[] = "a URL that ends with the hosts: a Cluster has one database";

static const struct scheme {
    const char *text;
    enum redis_scheme scheme;
    bool tls;
    int port; // by default
} schemes[] = {
    {"redis://", REDIS_SINGLE, false, 6379},       {"rediss://", REDIS_SINGLE, true, 6379},
    {"sentinel://", REDIS_SENTINEL, false, 26379}, {"sentinels://", REDIS_SENTINEL, true, 26379},
    {"cluster://", REDIS_CLUSTER, false, 6379},    {"clusters://", REDIS_CLUSTER, true, 6379},
};

static const struct scheme *redis_url_scheme(const char *text) {
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (!strncmp(text, schemes[i].text, strlen(schemes[i].text))) return &schemes[i];
    return NULL;
}

static const char *redis_url_parse_host(struct redis_place *p, const char *at, size_t len) {
    const char *host = at, *end = at + len, *port = NULL;
    size_t host_len = len;
    if (len && *at == '[') {
        const char *bracket = memchr(at, ']', len);
        if (!bracket) return a_host;
        host = at + 1;
        host_len = (size_t)(bracket - host);
        if (bracket + 1 < end && bracket[1] != ':') return a_host;
        if (bracket + 1 < end) port = bracket + 2;
    } else {
        const char *colon = memchr(at, ':', len);
        if (colon) host_len = (size_t)(colon - at);
        if (colon) port = colon + 1;
    }
    if (!host_len || host_len > REDIS_URL_HOST_MAX || memchr(host, '%', host_len)) return a_host;
    for (size_t i = 0; i < host_len; i++)
        if (host[i] <= 0x20 || host[i] == 0x7f) return a_host;
    memcpy(p->host, host, host_len);
    p->host[host_len] = 0;
    bool is_port = !port || (redis_url_parse_number(port, (size_t)(end - port), 65535, &p->port) && p->port);
    return is_port ? NULL : a_port;
}

static const char *redis_url_parse_hosts(struct redis_url *u, const char *at, size_t len, int default_port) {
    const char *end = at + len, *wrong = NULL;
    while (!wrong) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (u->count == REDIS_URL_PLACES) return few_hosts;
        struct redis_place *p = &u->at[u->count++];
        p->port = default_port;
        wrong = redis_url_parse_host(p, at, (size_t)((comma ? comma : end) - at));
        if (!comma) break;
        at = comma + 1;
    }
    return wrong ? wrong : u->scheme == REDIS_SINGLE && u->count > 1 ? one_host : NULL;
}

// `path`: what follows the hosts, beginning with a slash unless it is empty.
static const char *redis_url_parse_path(struct redis_url *u, const char *path) {
    if (*path) path++;
    if (u->scheme == REDIS_CLUSTER) return *path ? no_db : NULL;
    if (u->scheme == REDIS_SENTINEL) {
        size_t len = strcspn(path, "/");
        if (!len || !redis_url_decode(u->primary, sizeof u->primary, path, len)) return a_name;
        path += len;
        if (*path) path++;
    }
    return !*path || redis_url_parse_number(path, strlen(path), LAST_DB, &u->db) ? NULL : a_db;
}

const char *redis_url_parse(struct redis_url *u, const char *text) {
    *u = (struct redis_url){0};
    const struct scheme *scheme = redis_url_scheme(text);
    if (!scheme) return a_scheme;
    u->scheme = scheme->scheme;
    u->tls = scheme->tls;
    const char *at = text + strlen(scheme->text), *wrong;
    size_t len = strcspn(at, "/");
    const char *user_end = memrchr(at, '@', len), *hosts = user_end ? user_end + 1 : at;
    if (user_end && !redis_url_parse_user(u, at, (size_t)(user_end - at))) return a_user;
    wrong = redis_url_parse_hosts(u, hosts, len - (size_t)(hosts - at), scheme->port);
    return wrong ? wrong : redis_url_parse_path(u, at + len);
}

bool redis_place_is(const struct redis_place *a, const struct redis_place *b) {
    return a->port == b->port && !strcmp(a->host, b->host);
}
