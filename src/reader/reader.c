// A viewer's way: reader_connect() asks placement whose the video is (on_placed); a video of another reader
// is redirected (redirect); otherwise the viewer joins the video's stream (join), and when that knows where
// it starts, its socket goes to a fan-out worker (on_joined).
#include "reader/reader.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "engine/engine.h"
#include "net/event_stream.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "reader/fanout.h"
#include "reader/stream.h"
#include "service/body.h"
#include "service/reporter.h"

enum {
    SWEEP_MS = 250,
    RETRY_MIN_MS = 500,
    RETRY_SPREAD_MS = 2000,
    CONNECT_LINES = 10,
    LISTED_TOPICS = 100,
    COMPLAIN_EVERY_MS = 10000,
    LEASE_AGAIN_MS = 100, // after a failure
    RECHECK_AGAIN_MS = 2000,
    SEND_BUFFER_BYTES = 65536 // the kernel makes it twice that, for its own bookkeeping
};

// A video of ours.
struct watched {
    struct stream *stream;
    char *other_name; // by which a mapping means us, beside our reader_url; NULL: none
    UT_hash_handle hh;
    char video[];
};

struct reader {
    struct service service; // first: the argument of the routes
    struct reader_config config;
    struct placement *placement;
    struct stream_env env;
    struct fan_counters counters;
    struct log_sampler sampler;
    struct watched *videos;
    struct reporter *reporter;
    struct loop_timer sweep, lease;
    uint64_t generation;
    uint64_t redirected, shed;
    bool stopping, leased;
    int64_t recheck_ms;  // when to look again whose our videos are; 0: no need
    int64_t complain_ms; // not before
};

// Somebody on the way to a stream.
struct arrival {
    struct joiner joiner; // first
    struct reader *reader;
    struct http_request *request;
    bool redirect, head_only;
    char userid[ID_MAX + 1], videoid[ID_MAX + 1];
};

static void arrival_shed(struct arrival *a, const char *why) {
    struct reader *r = a->reader;
    r->shed++;
    if (log_sample(&r->sampler, r->service.instance_id, CONNECT_LINES, loop_now_ms(r->service.loop)))
        log_warn(r->service.instance_id, "shed", "video=%s why=%s", a->videoid, why);
    http_abort(a->request); // a browser comes back after a closed connection, never after an error answer
    free(a);
}

static struct watched *watch(struct reader *r, const char *video) {
    struct watched *w;
    HASH_FIND_STR(r->videos, video, w);
    if (w) return w;
    w = mem_zalloc(sizeof *w + strlen(video) + 1);
    memcpy(w->video, video, strlen(video) + 1);
    HASH_ADD_KEYPTR(hh, r->videos, w->video, strlen(w->video), w);
    w->stream = stream_open(&r->env, video);
    log_debug(r->service.instance_id, "subscribed", "video=%s", video);
    return w;
}

static void unwatch(struct reader *r, struct watched *w) {
    HASH_DEL(r->videos, w);
    stream_close(w->stream);
    free(w->other_name);
    free(w);
}

// The stream's head and its first event, which carries the position where the stream starts.
static struct frame *stream_head(const struct arrival *a, struct position start) {
    struct buf b = {0};
    char id[POSITION_TEXT_SIZE], json[512];
    position_format(start, id);
    int len = snprintf(json, sizeof json,
                       "{\"type\":\"connected\",\"userid\":\"%s\",\"videoid\":\"%s\",\"instance\":\"%s\"}",
                       a->userid, a->videoid, a->reader->service.instance_id);
    event_stream_head(&b);
    event_stream_retry(&b, RETRY_MIN_MS + (int)(hash_random() % (RETRY_SPREAD_MS + 1)));
    event_stream_event(&b, id, NULL, json, (size_t)len);
    struct frame *f =
        frame_of_bytes(b.data, b.len, (struct position){0}); // no position: it is no comment to count
    buf_release(&b);
    return f;
}

// Descriptors are given lowest first; the last ones stay for requests, so that health checks and posts get
// through.
static bool leaves_room(struct reader *r, int fd) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return true;
    rlim_t reserve = limit.rlim_cur / 8 < 64 ? limit.rlim_cur / 8 : 64;
    if ((rlim_t)fd < limit.rlim_cur - reserve) return true;
    int64_t now = loop_now_ms(r->service.loop);
    if (now >= r->complain_ms) {
        r->complain_ms = now + COMPLAIN_EVERY_MS;
        log_warn(r->service.instance_id, "out_of_descriptors",
                 "limit=%llu action=\"no more viewers until some leave\"",
                 (unsigned long long)limit.rlim_cur);
    }
    return false;
}

// What the kernel holds for a viewer that does not read is bounded, so that it soon counts as slow; one whose
// machine has vanished is given up as early as one that takes nothing (RFC 5482).
static void bound_socket(const struct reader *r, int fd) {
    int send_bytes = SEND_BUFFER_BYTES, timeout_ms = r->config.stall_ms;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

static void log_connected(const struct arrival *a, const char *id) {
    struct reader *r = a->reader;
    if (log_sample(&r->sampler, r->service.instance_id, CONNECT_LINES, loop_now_ms(r->service.loop)))
        log_info(r->service.instance_id, "connected", "video=%s user=%s start=%s", a->videoid, a->userid, id);
}

static void on_joined(struct joiner *j, struct position start, struct pending *frames) {
    struct arrival *a = (struct arrival *)j;
    struct watched *w;
    if (!frames) {
        arrival_shed(a, "store_away");
        return;
    }
    HASH_FIND_STR(a->reader->videos, a->videoid, w);
    frames->frames[0] = stream_head(a, start);
    int fd = http_take_over(a->request);
    if (fd >= 0 && w && leaves_room(a->reader, fd)) {
        bound_socket(a->reader, fd);
        char id[POSITION_TEXT_SIZE];
        position_format(start, id);
        log_connected(a, id);
        stream_add(w->stream, fd, frames);
    } else {
        if (fd >= 0) {
            close(fd);
            a->reader->shed++;
        }
        for (uint32_t i = 0; i < frames->count; i++) frame_unref(frames->frames[i]);
        free(frames);
    }
    free(a);
}

static void join(struct arrival *a) {
    struct reader *r = a->reader;
    if (a->head_only) {
        http_reply(a->request, &(struct http_reply){.status = 200, .content_type = "text/event-stream"});
        free(a);
        return;
    }
    a->joiner.deadline_ms = loop_now_ms(r->service.loop) + READER_JOIN_TIMEOUT_MS;
    a->joiner.on_joined = on_joined;
    stream_join(watch(r, a->videoid)->stream, &a->joiner);
}

static bool is_loopback(const char *url) {
    return !strncmp(url, "http://127.0.0.1:", 17) || !strncmp(url, "http://[::1]:", 13);
}

// A reader that goes by a loopback address is on this machine: whoever came here by another name reaches it
// by that name too.
static void write_neighbour(char *base, size_t size, const char *host, const char *reader_url) {
    const char *bracket = strchr(host, ']');
    size_t name = bracket ? (size_t)(bracket + 1 - host) : strcspn(host, ":");
    snprintf(base, size, "http://%.*s%s", (int)name, host, strrchr(reader_url, ':'));
}

static bool means_us(const struct reader *r, const struct watched *w, const char *reader_url) {
    if (!strcmp(reader_url, r->config.reader_url)) return true;
    return w && w->other_name && !strcmp(reader_url, w->other_name);
}

// The viewer came by the very address it would be sent to, so that is a name of ours which others gave us
// (the static list of a manager that knows no leases): a redirect would come back here for ever.
static void join_by_other_name(struct arrival *a, const char *reader_url) {
    struct reader *r = a->reader;
    if (!a->head_only) {
        struct watched *w = watch(r, a->videoid);
        if (!means_us(r, w, reader_url)) {
            free(w->other_name);
            w->other_name = mem_strdup(reader_url);
        }
    }
    join(a);
}

// Services stay among reader URLs, browsers among public ones.
static void redirect(struct arrival *a, const struct placement_answer *to) {
    struct reader *r = a->reader;
    const char *host = http_request_header(a->request, "host");
    bool inside = host && placement_is_reader_host(r->placement, host);
    char base[HTTP_HEAD_MAX + ENGINE_URL_MAX], location[2 * HTTP_HEAD_MAX + ENGINE_URL_MAX];
    if (!inside && !to->public_url && is_loopback(to->reader_url))
        write_neighbour(base, sizeof base, host ? host : "127.0.0.1", to->reader_url);
    else
        snprintf(base, sizeof base, "%s", inside || !to->public_url ? to->reader_url : to->public_url);
    if (host && reader_url_is_at(base, host)) {
        join_by_other_name(a, to->reader_url);
        return;
    }
    snprintf(location, sizeof location, "%s%s", base, http_request_target(a->request));
    r->redirected++;
    if (log_sample(&r->sampler, r->service.instance_id, CONNECT_LINES, loop_now_ms(r->service.loop)))
        log_info(r->service.instance_id, "redirected", "video=%s to=%s", a->videoid, base);
    static const char body[] = "{\"message\":\"Another reader has this video; see Location.\"}";
    http_reply(
        a->request,
        &(struct http_reply){.status = 307, .body = body, .body_len = sizeof body - 1, .location = location});
    free(a);
}

static void on_placed(void *arg, const struct placement_answer *p) {
    struct arrival *a = arg;
    struct reader *r = a->reader;
    struct watched *w;
    if (r->stopping) {
        arrival_shed(a, "stopping");
        return;
    }
    HASH_FIND_STR(r->videos, a->videoid, w);
    bool ours = p->status == PLACEMENT_OK && means_us(r, w, p->reader_url);
    if (ours || !a->redirect || (p->status != PLACEMENT_OK && w) ||
        (a->head_only && p->status != PLACEMENT_OK)) {
        join(a);
    } else if (p->status == PLACEMENT_OK) {
        redirect(a, p);
    } else {
        arrival_shed(a, p->status == PLACEMENT_FULL ? "too_many_videos" : "not_placed");
    }
}

void reader_connect(struct reader *r, struct http_request *request, const struct reader_connect *c) {
    struct arrival *a = mem_zalloc(sizeof *a);
    a->reader = r;
    a->request = request;
    a->joiner.last = c->last;
    a->redirect = c->redirect;
    a->head_only = c->head_only;
    snprintf(a->userid, sizeof a->userid, "%s", c->userid);
    snprintf(a->videoid, sizeof a->videoid, "%s", c->videoid);
    if (a->head_only) // asks without consequences
        placement_resolve(r->placement, a->videoid, on_placed, a);
    else
        placement_register(r->placement, a->videoid, on_placed, a);
}

// Somebody else's by now? Its viewers are closed, and come back to be redirected. (Those who had asked not to
// be are served here again.) Nobody's, because the store was emptied? Then it becomes ours again, so that its
// next viewer is not sent to another reader than those before.
struct recheck {
    struct reader *reader;
    char video[];
};

static void let_go(struct recheck *check, const char *owner) {
    struct reader *r = check->reader;
    struct watched *w;
    HASH_FIND_STR(r->videos, check->video, w);
    if (!w || means_us(r, w, owner)) return;
    if (log_sample(&r->sampler, r->service.instance_id, CONNECT_LINES, loop_now_ms(r->service.loop)))
        log_info(r->service.instance_id, "moved_away", "video=%s to=%s viewers=%u", w->video, owner,
                 stream_viewers(w->stream));
    unwatch(r, w);
}

static void on_claimed(void *arg, enum engine_status status, const char *owner, bool changed) {
    struct recheck *check = arg;
    if (status == ENGINE_OK && changed)
        log_debug(check->reader->service.instance_id, "claimed", "video=%s", check->video);
    else if (status == ENGINE_OK && !check->reader->stopping)
        let_go(check, owner);
    free(check);
}

static void claim(struct recheck *check, const struct watched *w) {
    struct reader *r = check->reader;
    struct engine *e = r->service.engine;
    e->ops->assign(e, check->video, w->other_name ? w->other_name : r->config.reader_url, on_claimed, check);
}

static void on_rechecked(void *arg, const struct placement_answer *p) {
    struct recheck *check = arg;
    struct reader *r = check->reader;
    struct watched *w;
    HASH_FIND_STR(r->videos, check->video, w);
    if (w && !r->stopping && p->status == PLACEMENT_NONE && stream_viewers(w->stream)) {
        claim(check, w);
        return;
    }
    if (p->status == PLACEMENT_OK) let_go(check, p->reader_url);
    free(check);
}

static void recheck_videos(struct reader *r) {
    struct watched *w, *next;
    HASH_ITER(hh, r->videos, w, next) {
        size_t size = strlen(w->video) + 1;
        struct recheck *check = mem_zalloc(sizeof *check + size);
        check->reader = r;
        memcpy(check->video, w->video, size);
        placement_resolve(r->placement, check->video, on_rechecked, check);
    }
}

static void on_sweep(struct loop_timer *t) {
    struct reader *r = (struct reader *)((char *)t - offsetof(struct reader, sweep));
    int64_t now = loop_now_ms(r->service.loop);
    struct watched *w, *next;
    HASH_ITER(hh, r->videos, w, next) {
        stream_sweep(w->stream);
        int64_t idle_since = stream_idle_since_ms(w->stream);
        if (!idle_since || now - idle_since < r->config.unsubscribe_ms) continue;
        log_debug(r->service.instance_id, "unsubscribed", "video=%s", w->video);
        unwatch(r, w);
    }
    if (r->recheck_ms && now >= r->recheck_ms) {
        r->recheck_ms = 0;
        recheck_videos(r);
    }
    loop_timer_start(r->service.loop, t, SWEEP_MS);
}

static uint64_t viewers(const struct reader *r) {
    uint64_t n = 0;
    const struct watched *w;
    for (w = r->videos; w; w = w->hh.next) n += stream_viewers(w->stream);
    return n;
}

// A lease that could not be renewed is tried again in a second; health tells of a store that is away. One
// that had lapsed (this process was stopped, or cut off) may have cost us videos, and may go on doing so for
// as long as others have the old list of readers.
static void on_lease_renewed(void *arg, enum engine_status status, bool lapsed) {
    struct reader *r = arg;
    if (r->stopping) return;
    if (status != ENGINE_OK) {
        loop_timer_start(r->service.loop, &r->lease, LEASE_AGAIN_MS);
        return;
    }
    if (lapsed && r->leased) {
        log_warn(r->service.instance_id, "lease_lapsed", "action=\"looking whose the videos are\"");
        r->recheck_ms = loop_now_ms(r->service.loop) + RECHECK_AGAIN_MS;
        recheck_videos(r);
    }
    r->leased = true;
}

static void on_lease_dropped(void *arg, enum engine_status status) {
    (void)arg;
    (void)status;
}

static void on_lease(struct loop_timer *t) {
    struct reader *r = (struct reader *)((char *)t - offsetof(struct reader, lease));
    struct engine *e = r->service.engine;
    e->ops->lease_renew(e,
                        &(struct engine_lease){.reader_url = r->config.reader_url,
                                               .public_url = r->config.public_url,
                                               .instance_id = r->config.instance_id,
                                               .generation = r->generation,
                                               .viewers = viewers(r)},
                        READER_LEASE_TTL_MS, on_lease_renewed, r);
    loop_timer_start(r->service.loop, t, READER_LEASE_EVERY_MS);
}

static json_t *build_report(void *arg) {
    struct reader *r = arg;
    json_t *topics = json_array();
    size_t listed = 0;
    for (const struct watched *w = r->videos; w && listed < LISTED_TOPICS; w = w->hh.next, listed++)
        json_array_append_new(topics, json_sprintf("video:%s", w->video));
    return json_pack("{s:s,s:I,s:o,s:I}", "instanceId", r->service.instance_id, "activeConnections",
                     (json_int_t)viewers(r), "subscribedTopics", topics, "messagesSent",
                     (json_int_t)counter_get(&r->counters.delivered));
}

static void describe(struct service *s, json_t *health) {
    struct reader *r = (struct reader *)s;
    json_object_set_new(health, "activeConnections", json_integer((json_int_t)viewers(r)));
    json_object_set_new(health, "subscribedTopics", json_integer((json_int_t)HASH_COUNT(r->videos)));
    json_object_set_new(health, "messagesSent",
                        json_integer((json_int_t)counter_get(&r->counters.delivered)));
    json_object_set_new(health, "sends", json_integer((json_int_t)counter_get(&r->counters.sends)));
    json_object_set_new(health, "wakeups", json_integer((json_int_t)counter_get(&r->counters.wakeups)));
    json_object_set_new(health, "slowGaps", json_integer((json_int_t)counter_get(&r->counters.gaps)));
    json_object_set_new(health, "stalled", json_integer((json_int_t)counter_get(&r->counters.stalled)));
    json_object_set_new(health, "redirected", json_integer((json_int_t)r->redirected));
    json_object_set_new(health, "shed", json_integer((json_int_t)r->shed));
}

static bool ready(struct service *s, const char **why) {
    struct reader *r = (struct reader *)s;
    if (placement_ready(r->placement)) return true;
    *why = "The list of readers has not been read yet.";
    return false;
}

struct reader *reader_new(struct loop *loop, struct engine *engine, struct placement *placement,
                          struct fanout *fanout, struct history_budget *budget, struct http_client *client,
                          const struct reader_config *config) {
    struct reader *r = mem_zalloc(sizeof *r);
    r->service = (struct service){.role = "reader",
                                  .instance_id = config->instance_id,
                                  .loop = loop,
                                  .engine = engine,
                                  .describe = describe,
                                  .ready = ready};
    r->config = *config;
    r->placement = placement;
    r->generation = (uint64_t)clock_wall_ms();
    r->env = (struct stream_env){.loop = loop,
                                 .engine = engine,
                                 .fanout = fanout,
                                 .counters = &r->counters,
                                 .budget = budget,
                                 .instance_id = config->instance_id,
                                 .sampler = &r->sampler};
    r->sweep.on_due = on_sweep;
    r->lease.on_due = on_lease;
    loop_timer_start(loop, &r->sweep, SWEEP_MS);
    on_lease(&r->lease);
    r->reporter = reporter_new(loop, client,
                               &(struct reporter_config){.role = config->instance_id,
                                                         .statistics_url = config->statistics_url,
                                                         .path = "/reader-api-statistics",
                                                         .interval_ms = config->statistics_interval_ms,
                                                         .token = config->token,
                                                         .build = build_report,
                                                         .arg = r});
    return r;
}

void reader_stop(struct reader *r) {
    struct engine *e = r->service.engine;
    r->stopping = true;
    loop_timer_stop(r->service.loop, &r->sweep);
    loop_timer_stop(r->service.loop, &r->lease);
    reporter_free(r->reporter);
    r->reporter = NULL;
    struct watched *w, *next;
    HASH_ITER(hh, r->videos, w, next) unwatch(r, w);
    e->ops->lease_drop(e, r->config.reader_url, on_lease_dropped, NULL);
}

void reader_free(struct reader *r) {
    free(r);
}
