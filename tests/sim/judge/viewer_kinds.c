// How the kinds of viewers ask for a stream, and how long they wait before they ask again.
#include "viewer.h"

enum { JITTER_MS = 500, EAGER_MS = 5000, PAUSE_MAX_MS = 30000, HEARTBEAT_S = 15, PATIENCE_MS = 10000 };

static void write_ids(const struct viewer *v, struct buf *path) {
    buf_printf(path, "/connect?userid=viewer%u&videoid=%s", (unsigned)v->number, crowd_video(v->video));
    if (v->wants_all) buf_add_string(path, "&rate=all");
}

static void write_position(const struct viewer *v, struct buf *b, const char *before, const char *after) {
    char text[POSITION_TEXT_SIZE];
    position_format(v->at, text);
    if (v->had_stream) buf_printf(b, "%s%s%s", before, text, after);
}

// A page's EventSource (WHATWG HTML, 9.2): the address is always the same, the position goes into a header,
// and it comes back after whatever ended the stream, but not after an error response.

static void event_source_write(const struct viewer *v, struct buf *path, struct buf *headers,
                               struct buf *body) {
    (void)body;
    write_ids(v, path);
    if (v->history) buf_printf(path, "&history=%u", v->history);
    buf_add_string(headers, "Accept: text/event-stream\r\nCache-Control: no-cache\r\n");
    write_position(v, headers, "Last-Event-ID: ", "\r\n");
}

static int64_t event_source_delay_ms(struct viewer *v) {
    return v->retry_ms + (int64_t)crowd_random(v->crowd, JITTER_MS);
}

const struct viewer_kind viewer_event_source = {.name = "eventsource",
                                                .is_browser = true,
                                                .write_request = event_source_write,
                                                .delay_ms = event_source_delay_ms};

// web/chorus.js: class Stream.

static void chorus_js_write(const struct viewer *v, struct buf *path, struct buf *headers, struct buf *body) {
    (void)headers, (void)body;
    write_ids(v, path);
    buf_printf(path, "&heartbeat=%d&events=move,viewers%s", HEARTBEAT_S,
               v->wants_room ? ",room,reactions" : "");
    if (v->history && !v->had_stream) buf_printf(path, "&history=%u", v->history);
    write_position(v, path, "&last_event_id=", "");
}

static int64_t chorus_js_delay_ms(struct viewer *v) {
    int64_t retry = v->retry_ms < 500 ? 500 : v->retry_ms, most = retry * 2 / 3;
    if (loop_now_ms(v->crowd->loop) - v->lost_ms >= EAGER_MS) {
        if (v->pauses < 10) v->pauses++;
        most = retry << v->pauses;
        if (most > PAUSE_MAX_MS) most = PAUSE_MAX_MS;
    }
    return (int64_t)crowd_random(v->crowd, (uint64_t)most);
}

const struct viewer_kind viewer_chorus_js = {.name = "chorus.js",
                                             .head_ms = PATIENCE_MS,
                                             .silence_ms = HEARTBEAT_S * 2500,
                                             .tries = 2,
                                             .write_request = chorus_js_write,
                                             .delay_ms = chorus_js_delay_ms};

// A program of somebody's own, as docs/clients.md says what it has to do.

static void fetch_write(const struct viewer *v, struct buf *path, struct buf *headers, struct buf *body) {
    (void)headers;
    if (!v->uses_post) {
        write_ids(v, path);
        if (v->stays) buf_add_string(path, "&redirect=never");
        write_position(v, path, "&lastEventId=", "");
        return;
    }
    buf_add_string(path, "/connect");
    buf_printf(body, "{\"userid\":\"viewer%u\",\"videoid\":\"%s\"", (unsigned)v->number,
               crowd_video(v->video));
    if (v->stays) buf_add_string(body, ",\"redirect\":\"never\"");
    if (v->wants_all) buf_add_string(body, ",\"rate\":\"all\"");
    write_position(v, body, ",\"lastEventId\":\"", "\"");
    buf_add_string(body, "}");
}

static int64_t fetch_delay_ms(struct viewer *v) {
    return 1 + (int64_t)crowd_random(v->crowd, (uint64_t)v->retry_ms);
}

const struct viewer_kind viewer_fetch = {.name = "fetch",
                                         .head_ms = PATIENCE_MS,
                                         .silence_ms = HEARTBEAT_S * 2500,
                                         .tries = 1,
                                         .write_request = fetch_write,
                                         .delay_ms = fetch_delay_ms};
