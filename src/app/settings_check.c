#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "engine/redis.h"
#include "net/address.h"
#include "http/url.h"
#include "placement/readers.h"
#include "service/fields.h"
#include "service/internal_only.h"

// Takes the next port from a list like "4001,4005"; after the last one they count up.
static bool next_port(const char **list, long *port) {
    if (!**list) {
        if (*port) ++*port;
        return *port <= 65535;
    }
    char *end;
    errno = 0;
    *port = strtol(*list, &end, 10);
    if (end == *list || errno || *port < 0 || *port > 65535 || (*end && *end != ',')) return false;
    *list = end + (*end == ',');
    return true;
}

bool settings_reader_ports(const struct settings *s, int ports[READERS_MAX]) {
    const char *list = s->reader_ports;
    long port = 0;
    for (int64_t i = 0; i < s->readers; i++) {
        if (!next_port(&list, &port)) return false;
        ports[i] = (int)port;
    }
    return !*list;
}

bool settings_redis_url(const struct settings *s, char *url, size_t size) {
    if (!s->redis && !s->redis_host) return false;
    // --redis overrides --redis-host, but an option on the command line overrides any environment variable.
    bool host_wins =
        s->redis == getenv("REDIS_URL") && s->redis_host && s->redis_host != getenv("REDIS_HOST");
    if (s->redis && !host_wins)
        snprintf(url, size, "%s", s->redis);
    else
        snprintf(url, size, "redis://%s", s->redis_host);
    return true;
}

struct refusal {
    char *why;
    size_t size;
};

static bool settings_refuse(const struct refusal *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool settings_refuse(const struct refusal *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, c->size, format, args);
    va_end(args);
    return false;
}

static bool check_engine(const struct settings *s, enum command command, const struct refusal *c) {
    char url[SETTINGS_REDIS_URL_SIZE];
    if (settings_redis_url(s, url, sizeof url)) return redis_url_check(url, c->why, c->size);
    return command == COMMAND_UP ||
           settings_refuse(
               c,
               "A service run on its own needs Redis to work with the others: set --redis redis://HOST:PORT.");
}

static bool check_reader_url(const char *flag, const char *url, const struct refusal *c) {
    return !url || placement_url_is_plain(url) ||
           settings_refuse(c, "--%s is \"%s\", but must be an address like http://reader-1:4001.", flag, url);
}

// Checks the URL of a part that this one calls.
static bool check_part_url(const char *flag, const char *url, const struct refusal *c) {
    struct http_url parsed;
    return !url || (!http_url_parse(&parsed, url) && strlen(url) <= SETTINGS_URL_MAX) ||
           settings_refuse(c, "--%s is \"%s\", but must be an address like http://127.0.0.1:5000.", flag,
                           url);
}

static bool check_urls(const struct settings *s, const struct refusal *c) {
    if (s->reader_urls && !placement_urls_are_plain(s->reader_urls))
        return settings_refuse(c,
                               "--reader-urls is \"%s\", but must be addresses like http://reader-1:4001,...",
                               s->reader_urls);
    return check_reader_url("url", s->url, c) && check_reader_url("public-url", s->public_url, c) &&
           check_part_url("manager-url", s->manager_url, c) &&
           check_part_url("statistics-url", s->statistics_url, c);
}

static bool check_internal(const char *networks, const struct refusal *c) {
    struct internal_only *internal = internal_only_new(networks, NULL);
    internal_only_free(internal);
    return internal ||
           settings_refuse(c, "--internal-from is \"%s\", but must be networks like 10.0.0.0/8,::1.",
                           networks);
}

bool settings_check(const struct settings *s, enum command command, char *why, size_t why_size) {
    const struct refusal *c = &(struct refusal){why, why_size};
    int ports[READERS_MAX];
    union address address;
    if (address_resolve(s->bind, &address, 1) <= 0)
        return settings_refuse(
            c, "--bind is \"%s\", but must be an address, or a host name that resolves to one.", s->bind);
    if (s->reader_ports && !settings_reader_ports(s, ports))
        return settings_refuse(
            c,
            "--reader-ports is \"%s\", but must be ports up to 65535 like 4001,4002,4003, %d at most (--readers); "
            "further readers count up from the last.",
            s->reader_ports, (int)s->readers);
    if (s->public_host && strpbrk(s->public_host, " /:?#@\"\\<>"))
        return settings_refuse(c, "--public-host is \"%s\", but must be a host name without port.",
                               s->public_host);
    if (s->instance_id && !id_is_valid(s->instance_id, strlen(s->instance_id)))
        return settings_refuse(
            c, "--instance-id is \"%s\", but must be at most %d letters, digits and . _ ~ - : @.",
            s->instance_id, ID_MAX);
    return check_internal(s->internal_from, c) && check_urls(s, c) && check_engine(s, command, c);
}
