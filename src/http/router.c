#include "http/router.h"

#include <string.h>

#include "http/asset.h"

bool http_refuse(struct http_refusal *refusal, int status, const char *code, const char *sentence) {
    *refusal = (struct http_refusal){
        .status = status, .code = code, .sentence = sentence, .retry_after_s = status == 503 ? 1 : 0};
    return false;
}

// Returns whether the path matches; sets the part that a last segment like ":videoid" stands for.
static bool router_path_matches(const char *pattern, const char *path, size_t len, const char **param,
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

static void router_search(struct http_match *m, const struct http_route *row, enum http_method method,
                          const char *path, size_t len, bool normalized) {
    for (; row->pattern; row++) {
        const char *param = NULL;
        size_t param_len = 0;
        if (normalized && row->exact_path) continue;
        if (!router_path_matches(row->pattern, path, len, &param, &param_len)) continue;
        unsigned methods =
            !strcmp(row->method, "GET") ? HTTP_METHOD_GET | HTTP_METHOD_HEAD : HTTP_METHOD_POST;
        m->methods |= methods;
        if (m->route || m->asset || !(methods & method)) continue;
        m->route = row;
        m->param = param;
        m->param_len = param_len;
    }
}

struct http_match http_route_find(const struct http_site *site, enum http_method method, const char *path,
                                  size_t len, bool normalized) {
    struct http_match m = {0};
    for (const struct http_asset *a = site->assets; a && a->path && !normalized; a++) {
        if (strlen(a->path) != len || memcmp(a->path, path, len) != 0) continue;
        m.methods |= HTTP_METHOD_GET | HTTP_METHOD_HEAD;
        if (method & (HTTP_METHOD_GET | HTTP_METHOD_HEAD)) m.asset = a;
    }
    for (const struct http_route *const *t = site->tables; *t; t++)
        router_search(&m, *t, method, path, len, normalized);
    return m;
}
