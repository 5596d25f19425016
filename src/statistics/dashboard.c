#include "dashboard.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/fanout.h"
#include "fanout/frame.h"
#include "fanout/pending.h"
#include "http/exchange.h"
#include "net/event_stream.h"
#include "net/loop.h"
#include "net/sink.h"
#include "placement/listing.h"
#include "service/event_feed.h"
#include "service/json_reply.h"
#include "service/service.h"
#include "active_videos.h"
#include "board.h"
#include "board_history.h"
#include "version.h"

enum { LEASES_EVERY_MS = 1000, FIRST_FRAMES = 4, TOP_VIDEOS = 10, EVENTS_PER_S = 20, EVENT_TEXT_MAX = 512 };

struct dashboard {
    struct service *service;
    struct figures *figures;
    struct fan_video *pages;
    struct fan_counters counters;
    struct ledger ledger;
    struct position at; // id of the last event
    bool demo;
    int64_t fresh_ms;
    struct board_listener listener;
    struct board *board;
    struct board_history history;
    struct listing listing;
    struct loop_timer sample_timer, leases_timer;
    struct engine_listener *events; // what other parts tell; NULL: stopped
    int64_t events_second;
    unsigned events_shown;                      // in this second
    json_t *sample;                             // the newest; NULL: none yet
    json_t *notices;                            // oldest first
    struct frame *history_frame, *sample_frame; // for pages that connect, shared; NULL: to be made
};

static void on_sample_due(struct loop_timer *);
static void on_leases_due(struct loop_timer *);
static void on_leases_listed(struct listing *);
static void on_event(void *arg, const char *body, size_t len);

static void on_leases_attempted(struct listing *l, enum engine_status status) {
    (void)l, (void)status;
}

static void on_page_left(void *arg) {
    (void)arg;
}

static void on_board_change(void *arg, enum board_change change, const char *instance_id, const char *url) {
    static const char *const kinds[] = {[BOARD_READER_JOINED] = "reader_joined",
                                        [BOARD_READER_LOST] = "reader_lost",
                                        [BOARD_READER_STOPPED] = "reader_stopped",
                                        [BOARD_READER_BACK] = "reader_back"};
    dashboard_notice(
        arg, json_pack("{s:s, s:s, s:s}", "kind", kinds[change], "reader", instance_id, "readerUrl", url));
}

struct dashboard *dashboard_new(struct service *s, struct fanout *fanout, struct figures *figures,
                                int64_t fresh_ms, bool demo) {
    struct dashboard *d = mem_zalloc(sizeof *d);
    d->service = s;
    d->figures = figures;
    d->demo = demo;
    d->fresh_ms = fresh_ms;
    d->at = (struct position){(uint64_t)clock_wall_ms(), 0};
    d->ledger = (struct ledger){.counters = &d->counters, .refs = 1};
    d->pages = fan_video_new(fanout, &d->ledger, "", on_page_left, d);
    d->listener = (struct board_listener){on_board_change, d};
    d->board = board_new(&d->listener);
    d->notices = json_array();
    d->listing = (struct listing){.loop = s->loop,
                                  .engine = s->engine,
                                  .on_attempt = on_leases_attempted,
                                  .on_listed = on_leases_listed};
    readers_init(&d->listing.readers, NULL, 0);
    d->events = s->engine->ops->listen(s->engine, EVENT_FEED_TOPIC, on_event, d);
    d->sample_timer.on_due = on_sample_due;
    d->leases_timer.on_due = on_leases_due;
    loop_timer_start(s->loop, &d->sample_timer, HISTORY_EVERY_MS);
    loop_timer_start(s->loop, &d->leases_timer, 0);
    return d;
}

// To be called when a sample or a notice has been added.
static void dashboard_drop_first_frames(struct dashboard *d) {
    frame_unref(d->history_frame);
    frame_unref(d->sample_frame);
    d->history_frame = d->sample_frame = NULL;
}

void dashboard_stop(struct dashboard *d) {
    if (!d) return;
    loop_timer_stop(d->service->loop, &d->sample_timer);
    loop_timer_stop(d->service->loop, &d->leases_timer);
    if (d->events) d->service->engine->ops->unlisten(d->service->engine, d->events);
    d->events = NULL;
    fan_video_free(d->pages, FAN_END_STOPPING);
    d->pages = NULL;
}

void dashboard_free(struct dashboard *d) {
    if (!d) return;
    dashboard_stop(d);
    readers_release(&d->listing.readers);
    board_free(d->board);
    dashboard_drop_first_frames(d);
    json_decref(d->sample);
    json_decref(d->notices);
    free(d);
}

// Returns the event as a frame; takes the value.
static struct frame *frame_of_json(struct position at, const char *event, json_t *value) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (!text) mem_abort("dashboard");
    struct frame *f = frame_of_event(at, event, text, strlen(text));
    free(text);
    json_decref(value);
    return f;
}

static void dashboard_publish(struct dashboard *d, const char *event, json_t *value) {
    d->at.seq++;
    fan_video_publish(d->pages, frame_of_json(d->at, event, value));
}

void dashboard_notice(struct dashboard *d, json_t *notice) {
    json_object_set_new(notice, "at", json_integer((json_int_t)clock_wall_ms()));
    if (json_array_size(d->notices) == DASHBOARD_NOTICES) json_array_remove(d->notices, 0);
    json_array_append(d->notices, notice);
    dashboard_drop_first_frames(d);
    dashboard_publish(d, "notice", notice);
}

// Adds a reader's name beside its URL.
static void event_name_reader(const struct dashboard *d, json_t *event, const char *url, const char *name) {
    const char *id = board_name_at(d->board, json_string_value(json_object_get(event, url)));
    if (id) json_object_set_new(event, name, json_string(id));
}

// Counts an event. Returns whether a page can show it: no more than EVENTS_PER_S.
static bool dashboard_may_show(struct dashboard *d) {
    int64_t second = loop_now_ms(d->service->loop) / 1000;
    if (second != d->events_second) d->events_shown = 0;
    d->events_second = second;
    return d->events_shown++ < EVENTS_PER_S;
}

static bool event_value_fits(const json_t *value) {
    return json_is_number(value) || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) <= EVENT_TEXT_MAX);
}

// The event comes from another process, perhaps of another version, or from another program: only what is
// known of it is shown.
static void on_event(void *arg, const char *body, size_t len) {
    static const char *const members[] = {"kind",    "video",  "readerUrl", "from",
                                          "readers", "missed", "reason",    "more"};
    struct dashboard *d = arg;
    if (!dashboard_may_show(d)) return;
    json_t *event = json_loadb(body, len, 0, NULL), *notice = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(event, members[i]);
        if (event_value_fits(value)) json_object_set(notice, members[i], value);
    }
    event_name_reader(d, notice, "readerUrl", "reader");
    event_name_reader(d, notice, "from", "fromReader");
    if (json_is_string(json_object_get(notice, "kind"))) dashboard_notice(d, json_incref(notice));
    json_decref(notice);
    json_decref(event);
}

// Samples

static json_t *dashboard_make_sample(struct dashboard *d, int64_t wall_ms) {
    int64_t now_ms = loop_now_ms(d->service->loop);
    const double *figures = board_figures(d->board);
    const char *why = NULL;
    json_t *o = json_pack("{s:I, s:i}", "at", (json_int_t)wall_ms, "everyMs", HISTORY_EVERY_MS);
    for (int i = 0; i < BOARD_FIGURES; i++) json_object_set_new(o, board_names[i], board_number(figures[i]));
    json_object_set_new(o, "storeAvailable",
                        json_boolean(d->service->engine->ops->ready(d->service->engine, &why)));
    json_object_set_new(o, "readers", board_readers(d->board, now_ms));
    json_t *videos = active_videos(d->figures, TOP_VIDEOS, now_ms, d->fresh_ms);
    json_object_set(o, "topVideos", json_object_get(videos, "videos"));
    json_decref(videos);
    return o;
}

static void on_sample_due(struct loop_timer *t) {
    struct dashboard *d = container_of(t, struct dashboard, sample_timer);
    int64_t now_ms = loop_now_ms(d->service->loop), wall_ms = clock_wall_ms();
    loop_timer_start(d->service->loop, t, HISTORY_EVERY_MS);
    figures_expire(d->figures, now_ms);
    board_tick(d->board, d->figures, now_ms);
    board_history_add(&d->history, wall_ms, board_figures(d->board));
    json_decref(d->sample);
    d->sample = dashboard_make_sample(d, wall_ms);
    dashboard_drop_first_frames(d);
    dashboard_publish(d, "sample", json_incref(d->sample));
}

static void on_leases_due(struct loop_timer *t) {
    struct dashboard *d = container_of(t, struct dashboard, leases_timer);
    loop_timer_start(d->service->loop, t, LEASES_EVERY_MS);
    listing_refresh(&d->listing);
}

static void on_leases_listed(struct listing *l) {
    struct dashboard *d = container_of(l, struct dashboard, listing);
    if (d->pages) board_take_leases(d->board, l->readers.rows, l->readers.count, loop_now_ms(l->loop));
}

// Pages

static json_t *dashboard_hello(const struct dashboard *d) {
    return json_pack("{s:s, s:s, s:s, s:b}", "service", "chorus", "version", CHORUS_VERSION, "instanceId",
                     d->service->instance_id, "demo", d->demo);
}

json_t *dashboard_snapshot(struct dashboard *d) {
    json_t *o = dashboard_hello(d);
    json_t *sample = d->sample ? json_incref(d->sample) : dashboard_make_sample(d, clock_wall_ms());
    json_object_update(o, sample);
    json_decref(sample);
    json_object_set(o, "notices", d->notices);
    return o;
}

// The head of the response and the first event.
static struct frame *dashboard_head(const struct dashboard *d, const struct buf *head,
                                    enum sink_framing framing) {
    struct buf event = {0};
    char id[POSITION_TEXT_SIZE];
    json_t *hello = dashboard_hello(d);
    char *text = json_dumps(hello, JSON_COMPACT);
    if (!text) mem_abort("dashboard");
    position_format(d->at, id);
    event_stream_add_retry(&event, 0);
    event_stream_add_event(&event, id, "hello", text, strlen(text));
    struct frame *f = frame_of_head(head->data, head->len, event.data, event.len, framing);
    buf_release(&event);
    free(text);
    json_decref(hello);
    return f;
}

// All pages that connect between two samples share the frames: after a restart they come all at once.
static void dashboard_make_first_frames(struct dashboard *d) {
    const struct position unset = {0};
    if (d->history_frame) return;
    json_t *history = board_history_show(&d->history);
    json_object_set(history, "notices", d->notices);
    d->history_frame = frame_of_json(unset, "history", history);
    if (d->sample) d->sample_frame = frame_of_json(unset, "sample", json_incref(d->sample));
}

static struct pending *dashboard_first_frames(struct dashboard *d) {
    struct pending *frames = pending_new(FIRST_FRAMES);
    dashboard_make_first_frames(d);
    frames = pending_add(frames, frame_ref(d->history_frame));
    if (d->sample_frame) frames = pending_add(frames, frame_ref(d->sample_frame));
    return frames;
}

// A page that is refused by closing its connection comes back; after an error response a browser does not.
void dashboard_connect(struct dashboard *d, struct http_exchange *x) {
    struct buf head = {0};
    struct sink sink;
    if (http_request_is_head(x->request)) {
        http_reply(x, &(struct http_reply){.status = 200, .content_type = "text/event-stream"});
        return;
    }
    if (!d->pages || fan_video_viewers(d->pages) >= DASHBOARD_STREAMS || !budget_has_room()) {
        http_abort(x);
        return;
    }
    if (http_begin_stream(x, &sink, &head)) {
        struct pending *frames = dashboard_first_frames(d);
        pending_set_head(frames, dashboard_head(d, &head, sink.framing));
        if (!fan_video_add(d->pages, &sink, 0, frames)) {
            pending_free(frames);
            sink_close(&sink, SINK_CUT);
        }
    }
    buf_release(&head);
}
