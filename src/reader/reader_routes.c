// POST and GET /connect: reads the parameters for reader_connect().
#include <string.h>

#include "http/exchange.h"
#include "connect.h"
#include "moments.h"
#include "reader/reader.h"
#include "service/fields.h"

enum {
    EVENTS_MAX = 256, // of the list of names in a body
    HISTORY_MAX = 1000,
    HEARTBEAT_MAX_S = 86400
};

static void take_if_newer(struct position *last, const char *given) {
    struct position p;
    if (given && position_parse(given, strlen(given), &p) && position_compare(p, *last) > 0) *last = p;
}

// A browser sends the last position it has seen as a header, a polyfill as lastEventId in the query; in the
// address that they repeat, last_event_id is where the page started. So the newest one counts. Malformed ones
// are ignored; without any, the stream starts live.
static struct position last_event_id(struct http_request *r) {
    struct position last = {0};
    take_if_newer(&last, http_request_header(r, "last-event-id"));
    take_if_newer(&last, http_request_query(r, "last_event_id"));
    take_if_newer(&last, http_request_query(r, "lastEventId"));
    return last;
}

static uint32_t history_of(int64_t given) {
    return (uint32_t)(given < HISTORY_MAX ? given : HISTORY_MAX);
}

// What is no number is ignored, and what is too large reduced, because a browser does not come back after an
// error response.
static uint32_t number_of_text(const char *text, uint32_t max) {
    int64_t given = 0;
    if (!text || !*text) return 0;
    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9') return 0;
        if (given <= max) given = given * 10 + (*at - '0');
    }
    return given < max ? (uint32_t)given : max;
}

static uint32_t history_of_text(const char *text) {
    return number_of_text(text, HISTORY_MAX);
}

static uint32_t heartbeat_asked(struct http_request *r) {
    return number_of_text(http_request_query(r, "heartbeat"), HEARTBEAT_MAX_S);
}

static bool may_redirect(const char *redirect) {
    return !redirect || strcmp(redirect, "never") != 0;
}

static void handle_get(struct http_exchange *x, void *arg) {
    struct connect_params c = {0};
    if (!query_id(x, "userid", &c.userid) || !query_id(x, "videoid", &c.videoid)) return;
    c.head_only = http_request_is_head(x->request);
    c.last = last_event_id(x->request);
    c.history = history_of_text(http_request_query(x->request, "history"));
    c.heartbeat_s = heartbeat_asked(x->request);
    c.redirect = may_redirect(http_request_query(x->request, "redirect"));
    c.asks = moments_asked(http_request_query(x->request, "events"));
    reader_connect(arg, x, &c);
}

// Returns the text, "" if it is too long or not Unicode, NULL if there is none.
static const char *text_of(const struct body_field *f) {
    bool given = f->state == BODY_TEXT || f->state == BODY_TOO_LONG || f->state == BODY_NOT_UNICODE;
    return f->state == BODY_TEXT ? f->text : given ? "" : NULL;
}

static void handle_post(struct http_exchange *x, void *arg) {
    enum { USER, VIDEO, REDIRECT, LAST, LAST_TOO, HISTORY, EVENTS, FIELDS };
    char user[ID_MAX + 1], video[ID_MAX + 1], redirect[8], last[POSITION_TEXT_SIZE],
        last_too[POSITION_TEXT_SIZE], history[8], events[EVENTS_MAX];
    struct body_field f[FIELDS] = {[USER] = BODY_FIELD("userid", user),
                                   [VIDEO] = BODY_FIELD("videoid", video),
                                   [REDIRECT] = BODY_FIELD("redirect", redirect),
                                   [LAST] = BODY_FIELD("last_event_id", last),
                                   [LAST_TOO] = BODY_FIELD("lastEventId", last_too),
                                   [HISTORY] = BODY_FIELD("history", history),
                                   [EVENTS] = BODY_FIELD("events", events)};
    if (!body_read(x, f, FIELDS) || !body_id(x, &f[USER]) || !body_id(x, &f[VIDEO])) return;
    const char *given = text_of(&f[REDIRECT]);
    struct connect_params c = {.userid = user, .videoid = video};
    c.last = last_event_id(x->request);
    take_if_newer(&c.last, text_of(&f[LAST]));
    take_if_newer(&c.last, text_of(&f[LAST_TOO]));
    if (f[HISTORY].state == BODY_NUMBER)
        c.history = history_of(f[HISTORY].number);
    else
        c.history =
            history_of_text(f[HISTORY].state == BODY_ABSENT ? http_request_query(x->request, "history")
                                                            : text_of(&f[HISTORY]));
    c.asks = moments_asked(text_of(&f[EVENTS])) | moments_asked(http_request_query(x->request, "events"));
    c.heartbeat_s = heartbeat_asked(x->request);
    c.redirect = may_redirect(given ? given : http_request_query(x->request, "redirect"));
    reader_connect(arg, x, &c);
}

static const struct http_route reader_routes[] = {
    {"GET", "/connect", .handle = handle_get, .streams = true},
    {"POST", "/connect", .handle = handle_post, .body_max = IDS_BODY_MAX, .guard = body_guard,
     .streams = true},
    {0},
};

const struct http_route *const reader_tables[] = {service_routes, reader_routes, NULL};
