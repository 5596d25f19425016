// POST and GET /connect: reads what the viewer wants; reader_connect() does it.
#include <string.h>

#include "net/http_server.h"
#include "reader/arrival.h"
#include "reader/reader.h"
#include "service/body.h"

// Last-Event-ID as a header is the browser's own and so the newest; the query or body is for those who cannot
// set it. A malformed one starts live.
static struct position last_event_id(struct http_request *r, const char *given) {
    struct position p = {0};
    const char *header = http_request_header(r, "last-event-id");
    if (header && *header) given = header;
    if (given && !position_parse(given, strlen(given), &p)) p = (struct position){0};
    return p;
}

static bool may_redirect(const char *redirect) {
    return !redirect || strcmp(redirect, "never") != 0;
}

static void handle_get(struct http_request *r, void *arg) {
    struct reader_connect c = {0};
    if (!query_id(r, "userid", &c.userid) || !query_id(r, "videoid", &c.videoid)) return;
    c.head_only = http_request_is_head(r);
    c.last = last_event_id(r, http_request_query(r, "last_event_id"));
    c.redirect = may_redirect(http_request_query(r, "redirect"));
    reader_connect(arg, r, &c);
}

static void handle_post(struct http_request *r, void *arg) {
    struct reader_connect c = {0};
    json_t *body = body_object(r);
    if (!body) return;
    if (body_id(r, body, "userid", &c.userid) && body_id(r, body, "videoid", &c.videoid)) {
        const char *redirect = json_string_value(json_object_get(body, "redirect"));
        const char *last = json_string_value(json_object_get(body, "last_event_id"));
        c.last = last_event_id(r, last ? last : http_request_query(r, "last_event_id"));
        c.redirect = may_redirect(redirect ? redirect : http_request_query(r, "redirect"));
        reader_connect(arg, r, &c);
    }
    json_decref(body);
}

static const struct http_route routes[] = {
    {"GET", "/connect", handle_get, 0},
    {"POST", "/connect", handle_post, BODY_MAX},
    {0},
};

const struct http_route *const reader_tables[] = {service_routes, routes, NULL};
