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

// Returns whether the path matches; sets the part that a segment like ":videoid" stands for.
static bool router_path_matches(const char *pattern, const char *path, size_t len, const char **param,
                                size_t *param_len) {
    const char *colon = strchr(pattern, ':');
    if (!colon) return strlen(pattern) == len && !memcmp(pattern, path, len);
    const char *rest = colon + strcspn(colon, "/");
    size_t fixed = (size_t)(colon - pattern), rest_len = strlen(rest);
    if (len <= fixed + rest_len || memcmp(pattern, path, fixed) != 0) return false;
    *param = path + fixed;
    *param_len = len - fixed - rest_len;
    return !memchr(*param, '/', *param_len) && !memcmp(*param + *param_len, rest, rest_len);
}

static void router_search(struct http_match *m, const struct http_route *row, enum http_method method,
                          const char *path, size_t len, bool normalized) {
    for (; row->pattern; row++) {
        const char *param = NULL;
        size_t param_len = 0;
        if (normalized && row->exact_path) continue;
        if (!router_path_matches(row->pattern, path, len, &param, &param_len)) continue;
        unsigned methods = http_method_of(row->method);
        if (methods & HTTP_METHOD_GET) methods |= HTTP_METHOD_HEAD;
        m->methods |= methods;
        if (m->route || !(methods & method)) continue;
        m->route = row;
        m->param = param;
        m->param_len = param_len;
    }
}

static void router_search_files(struct http_match *m, const struct http_asset *a, enum http_method method,
                                const char *path, size_t len, bool normalized) {
    const char *param;
    size_t param_len;
    for (; a && a->path; a++) {
        if (normalized && !strchr(a->path, ':')) continue;
        if (!router_path_matches(a->path, path, len, &param, &param_len)) continue;
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
