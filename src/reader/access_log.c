#include "access_log.h"

#include "base/clock.h"
#include "fanout/counters.h"
#include "fanout/report.h"
#include "net/sock.h"

enum { LINES_MAX = 10 }; // in a second

static const char *const reasons[] = {
    [FAN_END_CLIENT] = "client_closed", [FAN_END_ERROR] = "error",          [FAN_END_STALLED] = "stalled",
    [FAN_END_COMPLETE] = "complete",    [FAN_END_MOVED] = "moved",          [FAN_END_STOPPING] = "stopping",
    [FAN_END_EXPIRED] = "token_ended",  [FAN_END_KILLED] = "reader_killed",
};

// The clock is read under the lock, so that it never goes back from one thread to the next.
static bool access_log_may(struct access_log *a) {
    pthread_mutex_lock(&a->lock);
    bool may = log_sample(&a->sampler, a->role, LINES_MAX, clock_monotonic_ms());
    pthread_mutex_unlock(&a->lock);
    return may;
}

// What only the socket knows is read only for a line that is written.
static void on_closed(void *arg, const struct fan_report *f) {
    struct access_log *a = arg;
    const char *role = a->role, *reason = reasons[f->end];
    if (!log_enabled(LOG_INFO) || !access_log_may(a)) return;
    unsigned long long ms = 100ull * f->duration_ds;
    struct sock_sent sent;
    if (f->fd >= 0 && sock_sent(f->fd, &sent)) {
        // Less, if the connection has broken before what waited ahead of the stream was sent.
        uint64_t bytes = sent.bytes > f->bytes_before ? sent.bytes - f->bytes_before : 0;
        log_info(role, "stream_closed",
                 "video=%s stream=%llu duration_ms=%llu events=%u bytes=%llu reason=%s", f->video,
                 (unsigned long long)sock_number(f->fd), ms, f->events, (unsigned long long)bytes, reason);
    } else {
        log_info(role, "stream_closed", "video=%s duration_ms=%llu events=%u reason=%s", f->video, ms,
                 f->events, reason);
    }
}

void access_log_start(struct access_log *a, struct fan_counters *counters, const char *role) {
    *a = (struct access_log){.role = role, .sampler.of = "stream_closed"};
    pthread_mutex_init(&a->lock, NULL);
    counters->on_closed = on_closed;
    counters->arg = a;
}

static void access_log_settle(struct access_log *a, int64_t now_ms) {
    pthread_mutex_lock(&a->lock);
    log_sampler_settle(&a->sampler, a->role, now_ms);
    pthread_mutex_unlock(&a->lock);
}

void access_log_sweep(struct access_log *a) {
    access_log_settle(a, clock_monotonic_ms());
}

void access_log_end(struct access_log *a) {
    access_log_settle(a, INT64_MAX);
    pthread_mutex_destroy(&a->lock);
}
