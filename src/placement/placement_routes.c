#include "placement/placement_routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#include "engine/engine.h"
#include "http/exchange.h"
#include "net/loop.h"
#include "placement/placement.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"
#include "service/rights.h"

enum { RESOLVED_LINES = 10, FULL_LINES = 1 }; // a second

// A request that waits for placement.
struct placed_request {
    struct placed_service *service;
    struct http_exchange *exchange;
    char video[ID_MAX + 1];
};

static struct placed_request *placed_request_new(struct placed_service *s, struct http_exchange *x,
                                                 const char *video) {
    struct placed_request *q = mem_zalloc(sizeof *q);
    q->service = s;
    q->exchange = x;
    memcpy(q->video, video, strlen(video) + 1);
    return q;
}

// Ids and URLs need no escaping: placement answers only with plain ones.
static void reply_place(const struct placed_request *q, const struct placement_answer *a,
                        const char *action) {
    char body[2 * ENGINE_URL_MAX + ID_MAX + 128];
    bool other = a->public_url && strcmp(a->public_url, a->reader_url) != 0;
    int len =
        snprintf(body, sizeof body, "{\"videoid\":\"%s\",\"readerUrl\":\"%s\"%s%s%s%s%s%s}", q->video,
                 a->reader_url, other ? ",\"publicUrl\":\"" : "", other ? a->public_url : "",
                 other ? "\"" : "", action ? ",\"action\":\"" : "", action ? action : "", action ? "\"" : "");
    http_reply(q->exchange, &(struct http_reply){.status = 200, .body = body, .body_len = (size_t)len});
}

void placement_reply_full(struct placed_service *s, struct http_exchange *x, const char *video) {
    if (log_sample(&s->refusals, s->service.kind->role, FULL_LINES, loop_now_ms(s->service.loop)))
        log_warn(s->service.kind->role, "too_many_videos",
                 "video=%s action=\"refusing new videos; raise --max-videos if they are real\"", video);
    reply_unavailable(x, "too_many_videos",
                      "As many videos as --max-videos allows are in use; try again later.");
}

static void reply_failure(struct placed_request *q, enum placement_status status) {
    switch (status) {
    case PLACEMENT_NO_READER:
        reply_unavailable(q->exchange, "no_reader", "No reader is available for this video.");
        break;
    case PLACEMENT_FULL: placement_reply_full(q->service, q->exchange, q->video); break;
    case PLACEMENT_NONE:
        reply_json(q->exchange, 404,
                   json_pack("{s:s,s:s,s:s}", "error", "No reader API registered for this video", "code",
                             "not_registered", "videoid", q->video));
        break;
    default:
        reply_unavailable(q->exchange, "store_unavailable", "The store does not answer; try again soon.");
        break;
    }
}

static void log_resolved(struct placed_request *q, const char *reader_url) {
    struct placed_service *s = q->service;
    if (log_sample(&s->sampler, s->service.kind->role, RESOLVED_LINES, loop_now_ms(s->service.loop)))
        log_info(s->service.kind->role, "resolved", "video=%s reader=%s", q->video, reader_url);
}

static void on_video_registered(void *arg, const struct placement_answer *a) {
    struct placed_request *q = arg;
    if (a->status == PLACEMENT_OK) {
        q->service->registrations += a->registered;
        log_resolved(q, a->reader_url);
        reply_place(q, a, a->registered ? "registered" : "existing");
    } else {
        reply_failure(q, a->status);
    }
    free(q);
}

static void on_video_resolved(void *arg, const struct placement_answer *a) {
    struct placed_request *q = arg;
    if (a->status == PLACEMENT_OK) {
        log_resolved(q, a->reader_url);
        reply_place(q, a, NULL);
    } else {
        reply_failure(q, a->status);
    }
    free(q);
}

static void handle_register(struct http_exchange *x, void *arg) {
    struct placed_service *s = arg;
    char video[ID_MAX + 1];
    struct body_field field = BODY_FIELD("videoid", video);
    if (body_read(x, &field, 1) && body_id(x, &field) &&
        rights_have_or_internal(&s->service, x, IDENTITY_READ, video) &&
        known_videos_admit(&s->service, x, video, NULL, handle_register, s))
        placement_register(s->placement, video, on_video_registered, placed_request_new(s, x, video));
}

static void handle_resolve(struct http_exchange *x, void *arg) {
    struct placed_service *s = arg;
    const char *video;
    if (path_id(x, &video) && rights_have_or_internal(&s->service, x, IDENTITY_READ, video) &&
        known_videos_admit(&s->service, x, video, NULL, handle_resolve, s))
        placement_resolve(s->placement, video, on_video_resolved, placed_request_new(s, x, video));
}

const struct http_route placement_routes[] = {
    {"POST", "/register", .handle = handle_register, .body_max = IDS_BODY_MAX, .guard = body_guard},
    {"GET", "/resolve/:videoid", .handle = handle_resolve},
    {0},
};
