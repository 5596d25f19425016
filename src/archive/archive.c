#include "archive/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/embedded.h"
#include "follower.h"
#include "http/asset_reply.h"
#include "http/exchange.h"
#include "http/router.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/metrics.h"
#include "service/replays.h"
#include "service/rights.h"

struct archive {
    struct service service; // first: the argument of the routes
    struct engine *own;
    struct follower *follower;
    struct replays replays;
};

// Figures

#define FIGURE(name, expression)                                                                             \
    static double name(struct service *s) {                                                                  \
        const struct archive *a = (const struct archive *)s;                                                 \
        return (double)(expression);                                                                         \
    }
FIGURE(archive_videos, follower_counts(a->follower)->videos)
FIGURE(archive_waiting, follower_counts(a->follower)->waiting)
FIGURE(archive_behind, follower_counts(a->follower)->behind)
FIGURE(archive_entries, follower_counts(a->follower)->entries)
FIGURE(archive_missed, follower_counts(a->follower)->missed)
FIGURE(archive_gaps, follower_counts(a->follower)->gaps)
FIGURE(archive_failures, follower_counts(a->follower)->failures)
FIGURE(archive_bytes, a->own->ops->stats(a->own).database_bytes)
FIGURE(archive_disk_bytes, a->own->ops->stats(a->own).disk_bytes)
FIGURE(archive_free_bytes, a->own->ops->stats(a->own).free_bytes)
#undef FIGURE
METRICS_OF_REPLAYS(archive)

const struct metric archive_metrics[] = {
    {"chorus_archive_videos", "videos", METRIC_GAUGE, "Videos whose logs are followed.",
     .get = archive_videos},
    {"chorus_archive_waiting_videos", "videos", METRIC_GAUGE,
     "Videos of which something is not archived yet.", .get = archive_waiting},
    {"chorus_archive_behind_entries", "entries", METRIC_GAUGE,
     "Entries of logs that are not archived yet, as far as their numbers are known.", .get = archive_behind},
    {"chorus_archive_entries_total", "entries", METRIC_COUNTER, "Entries of logs archived.",
     .get = archive_entries},
    {"chorus_archive_missed_entries_total", "entries", METRIC_COUNTER,
     "Entries that were not in the log any more when it was read: their videos and numbers are in the log lines.",
     .get = archive_missed},
    {"chorus_archive_gaps_total", "gaps", METRIC_COUNTER,
     "Rows of missed entries, also of those whose number is not known.", .get = archive_gaps},
    {"chorus_archive_failures_total", "failures", METRIC_COUNTER,
     "Times that reading a log or writing the archive failed, and was tried again.", .get = archive_failures},
    METRIC_ROWS_OF_REPLAYS("archive"),
    {"chorus_archive_size_bytes", "bytes", METRIC_GAUGE, "Size of the archive's file.", .get = archive_bytes},
    {"chorus_archive_disk_bytes", "bytes", METRIC_GAUGE, "Size of the file system with the archive.",
     .get = archive_disk_bytes},
    {"chorus_archive_free_bytes", "bytes", METRIC_GAUGE, "How much of it is left.",
     .get = archive_free_bytes},
    {0},
};

static bool archive_ready(struct service *s, const char **why) {
    const struct archive *a = (const struct archive *)s;
    if (!a->own->ops->ready(a->own, why)) return false;
    if (follower_counts(a->follower)->has_listed) return true;
    *why = "The list of videos has not been read yet.";
    return false;
}

static const struct service_kind archive_kind = {
    .role = "archive", .metrics = archive_metrics, .ready = archive_ready};

// Requests

// Those with which entries are taken out that are in no log.
struct removal {
    struct archive *archive;
    struct http_exchange *exchange;
};

static struct removal *removal_new(struct archive *a, struct http_exchange *x) {
    struct removal *r = mem_alloc(sizeof *r);
    *r = (struct removal){a, x};
    return r;
}

// Returns its exchange.
static struct http_exchange *removal_end(struct removal *r, enum engine_status status) {
    struct http_exchange *x = r->exchange;
    if (status == ENGINE_OK) r->archive->replays.revision++;
    free(r);
    return x;
}

static void handle_archive_replay(struct http_exchange *x, void *arg) {
    struct archive *a = arg;
    const char *video = http_request_param(x->request, 0);
    if (rights_have(&a->service, x, IDENTITY_READ, video ? video : "") && path_id(x, &video))
        replays_answer(&a->replays, x, video);
}

static void on_taken_out(void *arg, enum engine_status status) {
    struct http_exchange *x = removal_end(arg, status);
    if (status == ENGINE_OK)
        http_reply(x, &(struct http_reply){.status = 204});
    else if (status == ENGINE_NOT_FOUND)
        http_reply_error(x, 404, "unknown_comment", "There is no such comment in the archive.");
    else
        reply_store_failed(x, status);
}

static void handle_archive_delete(struct http_exchange *x, void *arg) {
    struct archive *a = arg;
    const char *video, *id = http_request_param(x->request, 1);
    struct position at;
    if (!path_id(x, &video) || !rights_administer(&a->service, x, video)) return;
    if (position_parse(id, strlen(id), &at))
        embedded_take_out(a->own, video, at, on_taken_out, removal_new(a, x));
    else
        http_reply_error(x, 404, "unknown_comment", "There is no such comment in the archive.");
}

static void on_erased(void *arg, enum engine_status status) {
    static const char done[] = "{\"done\":true}\n";
    struct http_exchange *x = removal_end(arg, status);
    if (status != ENGINE_OK) {
        reply_store_failed(x, status);
        return;
    }
    log_info("archive", "user_erased", NULL); // whom, would stay in the log
    http_reply(x, &(struct http_reply){.status = 200,
                                       .content_type = "application/x-ndjson",
                                       .body = done,
                                       .body_len = sizeof done - 1});
}

static void handle_archive_erase(struct http_exchange *x, void *arg) {
    struct archive *a = arg;
    const char *user;
    if (rights_administer(&a->service, x, "*") && path_user(x, &user))
        embedded_erase(a->own, user, on_erased, removal_new(a, x));
}

static const struct http_route archive_routes[] = {
    {"GET", "/videos/:videoid/replay", .handle = handle_archive_replay},
    {"DELETE", "/videos/:videoid/comments/:id", .handle = handle_archive_delete},
    {"DELETE", "/users/:userid/comments", .handle = handle_archive_erase},
    {0},
};

const struct http_route *const archive_tables[] = {service_routes, archive_routes, NULL};

// Life

struct archive *archive_new(struct loop *loop, struct engine *redis, struct engine *own,
                            const struct service_config *config) {
    struct archive *a = mem_zalloc(sizeof *a);
    service_init(&a->service, &archive_kind, loop, redis, NULL, config);
    a->own = a->replays.engine = own;
    a->replays.revision = (uint64_t)clock_wall_ms(); // none of a process before it
    a->follower = follower_new(loop, redis, own);
    return a;
}

void archive_stop(struct archive *a) {
    if (a) follower_stop(a->follower);
}

void archive_free(struct archive *a) {
    if (!a) return;
    service_release(&a->service);
    replays_stop(&a->replays);
    follower_free(a->follower);
    free(a);
}
