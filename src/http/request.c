// What handlers and guards read of a request.
#include "http/request.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "http/url.h"
#include "request_parts.h"

bool http_request_is_head(const struct http_request *r) {
    return r->method == HTTP_METHOD_HEAD;
}

bool http_request_writes(const struct http_request *r) {
    return r->method & (HTTP_METHOD_POST | HTTP_METHOD_PUT | HTTP_METHOD_PATCH | HTTP_METHOD_DELETE);
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
    return r->is_proxied || r->values[FIELD_PROXY] || r->values[FIELD_FORWARDED_FOR] ||
           r->values[FIELD_FORWARDED];
}

address_key http_request_limits_key(const struct http_request *r) {
    return r->limits_key;
}

const char *http_request_param(const struct http_request *r, int which) {
    return r->params[which];
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
        out += http_url_decode(out, at, name, true) + 1;
        f->value = out;
        out += http_url_decode(out, at + name + (name < pair), pair - name - (name < pair), true) + 1;
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
    address_format(&r->peer, out, size);
}

void http_request_client(const struct http_request *r, char *out, size_t size) {
    address_format(http_request_client_address(r), out, size);
}

bool http_request_is_json(const struct http_request *r) {
    if (!r->values[FIELD_CONTENT_TYPE]) return false;
    const char *type = r->head.data + r->values[FIELD_CONTENT_TYPE];
    size_t len = strcspn(type, "; \t");
    if (len == 16 && !strncasecmp(type, "application/json", 16)) return true;
    return len > 17 && !strncasecmp(type, "application/", 12) && !strncasecmp(type + len - 5, "+json", 5);
}
