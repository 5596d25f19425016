#include "site.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "http/asset_reply.h"
#include "http/exchange.h"
#include "http/hostnames.h"
#include "request_parts.h"
#include "response.h"

void http_site_admit(const struct http_site *site, struct http_exchange *x) {
    struct http_request *r = x->request;
    const char *path = r->head.data + r->path_start;
    const char *accept = http_request_header(r, "accept");
    if (r->path_len == 1 && *path == '*') // the server as a whole
        x->match.methods = HTTP_METHOD_GET | HTTP_METHOD_HEAD | HTTP_METHOD_POST;
    else
        x->match = http_route_find(site, r->method, path, r->path_len, false, accept);
    if (!x->match.methods && http_request_normalize_path(r))
        x->match = http_route_find(site, r->method, path, r->path_len, true, accept);
    if (site->hostnames && !hostnames_allow(site->hostnames, http_request_header(r, "host"))) {
        http_refuse(&x->refusal, 421, "unknown_host",
                    "This server is not known by the name in Host: it would have to be in --hostnames.");
        return;
    }
    const struct http_mount *mount = x->match.mount;
    if (mount && mount->guard && !mount->guard(r, mount->arg, &x->refusal)) return;
    const struct http_route *route = x->match.route;
    if (mount && route) { // which is one of the mount's
        http_request_set_params(r, x->match.params);
        if (route->guard) route->guard(r, mount->arg, &x->refusal);
        return;
    }
    if (x->match.asset) return;
    bool root_post = r->method == HTTP_METHOD_POST && r->path_len == 1; // there is nothing to post to
    if (!x->match.methods || root_post)
        http_refuse(&x->refusal, 404, "not_found", "There is nothing at this path.");
    else if (r->method != HTTP_METHOD_OPTIONS)
        http_refuse(&x->refusal, 405, "method_not_allowed",
                    "This path does not support this method; see Allow.");
}

static void site_reply(struct http_exchange *x) {
    char allow[HTTP_ALLOW_SIZE], line[HTTP_ALLOW_SIZE + 16];
    http_response_allow(allow, x->match.methods);
    if (x->refusal.status) {
        snprintf(line, sizeof line, "Allow: %s\r\n", allow); // an empty list is valid
        if (x->refusal.status == 405) x->refusal.headers = line;
        http_reply_refusal(x, &x->refusal);
        return;
    }
    struct buf headers = {0};
    const char *wanted = http_request_header(x->request, "access-control-request-headers");
    http_response_preflight(&headers, allow, wanted);
    http_reply(x, &(struct http_reply){.status = 204, .headers = buf_string(&headers)});
    buf_release(&headers);
}

void http_site_handle(struct http_exchange *x) {
    if (!http_exchange_is_handled(x))
        site_reply(x);
    else if (x->match.mount->closed) // since its head was admitted
        http_abort(x);
    else if (x->match.route)
        x->match.route->handle(x, x->match.mount->arg);
    else
        http_reply_asset(x, x->match.asset);
}

// Whether the path of a target that may go on is the pattern, or the beginning of it.
static bool site_path_may_be(const char *target, size_t len, const char *pattern) {
    size_t path = 0, pattern_len = strlen(pattern);
    while (path < len && target[path] && target[path] != '?') path++;
    if (path > pattern_len || memcmp(target, pattern, path) != 0) return false;
    return path == pattern_len || path == len;
}

static bool site_mount_may_stream(const struct http_mount *mount, const char *target, size_t len) {
    size_t prefix = mount->prefix ? strlen(mount->prefix) : 0;
    if (prefix && (len <= prefix || memcmp(target, mount->prefix, prefix) != 0))
        return len <= prefix && !memcmp(target, mount->prefix, len);
    for (const struct http_route *const *table = mount->tables; *table; table++)
        for (const struct http_route *route = *table; route->pattern; route++)
            if (route->streams && site_path_may_be(target + prefix, len - prefix, route->pattern))
                return true;
    return false;
}

bool http_site_may_stream(const struct http_site *site, const struct http_request *r) {
    for (const struct http_mount *mount = site->mounts; mount->tables; mount++)
        if (site_mount_may_stream(mount, r->head.len ? r->head.data : "", r->head.len)) return true;
    return false;
}
