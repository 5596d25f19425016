#include "http/router.h"

#include <string.h>

#include "accept.h"
#include "http/asset.h"
#include "request_parts.h"

bool http_refuse(struct http_refusal *refusal, int status, const char *code, const char *sentence) {
    *refusal = (struct http_refusal){
        .status = status, .code = code, .sentence = sentence, .retry_after_s = status == 503 ? 1 : 0};
    return false;
}

// Returns whether the path matches; sets the parts that segments like ":videoid" stand for.
static bool router_path_matches(const char *pattern, const char *path, size_t len,
                                struct http_path_part params[HTTP_PARAMS]) {
    const char *end = path + len;
    for (const char *colon; (colon = strchr(pattern, ':')); params++) {
        size_t fixed = (size_t)(colon - pattern);
        if ((size_t)(end - path) <= fixed || memcmp(pattern, path, fixed) != 0) return false;
        path += fixed;
        const char *slash = memchr(path, '/', (size_t)(end - path));
        *params = (struct http_path_part){path, (size_t)((slash ? slash : end) - path)};
        if (!params->len) return false;
        path += params->len;
        pattern = colon + strcspn(colon, "/");
    }
    return strlen(pattern) == (size_t)(end - path) && !memcmp(pattern, path, (size_t)(end - path));
}

static void router_search(struct http_match *m, const struct http_route *row, enum http_method method,
                          const char *path, size_t len, bool normalized) {
    for (; row->pattern; row++) {
        struct http_path_part params[HTTP_PARAMS] = {0};
        if (normalized && row->exact_path) continue;
        if (!router_path_matches(row->pattern, path, len, params)) continue;
        unsigned methods = http_method_of(row->method);
        if (methods & HTTP_METHOD_GET) methods |= HTTP_METHOD_HEAD;
        m->methods |= methods;
        if (m->route || !(methods & method)) continue;
        m->route = row;
        memcpy(m->params, params, sizeof params);
    }
}

static void router_search_files(struct http_match *m, const struct http_asset *a, enum http_method method,
                                const char *path, size_t len, bool normalized) {
    struct http_path_part params[HTTP_PARAMS];
    for (; a && a->path; a++) {
        if (normalized && !strchr(a->path, ':')) continue;
        if (!router_path_matches(a->path, path, len, params)) continue;
        m->methods |= HTTP_METHOD_GET | HTTP_METHOD_HEAD;
        if (method & (HTTP_METHOD_GET | HTTP_METHOD_HEAD)) m->asset = a;
    }
}

// Browsers name text/html; programs that name only application/json do not want a page. Most tools accept
// anything ("*/*").
static bool router_wants_file(const struct http_mount *mount, const char *accept) {
    bool html = http_accept_find(accept, "text/html") == HTTP_ACCEPTED;
    bool json = http_accept_find(accept, "application/json") == HTTP_ACCEPTED;
    return html || (!mount->files_by_name && !json);
}

static struct http_match router_search_mount(const struct http_mount *mount, enum http_method method,
                                             const char *path, size_t len, bool normalized,
                                             const char *accept) {
    struct http_match m = {.mount = mount};
    size_t prefix = mount->prefix ? strlen(mount->prefix) : 0;
    if (mount->closed || len <= prefix || memcmp(path, mount->prefix ? mount->prefix : "", prefix) != 0)
        return m;
    router_search_files(&m, mount->assets, method, path + prefix, len - prefix, normalized);
    for (const struct http_route *const *t = mount->tables; *t; t++)
        router_search(&m, *t, method, path + prefix, len - prefix, normalized);
    m.by_accept = m.asset && m.route;
    if (m.by_accept && router_wants_file(mount, accept))
        m.route = NULL;
    else if (m.by_accept)
        m.asset = NULL;
    return m;
}

struct http_match http_route_find(const struct http_site *site, enum http_method method, const char *path,
                                  size_t len, bool normalized, const char *accept) {
    struct http_match found = {0};
    unsigned methods = 0;
    for (const struct http_mount *mount = site->mounts; mount->tables; mount++) {
        struct http_match m = router_search_mount(mount, method, path, len, normalized, accept);
        methods |= m.methods;
        if (!found.mount && (m.route || m.asset)) found = m;
    }
    found.methods = methods;
    return found;
}
