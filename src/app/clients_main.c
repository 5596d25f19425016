// Runs until the duration is over or a signal arrives; then stops posting, and waits briefly for comments in
// flight. Comments that have not arrived by then are counted as lost.
#include "app/clients_main.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "process.h"
#include "app/settings.h"
#include "base/container_of.h"
#include "base/log.h"
#include "clients/clients.h"
#include "http/client.h"
#include "net/loop.h"

enum {
    CHECK_MS = 50,
    LIVE_MS = 1000,          // between two live lines
    PLAIN_MS = 5000,         // between two plain ones
    SETTLE_MS = 5000,        // at the end
    SETTLE_SIGNAL_MS = 1000, // after a signal
    SPARE_DESCRIPTORS = 64,
    ORIGINAL_VIDEOS = 6
};

struct clients_run {
    struct loop *loop;
    struct clients *clients;
    struct loop_fd signals;
    struct loop_timer check, show;
    int64_t duration_ms; // 0: none
    int64_t end_ms;      // when posting ends; 0: unknown yet
    int64_t settled_ms;  // when the wait for comments in flight ends; 0: it has not begun
    bool terminal, aborted;
};

static double ms_of(const struct tally *t, double percent) {
    return (double)histogram_percentile(&t->latency, percent) / 1000;
}

static void print_plain(const char *what, const struct tally *t, uint64_t outstanding) {
    printf("%s viewers=%" PRIu64 " comments=%" PRIu64 " failed=%" PRIu64 " deliveries=%" PRIu64
           " lost=%" PRIu64 " duplicated=%" PRIu64 " out_of_order=%" PRIu64 " gaps=%" PRIu64
           " missed=%" PRIu64 " left_out=%" PRIu64 " cuts=%" PRIu64 " refused=%" PRIu64
           " p50_ms=%.2f p99_ms=%.2f\n",
           what, t->connected, t->comments, t->failed, t->deliveries, t->lost + outstanding, t->duplicated,
           t->late, t->gaps, t->missed, t->left_out, t->cuts, t->refused, ms_of(t, 50), ms_of(t, 99));
}

// A line that is rewritten in place.
static void print_live(const struct tally *t) {
    printf("\r\033[K%" PRIu64 " viewers   %" PRIu64 " comments (%" PRIu64 " failed)   %" PRIu64
           " deliveries   %" PRIu64 " lost   latency p50 %.1f ms, p99 %.1f ms",
           t->connected, t->comments, t->failed, t->deliveries, t->lost, ms_of(t, 50), ms_of(t, 99));
}

static void on_clients_show(struct loop_timer *timer) {
    struct clients_run *r = container_of(timer, struct clients_run, show);
    loop_timer_start(r->loop, timer, r->terminal ? LIVE_MS : PLAIN_MS);
    if (r->terminal)
        print_live(clients_tally(r->clients));
    else
        print_plain("clients", clients_tally(r->clients), 0);
    fflush(stdout);
}

static void begin_ending(struct clients_run *r, int64_t settle_ms) {
    if (r->settled_ms) return;
    clients_stop_posting(r->clients);
    r->settled_ms = loop_now_ms(r->loop) + settle_ms;
}

static void on_clients_check(struct loop_timer *timer) {
    struct clients_run *r = container_of(timer, struct clients_run, check);
    int64_t now = loop_now_ms(r->loop);
    loop_timer_start(r->loop, timer, CHECK_MS);
    if (r->duration_ms && !r->end_ms && clients_are_posting(r->clients)) r->end_ms = now + r->duration_ms;
    if (r->end_ms && now >= r->end_ms) begin_ending(r, SETTLE_MS);
    if (!r->settled_ms) return;
    bool settled = clients_are_answered(r->clients) && !clients_outstanding(r->clients);
    if (settled || now >= r->settled_ms) loop_stop(r->loop);
}

// The second signal stops it immediately.
static void on_clients_signal(struct loop_fd *f, uint32_t events) {
    struct clients_run *r = container_of(f, struct clients_run, signals);
    (void)events;
    if (!process_next_signal(f->fd)) return;
    if (r->settled_ms) {
        r->aborted = true;
        loop_stop(r->loop);
    }
    begin_ending(r, SETTLE_SIGNAL_MS);
}

// Returns the exit code.
static int print_outcome(const struct clients_run *r) {
    const struct tally *t = clients_tally(r->clients);
    uint64_t outstanding = r->aborted ? 0 : clients_outstanding(r->clients);
    if (r->terminal) fputs("\r\033[K", stdout);
    print_plain("clients ended", t, outstanding);
    return t->lost || outstanding || t->duplicated || t->late;
}

static int serve_clients(struct clients_run *r, int signals) {
    r->signals.on_event = on_clients_signal;
    r->check.on_due = on_clients_check;
    r->show.on_due = on_clients_show;
    r->terminal = isatty(STDOUT_FILENO);
    loop_fd_add(r->loop, &r->signals, signals, EPOLLIN);
    loop_timer_start(r->loop, &r->check, CHECK_MS);
    loop_timer_start(r->loop, &r->show, r->terminal ? LIVE_MS : PLAIN_MS);
    int error = loop_run(r->loop);
    loop_fd_remove(r->loop, &r->signals);
    if (error) log_error("clients", "loop_failed", "error=%d", -error);
    int code = print_outcome(r);
    return error ? 1 : code;
}

static struct clients *make_clients(struct clients_run *r, struct http_client *client,
                                    const struct settings *set, const struct distribution_spec *law) {
    return clients_new(r->loop, client,
                       &(struct clients_config){.manager_url = set->manager_url,
                                                .comment_url = set->comment_url,
                                                .statistics_url = set->statistics_url,
                                                .token = set->internal_token,
                                                .report_interval_ms = (int)set->statistics_interval_ms,
                                                .viewers = (size_t)set->viewers,
                                                .videos = (size_t)set->videos,
                                                .rate = (double)set->rate,
                                                .distribution = law,
                                                .seed = (uint64_t)set->seed});
}

static int run_clients(const struct settings *set, const struct distribution_spec *law, int signals) {
    struct clients_run r = {.loop = loop_new(), .duration_ms = set->duration_s * 1000};
    if (!r.loop) {
        fputs("chorus clients: There is no file descriptor left.\n", stderr);
        return 1;
    }
    struct http_client *client = http_client_new(r.loop);
    r.clients = make_clients(&r, client, set, law);
    int code = serve_clients(&r, signals);
    clients_free(r.clients);
    http_client_free(client);
    loop_free(r.loop);
    return code;
}

static bool check_clients(const struct settings *set, struct distribution_spec *law, char *why,
                          size_t why_size) {
    if (set->distribution && !distribution_parse(set->distribution, law)) {
        snprintf(why, why_size, "--distribution is \"%s\", but must be uniform or zipf:S, S from 0 to 10.",
                 set->distribution);
        return false;
    }
    return true;
}

int clients_main(int argc, char **argv) {
    struct settings set;
    struct options options;
    struct distribution_spec law = {.kind = DISTRIBUTION_UNIFORM};
    char why[512];
    if (!settings_begin(&set, &options, COMMAND_CLIENTS, argc, argv)) return 2;
    if (!check_clients(&set, &law, why, sizeof why)) {
        fprintf(stderr, "chorus clients: %s Try `chorus clients --help`.\n", why);
        options_release(&options);
        return 2;
    }
    log_set_level((enum log_level)set.log_level);
    log_set_format_for_stderr((enum log_format)set.log_format);
    int signals = process_take_signals();
    if ((uint64_t)set.viewers + SPARE_DESCRIPTORS > process_raise_descriptor_limit()) {
        fprintf(stderr,
                "chorus clients: %" PRId64
                " viewers need as many file descriptors: raise the limit (ulimit -n), or start fewer.\n",
                set.viewers);
        return 1;
    }
    bool as_original = !set.distribution && set.videos == ORIGINAL_VIDEOS;
    int code = run_clients(&set, as_original ? NULL : &law, signals);
    process_release_signals(signals);
    options_release(&options);
    return code;
}
