#include "video_routes.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"
#include "service/rights.h"
#include "service/service.h"

struct video_write {
    struct http_exchange *exchange;
    enum video_state state;
    char video[ID_MAX + 1];
};

static void reply_video(struct http_exchange *x, const char *video, enum video_state state) {
    reply_json(x, 200, json_pack("{s:s, s:s}", "videoid", video, "state", video_state_name(state)));
}

static void on_video_written(void *arg, enum engine_status status) {
    struct video_write *w = arg;
    bool removes = w->state == VIDEO_UNKNOWN;
    if (status == ENGINE_OK)
        log_info("comment", removes ? "video_removed" : "video_written", "video=%s state=%s", w->video,
                 removes ? "none" : video_state_name(w->state));
    if (status == ENGINE_OK && removes)
        reply_json(w->exchange, 200, json_pack("{s:b}", "success", 1));
    else if (status == ENGINE_OK)
        reply_video(w->exchange, w->video, w->state);
    else if (status == ENGINE_FULL)
        reply_unavailable(w->exchange, "too_many_videos",
                          "There are as many videos as --max-videos allows; remove some first.");
    else if (status == ENGINE_STORE_FULL)
        reply_unavailable(w->exchange, "store_full", "The store is full; try again later.");
    else
        reply_unavailable(w->exchange, "store_unavailable", "The store does not answer; try again soon.");
    free(w);
}

static void video_write(struct service *s, struct http_exchange *x, const char *video,
                        enum video_state state) {
    struct video_write *w = mem_zalloc(sizeof *w);
    w->exchange = x;
    w->state = state;
    snprintf(w->video, sizeof w->video, "%s", video);
    known_videos_write(s, video, state, on_video_written, w);
}

// Without --videos known all videos are open, as far as this process knows.
void video_routes_get(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    const char *video;
    if (!path_id(x, &video) || !rights_have(s, x, IDENTITY_READ, video)) return;
    if (!known_videos_admit(s, x, video, NULL, video_routes_get, s)) return;
    reply_video(x, video, known_videos_look(s, x, video));
}

void video_routes_put(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    const char *video;
    char state[8] = "";
    struct body_field field = BODY_FIELD("state", state);
    if (!path_id(x, &video) || !rights_administer(s, x, video) || !body_read(x, &field, 1)) return;
    bool is_text = field.state == BODY_TEXT,
         closes = is_text && !strcmp(state, video_state_name(VIDEO_CLOSED));
    if (closes || (is_text && !strcmp(state, video_state_name(VIDEO_OPEN))))
        video_write(s, x, video, closes ? VIDEO_CLOSED : VIDEO_OPEN);
    else if (field.state == BODY_ABSENT)
        http_reply_error(x, 400, "missing_field", "state is required.");
    else
        refuse_field(x, "state", "must be open or closed.");
}

void video_routes_delete(struct http_exchange *x, void *arg) {
    const char *video;
    if (path_id(x, &video) && rights_administer(arg, x, video)) video_write(arg, x, video, VIDEO_UNKNOWN);
}
