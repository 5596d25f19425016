#include "request_parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "http/url.h"
#include "forwarded.h"

static void request_release_query(struct http_request *r) {
    free(r->fields);
    buf_release(&r->query);
    r->fields = NULL;
    r->field_count = 0;
}

void http_request_reset(struct http_request *r) {
    for (int i = 0; i < HTTP_PARAMS; i++) free(r->params[i]);
    request_release_query(r);
    buf_clear(&r->body);
    buf_clear(&r->head);
    memset(r->params, 0, sizeof r->params);
    memset(r->values, 0, sizeof r->values);
    r->client.any.sa_family = 0;
    r->hosts = r->encodings = 0;
    r->bad_host = r->closes = r->is_unnamed = false;
    r->method = HTTP_METHOD_OTHER;
}

void http_request_release(struct http_request *r) {
    http_request_reset(r);
    buf_release(&r->head);
    buf_release(&r->body);
}

size_t http_request_bytes(const struct http_request *r) {
    return r->head.cap + r->body.cap + r->query.cap;
}

void http_request_release_read(struct http_request *r, size_t body_bytes) {
    if (r->body.cap > body_bytes) buf_release(&r->body);
    request_release_query(r);
}

enum http_method http_method_of(const char *name) {
    if (!strcmp(name, "GET")) return HTTP_METHOD_GET;
    if (!strcmp(name, "POST")) return HTTP_METHOD_POST;
    if (!strcmp(name, "HEAD")) return HTTP_METHOD_HEAD;
    if (!strcmp(name, "PUT")) return HTTP_METHOD_PUT;
    if (!strcmp(name, "PATCH")) return HTTP_METHOD_PATCH;
    if (!strcmp(name, "DELETE")) return HTTP_METHOD_DELETE;
    return !strcmp(name, "OPTIONS") ? HTTP_METHOD_OPTIONS : HTTP_METHOD_OTHER;
}

// Common ones first. Length and first letter tell most of them apart.
#define KEY(len, first) ((unsigned)(len) << 8 | (unsigned char)(first))
static const struct {
    unsigned key;
    enum http_field field;
    const char *name;
} known_fields[] = {
#define ROW(name, field)                                                                                     \
    { KEY(sizeof name - 1, name[0]), field, name }
    ROW("host", FIELD_HOST),
    ROW("connection", FIELD_CONNECTION),
    ROW("content-type", FIELD_CONTENT_TYPE),
    ROW("content-length", FIELD_UNKNOWN), // which the parser itself reads
    ROW("accept", FIELD_ACCEPT),
    ROW("cookie", FIELD_COOKIE),
    ROW("accept-encoding", FIELD_ACCEPT_ENCODING),
    ROW("origin", FIELD_ORIGIN),
    ROW("authorization", FIELD_AUTHORIZATION),
    ROW("idempotency-key", FIELD_IDEMPOTENCY_KEY),
    ROW("last-event-id", FIELD_LAST_EVENT_ID),
    ROW("if-none-match", FIELD_IF_NONE_MATCH),
    ROW("expect", FIELD_EXPECT),
    ROW("access-control-request-headers", FIELD_REQUEST_HEADERS),
    ROW("sec-fetch-site", FIELD_FETCH_SITE),
    ROW("transfer-encoding", FIELD_TRANSFER_ENCODING),
    ROW("x-forwarded-for", FIELD_FORWARDED_FOR),
    ROW("via", FIELD_PROXY),
    ROW("cdn-loop", FIELD_PROXY),
    ROW("forwarded", FIELD_FORWARDED),
    ROW("x-real-ip", FIELD_PROXY),
    ROW("x-client-ip", FIELD_PROXY),
    ROW("fly-client-ip", FIELD_PROXY),
    ROW("true-client-ip", FIELD_PROXY),
    ROW("cf-connecting-ip", FIELD_PROXY),
    ROW("fastly-client-ip", FIELD_PROXY),
    ROW("x-cluster-client-ip", FIELD_PROXY),
    ROW("x-original-forwarded-for", FIELD_PROXY),
    ROW("x-envoy-external-address", FIELD_PROXY),
#undef ROW
};

// Proxies describe the original request in fields that begin so: x-forwarded-for, -host, -port and others.
static const char forwarded[] = "x-forwarded";

enum http_field http_field_find(const char *name, size_t len) {
    unsigned key = KEY(len, name[0] | 0x20);
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
        if (known_fields[i].key == key && !strncasecmp(name, known_fields[i].name, len))
            return known_fields[i].field;
    bool is_forwarded = len >= sizeof forwarded - 1 && !strncasecmp(name, forwarded, sizeof forwarded - 1);
    return is_forwarded ? FIELD_PROXY : FIELD_UNKNOWN;
}

static bool request_host_is_valid(const char *host) {
    return *host && !strpbrk(host, " \t,/?#@\\<>\"{}|^`");
}

// llhttp does not recognize `close` in the Connection header if a tab stands beside it.
static bool request_lists_close(const char *value) {
    for (size_t len; *(value += strspn(value, ", \t")); value += len) {
        len = strcspn(value, ", \t");
        if (len == 5 && !strncasecmp(value, "close", len)) return true;
    }
    return false;
}

// RFC 9110, 5.3: lines of one name are one list.
static void request_join(struct http_request *r, enum http_field field, uint32_t value_at) {
    size_t before = strlen(r->head.data + r->values[field]), len = strlen(r->head.data + value_at);
    buf_reserve(&r->head, before + 1);
    char *value = r->head.data + value_at;
    memmove(value + before + 1, value, len + 1);
    memcpy(value, r->head.data + r->values[field], before);
    value[before] = ',';
    r->head.len = value_at + before + 1 + len + 1;
    r->values[field] = value_at;
}

void http_request_take_field(struct http_request *r, enum http_field field, uint32_t value_at) {
    char *value = r->head.data + value_at;
    size_t len = strlen(value);
    while (len && (value[len - 1] == ' ' || value[len - 1] == '\t')) value[--len] = 0;
    if (field == FIELD_HOST) {
        if (r->hosts < 2) r->hosts++;
        r->bad_host |= !request_host_is_valid(value);
    } else if (field == FIELD_CONNECTION) {
        r->closes |= request_lists_close(value);
    } else if (field == FIELD_TRANSFER_ENCODING && r->encodings < 2) {
        r->encodings++;
    }
    bool is_kept = field != FIELD_CONNECTION && (field != FIELD_COOKIE || strstr(value, "chorus_token="));
    if ((field == FIELD_FORWARDED_FOR || field == FIELD_FORWARDED) && r->values[field])
        request_join(r, field, value_at);
    else if (!is_kept || r->values[field])
        r->head.len = value_at; // repeated, or not kept
    else
        r->values[field] = value_at;
}

// RFC 9112, 3.2: a target is a path, an absolute URI, or `*`. Sets path_start and path_len. The authority of
// an absolute URI replaces the Host header (3.2.2).
static bool request_split_target(struct http_request *r) {
    const char *target = r->head.data;
    size_t start = 0;
    if (strchr(target, '#')) return false;
    if (!strncasecmp(target, "http://", 7) || !strncasecmp(target, "https://", 8)) {
        size_t authority = (size_t)(strstr(target, "://") + 3 - target);
        size_t len = strcspn(target + authority, "/?");
        uint32_t host = (uint32_t)r->head.len;
        buf_reserve(&r->head, len + 1);
        buf_add(&r->head, r->head.data + authority, len);
        buf_add(&r->head, "", 1);
        r->values[FIELD_HOST] = host;
        if (!request_host_is_valid(r->head.data + host)) return false;
        start = authority + len;
        if (r->head.data[start] != '/') r->head.data[--start] = '/'; // an empty path is the root
    } else if (target[0] != '/' && (strcmp(target, "*") != 0 || r->method != HTTP_METHOD_OPTIONS)) {
        return false;
    }
    r->path_start = start;
    r->path_len = strcspn(r->head.data + start, "?");
    return true;
}

const char *http_request_check_head(struct http_request *r, int minor) {
    const char *encoding =
        r->values[FIELD_TRANSFER_ENCODING] ? r->head.data + r->values[FIELD_TRANSFER_ENCODING] : "";
    if (r->bad_host) return "The Host header is not a host.";
    if (r->hosts > 1) return "The Host header may be given only once.";
    if (!r->hosts && minor) return "The Host header is missing.";
    // Anything else is how requests are smuggled (RFC 9112, 6.1).
    if (r->encodings && (r->encodings > 1 || !minor || strcasecmp(encoding, "chunked") != 0))
        return "Transfer-Encoding may only be chunked, once.";
    if (!request_split_target(r)) return "The request target must be a path.";
    return NULL;
}

bool http_request_find_client(const struct http_request *r, const struct networks *trusted,
                              union address *client) {
    *client = *http_request_origin(r);
    if (r->values[FIELD_FORWARDED_FOR])
        return forwarded_find_client(client, r->head.data + r->values[FIELD_FORWARDED_FOR], false, trusted);
    if (r->values[FIELD_FORWARDED])
        return forwarded_find_client(client, r->head.data + r->values[FIELD_FORWARDED], true, trusted);
    return true;
}

void http_request_set_client(struct http_request *r, const struct networks *trusted) {
    http_request_find_client(r, trusted, &r->client);
}

void http_request_set_params(struct http_request *r, const struct http_path_part *parts) {
    for (int i = 0; i < HTTP_PARAMS && parts[i].at; i++) {
        r->params[i] = mem_alloc(parts[i].len + 1);
        http_url_decode(r->params[i], parts[i].at, parts[i].len, false);
    }
}

bool http_request_normalize_path(struct http_request *r) {
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

const char *http_bearer_of(const char *authorization) {
    static const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) return NULL;
    authorization += sizeof scheme - 1;
    return authorization + strspn(authorization, " ");
}

bool http_origin_is_host(const char *origin, const char *host) {
    const char *at = strstr(origin, "://");
    return at && host && !strcasecmp(at + 3, host);
}
