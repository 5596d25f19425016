// POST and GET /connect, of one reader and of several that share an address: reads the parameters for
// reader_connect() and reader_front_connect(), and checks whether the user may watch.
#include <string.h>

#include "http/exchange.h"
#include "connect.h"
#include "moments.h"
#include "reader_core.h"
#include "viewer_rights.h"
#include "reader/reader.h"
#include "reader/reader_front.h"
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

static bool asks_for_all(const char *rate) {
    return rate && !strcmp(rate, "all");
}

static bool may_redirect(const char *redirect) {
    return !redirect || strcmp(redirect, "never") != 0;
}

// Whose request it is, and the ids of a body; the params refer to both.
struct connect_ids {
    struct identity who;
    char user[ID_MAX + 1], video[ID_MAX + 1];
};

static bool read_query_ids(struct http_exchange *x, const struct identity *who, struct connect_params *c) {
    bool names_user = http_request_query(x->request, "userid") || !who->user[0];
    if (names_user && !query_id(x, "userid", &c->userid)) return false;
    return query_id(x, "videoid", &c->videoid) && viewer_rights_check(x, who, c);
}

// Returns false, and has ended the exchange, if an id is missing or invalid, or the user may not watch.
static bool read_query(struct http_exchange *x, const struct reader_front *f, struct connect_ids *ids,
                       struct connect_params *c) {
    c->head_only = http_request_is_head(x->request);
    c->last = last_event_id(x->request);
    c->history = history_of_text(http_request_query(x->request, "history"));
    c->heartbeat_s = heartbeat_asked(x->request);
    c->redirect = may_redirect(http_request_query(x->request, "redirect"));
    c->whole = asks_for_all(http_request_query(x->request, "rate"));
    c->asks = moments_asked(http_request_query(x->request, "events"));
    return viewer_rights_read(f, x, c, &ids->who) && read_query_ids(x, &ids->who, c);
}

static void handle_get(struct http_exchange *x, void *arg) {
    struct reader *r = arg;
    struct connect_ids ids;
    struct connect_params c = {0};
    if (read_query(x, &(struct reader_front){&r, 1}, &ids, &c)) reader_connect(r, x, &c);
}

static void handle_front_get(struct http_exchange *x, void *arg) {
    struct connect_ids ids;
    struct connect_params c = {0};
    if (read_query(x, arg, &ids, &c)) reader_front_connect(arg, x, &c);
}

// Returns the text, "" if it is too long or not Unicode, NULL if there is none.
static const char *text_of(const struct body_field *f) {
    bool given = f->state == BODY_TEXT || f->state == BODY_TOO_LONG || f->state == BODY_NOT_UNICODE;
    return f->state == BODY_TEXT ? f->text : given ? "" : NULL;
}

static bool check_body_ids(struct http_exchange *x, const struct body_field *user,
                           const struct body_field *video, const struct identity *who,
                           struct connect_params *c) {
    bool names_user = user->state != BODY_ABSENT || !who->user[0];
    if ((names_user && !body_id(x, user)) || !body_id(x, video)) return false;
    c->userid = names_user ? user->text : NULL;
    c->videoid = video->text;
    return viewer_rights_check(x, who, c);
}

// The same for a body.
static bool read_body(struct http_exchange *x, const struct reader_front *front, struct connect_ids *ids,
                      struct connect_params *c) {
    enum { USER, VIDEO, REDIRECT, LAST, LAST_TOO, HISTORY, EVENTS, RATE, FIELDS };
    char rate[8], redirect[8], last[POSITION_TEXT_SIZE], last_too[POSITION_TEXT_SIZE], history[8],
        events[EVENTS_MAX];
    struct body_field f[FIELDS] = {
        [USER] = BODY_FIELD("userid", ids->user),         [VIDEO] = BODY_FIELD("videoid", ids->video),
        [REDIRECT] = BODY_FIELD("redirect", redirect),    [LAST] = BODY_FIELD("last_event_id", last),
        [LAST_TOO] = BODY_FIELD("lastEventId", last_too), [HISTORY] = BODY_FIELD("history", history),
        [EVENTS] = BODY_FIELD("events", events),          [RATE] = BODY_FIELD("rate", rate)};
    if (!body_read(x, f, FIELDS)) return false;
    const char *given = text_of(&f[REDIRECT]);
    c->last = last_event_id(x->request);
    take_if_newer(&c->last, text_of(&f[LAST]));
    take_if_newer(&c->last, text_of(&f[LAST_TOO]));
    if (f[HISTORY].state == BODY_NUMBER)
        c->history = history_of(f[HISTORY].number);
    else
        c->history =
            history_of_text(f[HISTORY].state == BODY_ABSENT ? http_request_query(x->request, "history")
                                                            : text_of(&f[HISTORY]));
    c->asks = moments_asked(text_of(&f[EVENTS])) | moments_asked(http_request_query(x->request, "events"));
    c->whole = asks_for_all(text_of(&f[RATE])) || asks_for_all(http_request_query(x->request, "rate"));
    c->heartbeat_s = heartbeat_asked(x->request);
    c->redirect = may_redirect(given ? given : http_request_query(x->request, "redirect"));
    return viewer_rights_read(front, x, c, &ids->who) && check_body_ids(x, &f[USER], &f[VIDEO], &ids->who, c);
}

static void handle_post(struct http_exchange *x, void *arg) {
    struct reader *r = arg;
    struct connect_ids ids = {0};
    struct connect_params c = {0};
    if (read_body(x, &(struct reader_front){&r, 1}, &ids, &c)) reader_connect(r, x, &c);
}

static void handle_front_post(struct http_exchange *x, void *arg) {
    struct connect_ids ids = {0};
    struct connect_params c = {0};
    if (read_body(x, arg, &ids, &c)) reader_front_connect(arg, x, &c);
}

#define CONNECT_ROUTES(get, post)                                                                            \
    {                                                                                                        \
        {"GET", "/connect", .handle = (get), .streams = true},                                               \
            {"POST",         "/connect", .handle = (post), .body_max = IDS_BODY_MAX, .guard = body_guard,    \
             .streams = true},                                                                               \
            {0},                                                                                             \
    }

static const struct http_route reader_routes[] = CONNECT_ROUTES(handle_get, handle_post);
static const struct http_route front_routes[] = CONNECT_ROUTES(handle_front_get, handle_front_post);

const struct http_route *const reader_tables[] = {service_routes, reader_routes, NULL};
const struct http_route *const reader_front_tables[] = {front_routes, NULL};
