#include "clients/clients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "client_reports.h"
#include "poster.h"
#include "stamps.h"
#include "talk.h"
#include "client_viewer.h"
#include "http/client.h"
#include "net/resolver.h"
#include "net/loop.h"

enum {
    REPORT_INTERVAL_MS = 5000,
    STAMPS_MIN = 1024,   // comments whose time of posting is remembered,
    STAMPS_MAX = 1 << 20 // at least and at most
};

static const double period_s = 10;  // between one viewer's comments, if no rate is given
static const double stamped_s = 10; // a comment's latency is measured if it arrives within this time

// How many clients watch video1, video2 and so on in the original.
static const unsigned char original_shares[] = {3, 3, 10, 1, 1, 1};
enum { ORIGINAL_VIDEOS = sizeof original_shares, ORIGINAL_VIEWERS = 19 };

struct clients {
    struct client_viewer_env env; // first: callbacks receive its address
    struct poster poster;
    struct talk talk;
    unsigned *videos; // by viewer; NULL: they do not talk
    struct client_reports reports;
    struct tally tally;
    struct prng prng;
    struct stamps *stamps;
    struct client_viewer *viewers;
    size_t viewer_count;
    struct client_viewer *queue, **queue_end; // viewers that want to connect
    unsigned connecting;
    size_t never_connected;
    enum { POSTING_NOT_YET, POSTING_BEGUN, POSTING_STOPPED } posting;
    bool wants_comments;
    struct loop_timer patience;
    char *register_url, *comment_url, *statistics_url, *authorization;
    size_t calls; // pending HTTP requests, whose callbacks use this struct
    struct loop_job reap;
};

static void clients_begin_posting(struct clients *c) {
    loop_timer_stop(c->env.loop, &c->patience);
    if (c->posting != POSTING_NOT_YET) return;
    c->posting = POSTING_BEGUN;
    if (c->wants_comments) poster_start(&c->poster);
}

static void clients_on_patience(struct loop_timer *t) {
    clients_begin_posting(container_of(t, struct clients, patience));
}

static void clients_connect_next(struct clients *c) {
    while (c->queue && c->connecting < CLIENTS_CONNECTING) {
        struct client_viewer *v = c->queue;
        c->queue = v->next;
        if (!c->queue) c->queue_end = &c->queue;
        c->connecting++;
        v->in_turn = true;
        client_viewer_connect(v);
    }
}

static void clients_on_wants_connection(struct client_viewer_env *env, struct client_viewer *v) {
    struct clients *c = container_of(env, struct clients, env);
    if (v->had_stream) {
        client_viewer_connect(v);
        return;
    }
    v->next = NULL;
    *c->queue_end = v;
    c->queue_end = &v->next;
    clients_connect_next(c);
}

static void clients_on_attempt_over(struct client_viewer_env *env, struct client_viewer *v) {
    struct clients *c = container_of(env, struct clients, env);
    if (v->in_turn) c->connecting--;
    v->in_turn = false;
    if (v->state == CLIENT_VIEWER_STREAMING && !v->had_stream) {
        v->had_stream = true;
        if (!--c->never_connected) clients_begin_posting(c);
    }
    clients_connect_next(c);
}

static void clients_on_resolved(void *arg) {
    struct clients *c = arg;
    for (size_t i = 0; i < c->viewer_count; i++) client_viewer_resolved(&c->viewers[i]);
}

static void clients_count_calls(struct clients *c, int change) {
    c->calls += (size_t)change;
    if (c->env.closing && !c->calls) loop_defer(c->env.loop, &c->reap);
}

static void clients_on_viewer_calls(struct client_viewer_env *env, int change) {
    clients_count_calls(container_of(env, struct clients, env), change);
}

static void clients_on_poster_calls(struct poster *p, int change) {
    clients_count_calls(container_of(p, struct clients, poster), change);
}

static void clients_on_report_calls(struct client_reports *r, int change) {
    clients_count_calls(container_of(r, struct clients, reports), change);
}

static char *url_join(const char *url, const char *path) {
    struct buf b = {0};
    size_t len = strlen(url);
    while (len && url[len - 1] == '/') len--;
    buf_add(&b, url, len);
    buf_add_string(&b, path);
    buf_add(&b, "", 1);
    return buf_steal(&b, NULL);
}

static unsigned original_video(size_t i) {
    size_t place = i % ORIGINAL_VIEWERS;
    unsigned video = 0;
    while (place >= original_shares[video]) place -= original_shares[video++];
    return video + 1;
}

static void clients_make_viewers(struct clients *c, const struct clients_config *config, size_t videos) {
    const struct distribution_spec *spec = config->distribution;
    struct distribution *d = spec ? distribution_new(*spec, videos) : NULL;
    c->viewers = mem_alloc(c->viewer_count * sizeof *c->viewers);
    for (size_t i = 0; i < c->viewer_count; i++) {
        size_t video = d ? distribution_choose(d, &c->prng) + 1 : (original_video(i) - 1) % videos + 1;
        client_viewer_init(&c->viewers[i], &c->env, (unsigned)i + 1, (unsigned)video);
    }
    distribution_free(d);
}

static void clients_on_reap(struct loop_job *job) {
    struct clients *c = container_of(job, struct clients, reap);
    origins_release(&c->env.origins);
    stamps_free(c->stamps);
    free(c->env.read_buffer);
    free(c->poster.newest);
    free(c->viewers);
    free(c->videos);
    free(c->register_url);
    free(c->comment_url);
    free(c->statistics_url);
    free(c->authorization);
    free(c);
}

static void clients_make_env(struct clients *c, struct loop *loop, struct http_client *client) {
    c->env = (struct client_viewer_env){.loop = loop,
                                        .client = client,
                                        .resolver = resolver_new(loop, clients_on_resolved, c),
                                        .register_url = c->register_url,
                                        .authorization = c->authorization,
                                        .prng = &c->prng,
                                        .tally = &c->tally,
                                        .stamps = c->stamps,
                                        .read_buffer = mem_alloc(CLIENT_VIEWER_READ_SIZE),
                                        .on_wants_connection = clients_on_wants_connection,
                                        .on_attempt_over = clients_on_attempt_over,
                                        .on_calls = clients_on_viewer_calls};
}

static void clients_make_poster(struct clients *c, double rate, size_t videos) {
    c->wants_comments = rate > 0;
    c->poster = (struct poster){.loop = c->env.loop,
                                .client = c->env.client,
                                .url = c->comment_url,
                                .authorization = c->authorization,
                                .viewers = c->viewers,
                                .viewer_count = c->viewer_count,
                                .newest = mem_zalloc((videos + 1) * sizeof *c->poster.newest),
                                .stamps = c->stamps,
                                .tally = &c->tally,
                                .period_ns = rate > 0 ? (int64_t)(1e9 / rate) : 0,
                                .on_calls = clients_on_poster_calls};
}

static void clients_make_talk(struct clients *c, uint64_t seed) {
    c->videos = mem_alloc(c->viewer_count * sizeof *c->videos);
    for (size_t i = 0; i < c->viewer_count; i++) c->videos[i] = c->viewers[i].video;
    talk_init(&c->talk, c->videos, c->viewer_count, seed);
    c->poster.talk = &c->talk;
}

static void clients_make_reports(struct clients *c, const struct clients_config *config) {
    int interval = config->report_interval_ms;
    c->reports = (struct client_reports){.loop = c->env.loop,
                                         .client = c->env.client,
                                         .url = c->statistics_url,
                                         .authorization = c->authorization,
                                         .interval_ms = interval ? interval : REPORT_INTERVAL_MS,
                                         .viewers = c->viewers,
                                         .viewer_count = c->viewer_count,
                                         .on_calls = clients_on_report_calls};
}

void clients_set_token(struct clients *c, const char *token) {
    free(c->authorization);
    c->authorization = http_client_bearer(token);
    c->reports.authorization = c->poster.authorization = c->env.authorization = c->authorization;
}

static void clients_copy_urls(struct clients *c, const struct clients_config *config) {
    const char *statistics = config->statistics_url, *token = config->token;
    c->register_url = url_join(config->manager_url, "/register");
    c->comment_url = url_join(config->comment_url, "/comment");
    if (statistics && *statistics) c->statistics_url = url_join(statistics, "/client-statistics");
    clients_set_token(c, token);
}

static void clients_start(struct clients *c) {
    c->reap.run = clients_on_reap;
    c->queue_end = &c->queue;
    c->patience.on_due = clients_on_patience;
    c->never_connected = c->viewer_count;
    loop_timer_start(c->env.loop, &c->patience, CLIENTS_PATIENCE_MS);
    client_reports_start(&c->reports);
    for (size_t i = 0; i < c->viewer_count; i++) clients_on_wants_connection(&c->env, &c->viewers[i]);
}

struct clients *clients_new(struct loop *loop, struct http_client *client,
                            const struct clients_config *config) {
    struct clients *c = mem_zalloc(sizeof *c);
    size_t videos = config->videos ? config->videos : ORIGINAL_VIDEOS;
    c->viewer_count = config->viewers ? config->viewers : ORIGINAL_VIEWERS;
    c->prng.state = config->seed;
    double rate = config->rate < 0 ? (double)c->viewer_count / period_s : config->rate;
    double stamps = fmin(fmax(rate * stamped_s, STAMPS_MIN), STAMPS_MAX);
    c->stamps = stamps_new((size_t)stamps);
    clients_copy_urls(c, config);
    clients_make_env(c, loop, client);
    c->env.expects_outages = config->expects_outages;
    clients_make_viewers(c, config, videos);
    clients_make_poster(c, rate, videos);
    if (config->talk) clients_make_talk(c, config->seed);
    clients_make_reports(c, config);
    clients_start(c);
    return c;
}

void clients_free(struct clients *c) {
    if (!c) return;
    c->env.closing = true;
    loop_timer_stop(c->env.loop, &c->patience);
    poster_stop(&c->poster);
    client_reports_stop(&c->reports);
    for (size_t i = 0; i < c->viewer_count; i++) client_viewer_release(&c->viewers[i]);
    resolver_free(c->env.resolver);
    if (!c->calls) loop_defer(c->env.loop, &c->reap);
}

const struct tally *clients_tally(const struct clients *c) {
    return &c->tally;
}

bool clients_are_posting(const struct clients *c) {
    return c->posting == POSTING_BEGUN;
}

void clients_stop_posting(struct clients *c) {
    c->posting = POSTING_STOPPED;
    loop_timer_stop(c->env.loop, &c->patience);
    poster_stop(&c->poster);
}

uint64_t clients_outstanding(const struct clients *c) {
    uint64_t sum = 0;
    for (size_t i = 0; i < c->viewer_count; i++) {
        const struct client_viewer *v = &c->viewers[i];
        struct position newest = c->poster.newest[v->video], last = v->sequence.last;
        if (v->state != CLIENT_VIEWER_STREAMING || position_compare(newest, last) <= 0) continue;
        sum += newest.epoch == last.epoch ? newest.seq - last.seq : newest.seq;
    }
    return sum;
}

bool clients_are_answered(const struct clients *c) {
    return !c->poster.unanswered;
}
