// What a request says: its checked head, its route, and the decoded parts a handler asks for.
#include "conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/address.h"
#include "net/sock.h"

void http_request_forget_query(struct http_request *r) {
    free(r->fields);
    buf_release(&r->query);
    r->fields = NULL;
    r->field_count = 0;
}

void http_request_reset(struct http_request *r) {
    free(r->param);
    http_request_forget_query(r);
    buf_clear(&r->body);
    buf_clear(&r->head);
    r->param = NULL;
    memset(r->values, 0, sizeof r->values);
    r->hosts = r->encodings = 0;
    r->bad_host = r->closes = false;
    r->route = NULL;
    r->method = 0;
    r->keep_alive = false;
    r->refuse_status = 0;
    r->allow[0] = 0;
}

void http_request_release(struct http_request *r) {
    http_request_reset(r);
    buf_release(&r->head);
    buf_release(&r->body);
}

void http_refuse(struct http_request *r, int status, const char *code, const char *sentence) {
    r->refuse_status = status;
    r->refuse_code = code;
    r->refuse_sentence = sentence;
}

static const struct {
    const char *name;
    enum http_field field;
} known_fields[] = {
    {"host", FIELD_HOST},
    {"connection", FIELD_CONNECTION},
    {"transfer-encoding", FIELD_TRANSFER_ENCODING},
    {"content-type", FIELD_CONTENT_TYPE},
    {"expect", FIELD_EXPECT},
    {"origin", FIELD_ORIGIN},
    {"authorization", FIELD_AUTHORIZATION},
    {"last-event-id", FIELD_LAST_EVENT_ID},
    {"idempotency-key", FIELD_IDEMPOTENCY_KEY},
    {"access-control-request-headers", FIELD_REQUEST_HEADERS},
    {"forwarded", FIELD_PROXY},
    {"via", FIELD_PROXY},
    {"x-original-forwarded-for", FIELD_PROXY},
    {"x-real-ip", FIELD_PROXY},
    {"x-client-ip", FIELD_PROXY},
    {"x-cluster-client-ip", FIELD_PROXY},
    {"x-envoy-external-address", FIELD_PROXY},
    {"true-client-ip", FIELD_PROXY},
    {"cdn-loop", FIELD_PROXY},
    {"cf-connecting-ip", FIELD_PROXY},
    {"fastly-client-ip", FIELD_PROXY},
    {"fly-client-ip", FIELD_PROXY},
};

// What proxies say of a request begins with it: x-forwarded-for, -host, -port and others.
static const char forwarded[] = "x-forwarded";

enum http_field http_field_find(const char *name, size_t len) {
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++) {
        const char *known = known_fields[i].name;
        if ((name[0] | 0x20) == known[0] && strlen(known) == len && !strncasecmp(name, known, len))
            return known_fields[i].field;
    }
    bool told = len >= sizeof forwarded - 1 && !strncasecmp(name, forwarded, sizeof forwarded - 1);
    return told ? FIELD_PROXY : FIELD_UNKNOWN;
}

static bool host_is_valid(const char *host) {
    return *host && !strpbrk(host, " \t,/?#@\\<>\"{}|^`");
}

// Of the Connection header llhttp itself takes `close` for another word if a tab stands beside it.
static bool lists_close(const char *value) {
    for (size_t len; *(value += strspn(value, ", \t")); value += len) {
        len = strcspn(value, ", \t");
        if (len == 5 && !strncasecmp(value, "close", len)) return true;
    }
    return false;
}

static void trim_end(char *value) {
    size_t len = strlen(value);
    while (len && (value[len - 1] == ' ' || value[len - 1] == '\t')) value[--len] = 0;
}

static void count_up(uint8_t *count) {
    if (*count < 2) ++*count;
}

void http_request_take_field(struct http_request *r, enum http_field field, uint32_t value_at) {
    char *value = r->head.data + value_at;
    trim_end(value);
    if (field == FIELD_HOST) {
        count_up(&r->hosts);
        r->bad_host |= !host_is_valid(value);
    } else if (field == FIELD_CONNECTION) {
        r->closes |= lists_close(value);
    } else if (field == FIELD_TRANSFER_ENCODING) {
        count_up(&r->encodings);
    }
    if (field == FIELD_CONNECTION || r->values[field])
        r->head.len = value_at; // known already, or to be ignored
    else
        r->values[field] = value_at;
}

// The target's authority counts, whatever Host says (RFC 9112, 3.2.2).
static bool take_authority(struct http_request *r, size_t at, size_t len) {
    uint32_t host = (uint32_t)r->head.len;
    buf_reserve(&r->head, len + 1);
    buf_add(&r->head, r->head.data + at, len);
    buf_add(&r->head, "", 1);
    r->values[FIELD_HOST] = host;
    return host_is_valid(r->head.data + host);
}

// RFC 9112, 3.2: a target is a path, an absolute URI, or `*`. Leaves path_start and path_len behind.
static bool split_target(struct http_request *r) {
    const char *target = r->head.data;
    size_t start = 0;
    if (strchr(target, '#')) return false;
    if (!strncasecmp(target, "http://", 7) || !strncasecmp(target, "https://", 8)) {
        size_t authority = (size_t)(strstr(target, "://") + 3 - target);
        size_t len = strcspn(target + authority, "/?");
        if (!take_authority(r, authority, len)) return false;
        start = authority + len;
        if (r->head.data[start] != '/') r->head.data[--start] = '/'; // an empty path is the root
    } else if (target[0] != '/' && (strcmp(target, "*") != 0 || r->method != HTTP_OPTIONS)) {
        return false;
    }
    r->path_start = start;
    r->path_len = strcspn(r->head.data + start, "?");
    return true;
}

// Only `chunked` alone, once, and not on HTTP/1.0 (RFC 9112, 6.1): anything else is how requests are
// smuggled.
static bool transfer_encoding_is_fine(unsigned count, const char *value, int http_minor) {
    return !count || (count == 1 && http_minor && !strcasecmp(value, "chunked"));
}

const char *http_request_check_head(struct http_request *r, int http_minor) {
    const char *encoding =
        r->values[FIELD_TRANSFER_ENCODING] ? r->head.data + r->values[FIELD_TRANSFER_ENCODING] : "";
    if (r->bad_host) return "The Host header is not a host.";
    if (r->hosts > 1) return "The Host header may be given only once.";
    if (!r->hosts && http_minor) return "The Host header is missing.";
    if (!transfer_encoding_is_fine(r->encodings, encoding, http_minor))
        return "Transfer-Encoding may only be chunked, once.";
    if (!split_target(r)) return "The request target must be a path.";
    return NULL;
}

// Returns whether the path fits; gives the part that stands for a last segment like ":videoid".
static bool path_fits(const char *pattern, const char *path, size_t len, const char **param,
                      size_t *param_len) {
    const char *colon = strchr(pattern, ':');
    if (!colon) return strlen(pattern) == len && !memcmp(pattern, path, len);
    size_t fixed = (size_t)(colon - pattern);
    if (len <= fixed || memcmp(pattern, path, fixed) != 0 || memchr(path + fixed, '/', len - fixed))
        return false;
    *param = path + fixed;
    *param_len = len - fixed;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes %XX, and `+` if it is a form's; what is no proper escape, or an escaped NUL, stays as it is.
static size_t percent_decode(char *out, const char *in, size_t len, bool plus) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int high = in[i] == '%' && i + 2 < len ? hex_digit(in[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(in[i + 2]) : -1;
        if (low >= 0 && (high || low)) {
            out[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[n++] = plus && in[i] == '+' ? ' ' : in[i];
        }
    }
    out[n] = 0;
    return n;
}

static void allow(struct http_request *r, const char *method) {
    size_t len = strlen(r->allow);
    const char *more = !strcmp(method, "GET") ? "GET, HEAD, " : "POST, ";
    if (!strstr(r->allow, more)) snprintf(r->allow + len, sizeof r->allow - len, "%s", more);
}

static bool method_fits(uint8_t method, const char *route_method) {
    if (!strcmp(route_method, "GET")) return method == HTTP_GET || method == HTTP_HEAD;
    return method == HTTP_POST;
}

static void route_in(struct http_request *r, const struct http_route *row, bool tidied) {
    const char *path = r->head.data + r->path_start;
    for (; row->pattern; row++) {
        const char *param = NULL;
        size_t param_len = 0;
        if (tidied && row->exact_path) continue;
        if (!path_fits(row->pattern, path, r->path_len, &param, &param_len)) continue;
        allow(r, row->method);
        if (r->route || !method_fits(r->method, row->method)) continue;
        r->route = row;
        if (!param) continue;
        r->param = mem_alloc(param_len + 1);
        percent_decode(r->param, param, param_len, false);
    }
}

// Takes doubled and trailing slashes out of the path. Returns whether there were any.
static bool tidy_path(struct http_request *r) {
    char *path = r->head.data + r->path_start;
    size_t kept = 0;
    for (size_t i = 0; i < r->path_len; i++)
        if (path[i] != '/' || !kept || path[kept - 1] != '/') path[kept++] = path[i];
    if (kept > 1 && path[kept - 1] == '/') kept--;
    if (kept == r->path_len) return false;
    memmove(path + kept, path + r->path_len, strlen(path + r->path_len) + 1); // the query
    r->path_len = kept;
    return true;
}

static void find_route(struct http_request *r, const struct http_route *const *tables) {
    for (const struct http_route *const *t = tables; *t; t++) route_in(r, *t, false);
    if (r->allow[0] || !tidy_path(r)) return;
    for (const struct http_route *const *t = tables; *t; t++) route_in(r, *t, true);
}

void http_request_route(struct http_request *r, const struct http_route *const *tables) {
    bool star = r->path_len == 1 && r->head.data[r->path_start] == '*';
    if (star)
        snprintf(r->allow, sizeof r->allow, "GET, HEAD, POST, ");
    else
        find_route(r, tables);
    if (r->route) return;
    bool root_post = r->method == HTTP_POST && r->path_len == 1; // there is nothing to post to
    if (!r->allow[0] || root_post) {
        http_refuse(r, 404, "not_found", "There is nothing at this address.");
        return;
    }
    strncat(r->allow, "OPTIONS", sizeof r->allow - strlen(r->allow) - 1);
    if (r->method == HTTP_OPTIONS)
        http_refuse(r, 204, "", "");
    else
        http_refuse(r, 405, "method_not_allowed", "This method is not for this address; see Allow.");
}

bool http_request_is_head(const struct http_request *r) {
    return r->method == HTTP_HEAD;
}

const char *http_request_body(const struct http_request *r, size_t *len) {
    *len = r->body.len;
    return r->body.data ? r->body.data : "";
}

const char *http_request_header(const struct http_request *r, const char *lower_case_name) {
    enum http_field field = http_field_find(lower_case_name, strlen(lower_case_name));
    assert(field < FIELD_PROXY);
    return r->values[field] ? r->head.data + r->values[field] : NULL;
}

bool http_request_is_forwarded(const struct http_request *r) {
    return r->values[FIELD_PROXY];
}

const char *http_request_param(const struct http_request *r) {
    return r->param;
}

const char *http_request_target(const struct http_request *r) {
    return r->head.data + r->path_start;
}

// application/x-www-form-urlencoded, as the URL standard's parser reads it.
static void parse_query(struct http_request *r) {
    const char *query = r->head.data + r->path_start + r->path_len;
    size_t len = *query == '?' ? strlen(query + 1) : 0;
    unsigned count = 1;
    for (size_t i = 0; i < len; i++) count += query[1 + i] == '&';
    r->fields = mem_alloc(count * sizeof *r->fields);
    char *out = buf_reserve(&r->query, len + 2 * count);
    for (const char *at = query + 1, *end = at + len; len && at < end;) {
        size_t pair = strcspn(at, "&");
        size_t name = strcspn(at, "=&");
        struct http_query_field *f = &r->fields[r->field_count++];
        f->name = out;
        out += percent_decode(out, at, name, true) + 1;
        f->value = out;
        out += percent_decode(out, at + name + (name < pair), pair - name - (name < pair), true) + 1;
        at += pair + 1;
    }
}

const char *http_request_query(struct http_request *r, const char *name) {
    if (!r->fields) parse_query(r);
    for (unsigned i = r->field_count; i > 0; i--)
        if (!strcmp(r->fields[i - 1].name, name)) return r->fields[i - 1].value;
    return NULL;
}

void http_request_peer(const struct http_request *r, char *out, size_t size) {
    union address a;
    out[0] = 0;
    if (sock_peer_address(http_conn_of((struct http_request *)r)->watch.fd, &a) < 0) return;
    address_print(&a, out, size);
}

bool http_request_is_json(const struct http_request *r) {
    const char *type = http_request_header(r, "content-type");
    if (!type) return false;
    size_t len = strcspn(type, "; \t");
    if (len == 16 && !strncasecmp(type, "application/json", 16)) return true;
    return len > 17 && !strncasecmp(type, "application/", 12) && !strncasecmp(type + len - 5, "+json", 5);
}
