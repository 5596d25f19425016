#include "redis_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

enum { DEFAULT_PORT = 6379, LAST_DB = 1 << 20 };

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

static bool redis_url_parse_host(struct redis_url *u, const char *at, size_t len) {
    const char *host = at, *end = at + len, *port = NULL;
    size_t host_len = len;
    if (*at == '[') {
        const char *bracket = memchr(at, ']', len);
        if (!bracket) return false;
        host = at + 1;
        host_len = (size_t)(bracket - host);
        if (bracket + 1 < end && bracket[1] != ':') return false;
        if (bracket + 1 < end) port = bracket + 2;
    } else {
        const char *colon = memchr(at, ':', len);
        if (colon) host_len = (size_t)(colon - at);
        if (colon) port = colon + 1;
    }
    if (!host_len || host_len > REDIS_URL_HOST_MAX || memchr(host, '%', host_len)) return false;
    for (size_t i = 0; i < host_len; i++)
        if (host[i] <= 0x20 || host[i] == 0x7f) return false;
    memcpy(u->host, host, host_len);
    u->host[host_len] = 0;
    return !port || (redis_url_parse_number(port, (size_t)(end - port), 65535, &u->port) && u->port);
}

static bool redis_url_parse_db(struct redis_url *u, const char *path) {
    if (!*path || !strcmp(path, "/")) return true;
    return redis_url_parse_number(path + 1, strlen(path + 1), LAST_DB, &u->db);
}

bool redis_url_parse(struct redis_url *u, const char *text, char *why, size_t why_size) {
    *u = (struct redis_url){.port = DEFAULT_PORT};
    u->tls = !strncmp(text, "rediss://", 9);
    if (u->tls || !strncmp(text, "redis://", 8)) {
        const char *at = strstr(text, "://") + 3;
        size_t len = strcspn(at, "/");
        const char *user_end = memrchr(at, '@', len);
        const char *host = user_end ? user_end + 1 : at;
        if ((!user_end || redis_url_parse_user(u, at, (size_t)(user_end - at))) &&
            redis_url_parse_host(u, host, len - (size_t)(host - at)) && redis_url_parse_db(u, at + len))
            return true;
    }
    snprintf(why, why_size,
             "The URL of Redis must be like redis://[user:password@]host[:port][/db], or rediss:// for TLS.");
    return false;
}
