#include "settings_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "engine/engine.h"
#include "engine/redis.h"
#include "http/hostnames.h"
#include "http/server.h"
#include "http/url.h"
#include "placement/policy.h"
#include "placement/readers.h"
#include "service/fields.h"
#include "service/text_rules.h"
#include "net/address.h"
#include "net/networks.h"
#include "net/sock.h"

const char *text_redis_url(const char *text) {
    return redis_url_check(text);
}

const char *text_redis_password(const char *text) {
    return *text && strlen(text) < 512 ? NULL : "1 to 511 bytes";
}

const char *text_redis_host(const char *text) {
    char url[SETTINGS_REDIS_URL_SIZE];
    snprintf(url, sizeof url, "redis://%s", text);
    return redis_url_check(url) ? "HOST or HOST:PORT, as in redis://HOST:PORT" : NULL;
}

// Paths are added to it, so it has no query; nor a user, with which browsers request nothing.
static bool is_base_url(const char *text) {
    struct http_url parsed;
    char as_http[ENGINE_URL_MAX + sizeof "http"];
    if (!placement_url_is_plain(text) || strpbrk(text, "?#")) return false;
    snprintf(as_http, sizeof as_http, "http%s", strstr(text, "://"));
    return !http_url_parse(&parsed, as_http);
}

const char *text_reader_url(const char *text) {
    return is_base_url(text) ? NULL : "an address like http://reader-1:4001";
}

const char *text_public_url(const char *text) {
    return is_base_url(text) ? NULL : "an address like https://live.example.org";
}

const char *text_reader_urls(const char *text) {
    return placement_urls_are_plain(text) ? NULL : "addresses like http://reader-1:4001,...";
}

const char *text_policy(const char *text) {
    enum placement_policy policy;
    return policy_by_name(text, strlen(text), &policy) ? NULL : "one of round-robin, least-loaded and hash";
}

const char *text_part_url(const char *text) {
    struct http_url parsed;
    return !http_url_parse(&parsed, text) && strlen(text) <= SETTINGS_URL_MAX
               ? NULL
               : "an address like http://127.0.0.1:5000";
}

static bool is_service_url(const char *text) {
    struct http_url parsed;
    bool is_url = !http_url_parse_https(&parsed, text) || !http_url_parse(&parsed, text);
    return is_url && strlen(text) <= SETTINGS_URL_MAX;
}

const char *text_jwks_url(const char *text) {
    return is_service_url(text) ? NULL : "an address like https://id.example.org/.well-known/jwks.json";
}

const char *text_review_hook(const char *text) {
    return is_service_url(text) ? NULL : "an address like https://chat.example.org/review";
}

const char *text_host(const char *text) {
    return strpbrk(text, " /:?#@\"\\<>") ? "a host name without port" : NULL;
}

const char *text_ports(const char *text) {
    static const char wanted[] = "ports up to 65535 like 4001,4002,4003";
    for (const char *at = text;;) {
        char *end;
        unsigned long port = strtoul(at, &end, 10);
        if (end == at || !strchr("0123456789", *at) || port > 65535) return wanted;
        if (!*end) return NULL;
        if (*end != ',') return wanted;
        at = end + 1;
    }
}

const char *text_networks(const char *text) {
    struct networks *all = networks_new(text);
    networks_free(all);
    return all ? NULL : "networks like 10.0.0.0/8,::1";
}

const char *text_address(const char *text) {
    union address address;
    return address_parse_with_port(&address, text) ? NULL : "ADDRESS:PORT like 127.0.0.1:9000 or [::1]:9000";
}

static bool is_place(const char *text) {
    if (strncmp(text, "unix:", 5) != 0) return !text_address(text);
    return text[5] == '/' && strlen(text + 5) <= SOCK_PATH_MAX;
}

const char *text_listen(const char *text) {
    char one[sizeof "unix:" + SOCK_PATH_MAX + 1];
    unsigned count = 0;
    for (const char *at = text; *at; at += strcspn(at, ","), at += *at == ',') {
        snprintf(one, sizeof one, "%.*s", (int)strcspn(at, ","), at);
        if (!is_place(one) || ++count > HTTP_LISTENERS_MORE)
            return "at most 8 of unix:/PATH, of at most 107 bytes, and ADDRESS:PORT, comma-separated";
    }
    return NULL;
}

const char *text_mode(const char *text) {
    size_t len = strlen(text);
    return len >= 3 && len <= 4 && strspn(text, "01234567") == len ? NULL : "an octal number like 0660";
}

const char *text_hostnames(const char *text) {
    struct hostnames *all = hostnames_new(text);
    hostnames_free(all);
    return all ? NULL : "names like live.example.org,*.example.net, without ports";
}

const char *text_id(const char *text) {
    return id_is_valid(text, strlen(text)) ? NULL : "at most 128 letters, digits and . _ ~ - : @";
}

const char *text_position(const char *text) {
    struct position at;
    return position_parse(text, strlen(text), &at) ? NULL
                                                   : "the id of a comment: two numbers with a dash between";
}

const char *text_process_id(const char *text) {
    size_t len = strlen(text);
    return id_is_valid(text, len) && len <= ID_MAX - sizeof "-statistics-1"
               ? NULL
               : "at most 114 letters, digits and . _ ~ - : @";
}

const char *text_token(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) return "without control characters";
    return NULL;
}

bool text_list_has(const char *list, const char *item) {
    size_t len = strlen(item);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == len && !strncmp(at, item, len)) return true;
    return false;
}

const char *text_rights(const char *text) {
    for (const char *at = text; *at; at += strcspn(at, ","), at += *at == ',') {
        char one[16];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(at, ","), at);
        if (!text_list_has("read,post,react,moderate,everything", one))
            return "of read, post, react, moderate, everything";
    }
    return NULL;
}

const char *text_rule_names(const char *text) {
    unsigned on;
    return text_rules_parse(text, &on) ? NULL : "of names, bidi, blank; or none";
}

int64_t text_duration_s(const char *text) {
    static const struct {
        char unit;
        int seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    enum { NUMBER_MAX = 100000 };
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || !number || number > NUMBER_MAX || !*end || end[1]) return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == *end) return (int64_t)number * units[i].seconds;
    return -1;
}

const char *text_duration(const char *text) {
    return text_duration_s(text) > 0 ? NULL : "a number up to 100000 and s, m, h or d, such as 90s or 1h";
}
