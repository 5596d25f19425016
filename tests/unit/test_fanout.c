// The fan-out with its real threads and the real clock. Nothing sleeps: clients wait for bytes, the control
// loop for notifications from the workers.
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "dice.h"
#include "entries.h"
#include "net/loop.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/fanout.h"
#include "net/sink.h"
#include "run_loop.h"
#include "socket_pairs.h"
#include "stream_client.h"

enum { HEARTBEAT_MS = 60000, STALL_MS = 60000, CLIENTS_MAX = 400 };

static struct loop *control;
static struct fanout *fanout;
static struct fan_counters counters;
static struct ledger ledger = {.counters = &counters, .refs = 1};
static struct client clients[CLIENTS_MAX];
static uint64_t joined_at[CLIENTS_MAX]; // the newest of their video then
static int client_count;
static bool own_descriptors; // of what is started next
static uint8_t asks;         // of those added next

// A video of the test.
struct video {
    struct fan_video *fan; // NULL: freed, or not yet there
    uint64_t epoch, newest;
    unsigned added, left;
};

static void start(unsigned workers, int heartbeat_ms, int stall_ms) {
    int error;
    control = loop_new();
    counters = (struct fan_counters){0};
    client_count = 0;
    fanout = fanout_new(control,
                        &(struct fanout_config){.workers = workers,
                                                .own_descriptors = own_descriptors,
                                                .bounds = {.ring_frames = 4096,
                                                           .ring_bytes = 8 << 20,
                                                           .heartbeat_ms = heartbeat_ms,
                                                           .stall_ms = stall_ms}},
                        &error);
    assert_non_null(fanout);
    assert_int_equal(error, 0);
}

static unsigned entries_of(const char *path) {
    DIR *dir = opendir(path);
    unsigned count = 0;
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 2; // `.` and `..`
}

static unsigned threads(void) {
    return entries_of("/proc/self/task");
}
static unsigned threads_without_workers;

// A thread that has been joined may still be listed for a moment.
static void end(void) {
    assert_int_equal(counter_get(&counters.viewers), 0); // all videos have been freed
    fanout_free(fanout);
    for (int i = 0; i < 1000 && threads() > threads_without_workers; i++) poll(NULL, 0, 1);
    loop_free(control);
    for (int i = 0; i < client_count; i++) client_close(&clients[i]);
}

static void on_left(void *arg) {
    struct video *v = arg;
    assert_non_null(v->fan); // none after it was freed
    unsigned left = v->added - fan_video_viewers(v->fan);
    assert_true(left > v->left);
    v->left = left;
}

static void video_open(struct video *v, uint64_t epoch) {
    *v = (struct video){.epoch = epoch};
    v->fan = fan_video_new(fanout, &ledger, "v1", on_left, v);
}

static void video_close(struct video *v) {
    struct fan_video *fan = v->fan;
    v->fan = NULL;
    fan_video_free(fan, FAN_END_STOPPING);
}

static struct client *add_with(struct video *v, struct socket_pair sockets) {
    assert_true(client_count < CLIENTS_MAX);
    struct client *c = &clients[client_count++];
    struct frame *head = hello_frame();
    *c = (struct client){.fd = sockets.client, .server_fd = sockets.server};
    joined_at[c - clients] = v->newest;
    v->added++;
    struct sink sink = test_sink(sockets.server);
    assert_true(fan_video_add(v->fan, &sink, asks, pending_with(&head, 1)));
    return c;
}

static struct client *add(struct video *v) {
    return add_with(v, socket_pair_open(SOCKETPAIR, 0));
}

static void publish(struct video *v) {
    fan_video_publish(v->fan, comment_frame(v->epoch, ++v->newest));
}

static void wait_for_heartbeats(struct client *c, unsigned more) {
    unsigned wanted = c->seen.comments + more;
    for (; c->seen.comments < wanted; client_read(c, SIZE_MAX)) {
        assert_false(c->ended);
        client_wait_for_bytes(c);
    }
}

static bool all_have_left(void *arg) {
    const struct video *v = arg;
    return v->left == v->added;
}

// What it saw is its first event and then the comments from `from` + 1 on, without a hole.
static void assert_run(const struct client *c, const struct video *v, uint64_t from) {
    for (size_t i = 0; i < c->seen.count; i++) {
        char id[POSITION_TEXT_SIZE];
        position_format(pos(v->epoch, from + i), id);
        if (strcmp(c->seen.events[i].id, i ? id : "") != 0)
            fail_msg("event %zu is %s instead of %s", i, c->seen.events[i].id, id);
    }
}

static void every_viewer_gets_what_is_published_after_it_was_added(void **state) {
    enum { N = 150 }; // more than one worker's
    (void)state;
    struct video v;
    start(3, HEARTBEAT_MS, STALL_MS);
    video_open(&v, 1);
    publish(&v); // without viewers
    for (int i = 0; i < N; i++) {
        add(&v);
        publish(&v);
    }
    assert_int_equal(fan_video_viewers(v.fan), N);
    for (int i = 0; i < N; i++) {
        client_wait_for_events(&clients[i], 1 + (size_t)(N - i));
        assert_run(&clients[i], &v, (uint64_t)i + 1);
    }
    video_close(&v);
    for (int i = 0; i < N; i++) {
        client_wait_for_end(&clients[i]);
        assert_true(event_reader_is_whole(&clients[i].seen));
        assert_int_equal(clients[i].seen.count, 1 + N - i); // and nothing more
    }
    end();
    assert_int_equal(counter_get(&counters.delivered), N * (N + 1) / 2);
    assert_int_equal(counter_get(&counters.gaps), 0);
}

// How many workers one comment wakes. All clients are this video's.
static unsigned wakeups_of_one_comment(struct video *v) {
    unsigned long long before = counter_get(&counters.wakeups);
    publish(v);
    for (int i = 0; i < client_count; i++) client_wait_for_events(&clients[i], 1 + v->newest - joined_at[i]);
    return (unsigned)(counter_get(&counters.wakeups) - before);
}

static void a_video_wakes_one_more_worker_for_every_spread_of_viewers(void **state) {
    (void)state;
    struct video v;
    start(3, HEARTBEAT_MS, STALL_MS);
    video_open(&v, 1);
    for (unsigned wakeups = 1; wakeups <= 3; wakeups++) {
        for (int i = 0; i < FAN_SPREAD; i++) add(&v);
        assert_int_equal(wakeups_of_one_comment(&v), wakeups);
    }
    for (int i = 0; i < 2 * FAN_SPREAD; i++) add(&v);
    assert_int_equal(wakeups_of_one_comment(&v), 3); // there are no more
    video_close(&v);
    end();
}

// With descriptor tables of their own

// As if a descriptor table had room for this many.
static void start_with_own_descriptors(unsigned workers, rlim_t limit) {
    struct rlimit was, low;
    skip_if_one_table_is_known();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    low = (struct rlimit){.rlim_cur = limit, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    own_descriptors = true;
    start(workers, HEARTBEAT_MS, STALL_MS);
    own_descriptors = false;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}

static void workers_fill_evenly_and_then_there_are_more(void **state) {
    enum { WORKERS = 2, LIMIT = 66, ROOM = LIMIT - 16, VIDEOS_MAX = CLIENTS_MAX };
    (void)state;
    static struct video v[VIDEOS_MAX];
    unsigned videos = 0, at_first;
    start_with_own_descriptors(WORKERS, LIMIT);
    at_first = threads();
    for (; videos < WORKERS * ROOM; videos++) {
        video_open(&v[videos], videos + 1);
        add(&v[videos]);
        assert_int_equal(threads(), at_first); // had one been full before the other, there would be more
    }
    video_open(&v[videos], videos + 1);
    add(&v[videos++]);
    assert_int_equal(threads(), at_first + WORKERS);
    for (unsigned i = 0; i < videos; i++) publish(&v[i]);
    for (unsigned i = 0; i < videos; i++) {
        client_wait_for_events(&clients[i], 2);
        assert_run(&clients[i], &v[i], 0);
    }
    for (unsigned i = 0; i < videos; i++) video_close(&v[i]);
    for (unsigned i = 0; i < videos; i++) client_wait_for_end(&clients[i]); // no copy is left open anywhere
    end();
}

// Reads how many descriptors each worker's table has; returns how many workers there are.
static unsigned descriptors_of_workers(unsigned counts[], unsigned most) {
    DIR *dir = opendir("/proc/self/task");
    unsigned workers = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char path[300];
        if (e->d_name[0] == '.' || strtol(e->d_name, NULL, 10) == getpid()) continue;
        assert_true(workers < most);
        snprintf(path, sizeof path, "/proc/self/task/%s/fd", e->d_name);
        counts[workers++] = entries_of(path);
    }
    closedir(dir);
    return workers;
}

static void a_video_begins_on_the_worker_with_the_fewest_viewers(void **state) {
    enum { WORKERS = 3, EACH = 5, VIDEOS = 9 };
    static const int viewers[VIDEOS] = {EACH, 1, 3, 1, 1, 1, 1, 1, 1};
    (void)state;
    struct video v[VIDEOS];
    unsigned empty[WORKERS], full[WORKERS];
    start_with_own_descriptors(WORKERS, 66);
    assert_int_equal(descriptors_of_workers(empty, WORKERS), WORKERS);
    for (unsigned i = 0; i < VIDEOS; i++) {
        video_open(&v[i], i + 1);
        for (int n = 0; n < viewers[i]; n++) add(&v[i]);
    }
    for (int i = 0; i < client_count; i++) client_wait_for_events(&clients[i], 1);
    assert_int_equal(client_count, WORKERS * EACH);
    assert_int_equal(descriptors_of_workers(full, WORKERS), WORKERS);
    for (int i = 0; i < WORKERS; i++) assert_int_equal(full[i] - empty[i], EACH);
    for (unsigned i = 0; i < VIDEOS; i++) video_close(&v[i]);
    end();
}

static int clock_stands(void **state) {
    (void)state;
    moved_clock_stand();
    return 0;
}

static int clock_runs(void **state) {
    (void)state;
    moved_clock_run();
    return 0;
}

// Whether it is taken. If not, its socket and first bytes are still ours.
static bool is_taken(struct video *v, struct socket_pair sockets) {
    struct frame *head = hello_frame();
    struct pending *pending = pending_with(&head, 1);
    struct sink sink = test_sink(sockets.server);
    bool taken = fan_video_add(v->fan, &sink, 0, pending);
    if (!taken) {
        pending_free(pending);
        free(sink.state);
    }
    v->added += taken;
    return taken;
}

static bool is_taken_without_descriptors(struct video *v, struct socket_pair sockets) {
    struct rlimit was, low;
    int next = dup(0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    low = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    bool taken = is_taken(v, sockets);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    return taken;
}

// Each attempt delays the control loop: after one that failed, the next comes a second later.
static void a_worker_that_could_not_be_started_is_retried_later(void **state) {
    enum { LIMIT = 66, ROOM = LIMIT - 16, AGAIN_MS = 1000 };
    (void)state;
    struct video v;
    start_with_own_descriptors(1, LIMIT);
    unsigned at_first = threads();
    video_open(&v, 1);
    for (int i = 0; i < ROOM; i++) add(&v);
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    assert_false(is_taken_without_descriptors(&v, sockets));
    assert_false(is_taken(&v, sockets)); // there are some again, but it is too early to try
    run_later(control, AGAIN_MS - 1);
    assert_false(is_taken(&v, sockets));
    assert_int_equal(threads(), at_first);
    run_later(control, 1);
    assert_true(is_taken(&v, sockets));
    assert_int_equal(threads(), at_first + 1);
    assert_int_equal(fan_video_viewers(v.fan), ROOM + 1);
    clients[client_count++] = (struct client){.fd = sockets.client};
    client_wait_for_events(&clients[ROOM], 1);
    video_close(&v);
    end();
}

static void a_large_video_continues_on_workers_with_room(void **state) {
    enum { WORKERS = 2, LIMIT = 66, N = 3 * (LIMIT - 16) };
    (void)state;
    struct video v;
    start_with_own_descriptors(WORKERS, LIMIT);
    video_open(&v, 1);
    for (int i = 0; i < N; i++) {
        add(&v);
        publish(&v);
    }
    for (int i = 0; i < N; i++) {
        client_wait_for_events(&clients[i], 1 + v.newest - joined_at[i]);
        assert_run(&clients[i], &v, joined_at[i]);
        client_close(&clients[i]);
    }
    run_until(control, all_have_left, &v);
    add(&v); // there is room again
    publish(&v);
    client_wait_for_events(&clients[N], 2);
    video_close(&v);
    end();
}

static void videos_do_not_get_each_others_frames(void **state) {
    (void)state;
    struct video a, b;
    start(2, HEARTBEAT_MS, STALL_MS);
    video_open(&a, 1);
    video_open(&b, 2);
    add(&a);
    add(&b);
    publish(&a);
    publish(&b);
    publish(&a);
    client_wait_for_events(&clients[0], 3);
    client_wait_for_events(&clients[1], 2);
    video_close(&a); // b goes on
    publish(&b);
    client_wait_for_events(&clients[1], 3);
    client_wait_for_end(&clients[0]);
    assert_string_equal(event_reader_text(&clients[0].seen), "hello 1-1 1-2");
    assert_string_equal(event_reader_text(&clients[1].seen), "hello 2-1 2-2");
    video_close(&b);
    end();
}

static void each_viewer_that_leaves_is_reported_once(void **state) {
    enum { N = 100 };
    (void)state;
    struct video v;
    start(2, HEARTBEAT_MS, STALL_MS);
    video_open(&v, 1);
    for (int i = 0; i < N; i++) add(&v);
    for (int i = 0; i < N; i += 2) client_close(&clients[i]);
    publish(&v);
    for (int i = 1; i < N; i += 2) client_wait_for_events(&clients[i], 2);
    for (int i = 1; i < N; i += 2) client_close(&clients[i]);
    run_until(control, all_have_left, &v);
    assert_int_equal(v.left, N);
    assert_int_equal(fan_video_viewers(v.fan), 0);
    struct client *later = add(&v); // on a channel of its own
    publish(&v);
    client_wait_for_events(later, 2);
    assert_string_equal(event_reader_text(&later->seen), "hello 1-2");
    client_close(later);
    run_until(control, all_have_left, &v);
    video_close(&v);
    end();
}

static void freeing_a_video_closes_its_viewers_without_a_callback(void **state) {
    enum { N = 100 };
    (void)state;
    struct video v;
    start(2, HEARTBEAT_MS, STALL_MS);
    video_open(&v, 1);
    for (int i = 0; i < N; i++) add(&v);
    for (int i = 0; i < N; i += 2) client_close(&clients[i]); // their notification may be on its way
    for (int i = 0; i < 5; i++) publish(&v);
    video_close(&v);
    for (int i = 1; i < N; i += 2) {
        client_wait_for_end(&clients[i]);
        assert_run(&clients[i], &v, 0);
    }
    run_turns(control, 1); // on_left() checks it
    end();
}

// The end comes in the middle of work: with orders that wait, frames to be flushed, viewers that lag.
static void freed_with_traffic(void **state) {
    enum { VIDEOS = 20, EACH = 10 };
    (void)state;
    struct video v[VIDEOS];
    start(4, HEARTBEAT_MS, STALL_MS);
    for (uint64_t i = 0; i < VIDEOS; i++) {
        video_open(&v[i], i + 1);
        for (int n = 0; n < EACH; n++) add_with(&v[i], socket_pair_open(SOCKETPAIR, n % 2 ? 4096 : 0));
        for (int n = 0; n < 200; n++) publish(&v[i]);
    }
    for (int i = 0; i < client_count; i += 3) client_close(&clients[i]);
    for (int i = 0; i < VIDEOS; i++) video_close(&v[i]);
    fanout_free(fanout);
    for (int i = 0; i < client_count; i++) {
        if (clients[i].fd < 0) continue;
        client_wait_for_end(&clients[i]);
        assert_run(&clients[i], &v[i / EACH], 0);
        client_close(&clients[i]);
    }
    loop_free(control);
}

static void new_bounds_reach_the_workers_and_what_is_due_already(void **state) {
    (void)state;
    struct video v, later;
    start(2, 3600000, STALL_MS);
    video_open(&v, 1);
    struct client *c = add(&v);
    client_wait_for_events(c, 1); // its heartbeat is due in an hour
    fanout_set_bounds(
        fanout, &(struct fan_bounds){
                    .ring_frames = 4096, .ring_bytes = 8 << 20, .heartbeat_ms = 1, .stall_ms = STALL_MS});
    wait_for_heartbeats(c, 2);
    video_open(&later, 2);
    wait_for_heartbeats(add(&later), 1);
    video_close(&v);
    video_close(&later);
    end();
}

// A notification of a freed channel must not be taken for one of the next channel at the same address.
static void a_late_notification_of_a_freed_video_reaches_no_other(void **state) {
    enum { N = 64, FIRST_LATER = N + 1 };
    (void)state;
    static struct video early[N], later[N], beat;
    start(1, 1, STALL_MS);
    for (uint64_t i = 0; i < N; i++) {
        video_open(&early[i], i + 1);
        add(&early[i]);
    }
    video_open(&beat, 1000);
    struct client *pulse = add(&beat); // last in the worker's sweeps
    for (int i = 0; i < N; i++) client_close(&clients[i]);
    client_read(pulse, SIZE_MAX);
    wait_for_heartbeats(pulse, 3); // so it has been reported that they left; the control loop has not run
    for (int i = 0; i < N; i++) video_close(&early[i]);
    wait_for_heartbeats(pulse, 2); // so their channels are gone
    for (uint64_t i = 0; i < N; i++) {
        video_open(&later[i], 2000 + i);
        add(&later[i]);
    }
    run_turns(control, 1);
    for (int i = 0; i < N; i++) {
        assert_int_equal(later[i].left, 0);
        assert_int_equal(fan_video_viewers(later[i].fan), 1);
        publish(&later[i]);
    }
    for (int i = 0; i < N; i++) client_wait_for_events(&clients[FIRST_LATER + i], 2);
    for (int i = 0; i < N; i++) video_close(&later[i]);
    video_close(&beat);
    end();
}

static void a_stalled_viewer_is_closed_and_delays_no_other(void **state) {
    (void)state;
    struct video v;
    start(1, HEARTBEAT_MS, 1);
    video_open(&v, 1);
    add_with(&v, socket_pair_open(SOCKETPAIR, 4096));
    add(&v);
    for (size_t n = 1; n <= 100; n++) {
        publish(&v);
        client_wait_for_events(&clients[1], 1 + n);
    }
    while (!v.left) run_turns(control, 1); // no read before it is closed: reading would be progress
    client_wait_for_end(&clients[0]);
    assert_int_equal(v.left, 1);
    assert_int_equal(counter_get(&counters.stalled), 1);
    assert_int_equal(fan_video_viewers(v.fan), 1);
    assert_run(&clients[0], &v, 0);
    assert_run(&clients[1], &v, 0);
    video_close(&v);
    end();
}

static void without_descriptors_it_returns_an_error(void **state) {
    (void)state;
    struct rlimit limit, low;
    int error = 0, next = dup(0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    control = loop_new(); // two descriptors, as each worker needs
    low = (struct rlimit){.rlim_cur = (rlim_t)next + 2 + 2 + 1, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct fanout *f = fanout_new(control, &(struct fanout_config){.workers = 4}, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_null(f);
    assert_int_equal(error, -EMFILE);
    loop_free(control);
}

// All kinds of steps in random order.

enum { VIDEOS = 4, STEPS = 3000 };
static struct video videos[VIDEOS];

static struct place {
    int video;         // -1: not open
    struct video then; // the video as it was when it was added
} places[CLIENTS_MAX];

static void add_viewer(int video) {
    if (client_count == CLIENTS_MAX) return;
    places[client_count] = (struct place){.video = video, .then = videos[video]};
    add(&videos[video]);
}

static void look_at(int i) {
    client_read(&clients[i], SIZE_MAX);
    assert_run(&clients[i], &places[i].then, places[i].then.newest);
}

static void close_client(int i) {
    if (places[i].video < 0) return;
    look_at(i);
    client_close(&clients[i]);
    places[i].video = -1;
}

static void reopen_video(int video) {
    uint64_t epoch = videos[video].epoch + VIDEOS;
    video_close(&videos[video]);
    for (int i = 0; i < client_count; i++) {
        if (places[i].video != video) continue;
        client_wait_for_end(&clients[i]);
        close_client(i);
    }
    video_open(&videos[video], epoch);
}

static void do_something(void) {
    int video = (int)dice(dice_one_in(2) ? 1 : VIDEOS); // the first one is large
    switch (dice(12)) {
    case 0:
    case 1: add_viewer(video); break;
    case 2:
        if (client_count) close_client((int)dice((uint64_t)client_count));
        break;
    case 3: run_turns(control, 1); break;
    case 4:
        if (dice_one_in(100)) reopen_video(video);
        break;
    case 5:
        for (int i = 0; i < client_count; i++)
            if (places[i].video >= 0) look_at(i);
        break;
    default: publish(&videos[video]); break;
    }
}

static void anything_at_any_time(void **state) {
    (void)state;
    dice_begin(__func__);
    start(4, HEARTBEAT_MS, STALL_MS);
    for (int i = 0; i < VIDEOS; i++) video_open(&videos[i], (uint64_t)i + 1);
    for (int i = 0; i < STEPS; i++) do_something();
    unsigned open = 0;
    for (int i = 0; i < client_count; i++) {
        if (places[i].video < 0) continue;
        const struct video *v = &videos[places[i].video];
        client_wait_for_events(&clients[i], 1 + v->newest - places[i].then.newest);
        close_client(i);
        open++;
    }
    assert_true(open > VIDEOS);
    for (int i = 0; i < VIDEOS; i++) {
        run_until(control, all_have_left, &videos[i]);
        assert_int_equal(fan_video_viewers(videos[i].fan), 0);
        video_close(&videos[i]);
    }
    end();
    assert_int_equal(counter_get(&counters.gaps), 0);
    assert_int_equal(counter_get(&counters.stalled), 0);
}

static void the_latest_moment_reaches_viewers_on_every_worker(void **state) {
    (void)state;
    enum { VIEWERS = FAN_SPREAD + 2 };
    struct video v;
    start(2, 60000, 60000);
    video_open(&v, 1);
    fan_video_publish_moment(v.fan, 2, frame_of_event((struct position){0}, "now", "before", 6));
    asks = 2;
    for (int i = 0; i < VIEWERS; i++) add(&v); // some on a worker that the video had not been on
    asks = 0;
    struct client *other = add(&v);
    for (int i = 0; i < VIEWERS; i++) client_wait_for_events(&clients[i], 2);
    fan_video_publish_moment(v.fan, 2, frame_of_event((struct position){0}, "now", "after", 5));
    for (int i = 0; i < VIEWERS; i++) {
        client_wait_for_events(&clients[i], 3);
        assert_string_equal(client_text(&clients[i]), "hello now=before now=after");
    }
    assert_string_equal(client_text(other), "hello");
    video_close(&v);
    end();
}

// Such as viewers of two videos on one connection.
static void a_sink_that_lives_on_a_worker_stays_there(void **state) {
    (void)state;
    struct video v[2];
    start(4, 60000, 60000);
    for (int i = 0; i < 2; i++) {
        video_open(&v[i], (uint64_t)i + 1);
        struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
        struct frame *head = hello_frame();
        struct sink sink = test_sink(sockets.server);
        sink.worker = 3;
        clients[client_count++] = (struct client){.fd = sockets.client, .server_fd = sockets.server};
        assert_true(fan_video_add(v[i].fan, &sink, 0, pending_with(&head, 1)));
        v[i].added++;
    }
    for (int i = 0; i < 2; i++) client_wait_for_events(&clients[i], 1);
    struct sink nowhere = {.fd = -1, .worker = 4};
    assert_false(fan_video_add(v[0].fan, &nowhere, 0, NULL));
    for (int i = 0; i < 2; i++) video_close(&v[i]);
    end();
}

static void a_video_that_is_over_ends_all_its_streams(void **state) {
    (void)state;
    struct video v;
    start(2, 60000, 60000);
    video_open(&v, 1);
    for (int i = 0; i < FAN_SPREAD + 2; i++) add(&v);
    publish(&v);
    fan_video_end(v.fan);
    add(&v); // late
    for (int i = 0; i < client_count; i++) {
        client_wait_for_end(&clients[i]);
        assert_int_equal(clients[i].chunks.over, test_framing() == SINK_CHUNKED);
    }
    run_until(control, all_have_left, &v);
    video_close(&v);
    end();
}

static void the_turns_of_all_workers_are_counted(void **state) {
    (void)state;
    struct video v;
    start(2, 60000, 60000);
    video_open(&v, 1);
    for (int i = 0; i < FAN_SPREAD + 2; i++) add(&v); // on both
    for (int i = 0; i < client_count; i++) client_wait_for_events(&clients[i], 1);
    uint64_t before = fanout_lag(fanout).turns;
    publish(&v);
    for (int i = 0; i < client_count; i++) client_wait_for_events(&clients[i], 2);
    publish(&v); // its turn comes after that of the first
    for (int i = 0; i < client_count; i++) client_wait_for_events(&clients[i], 3);
    struct loop_lag lag = fanout_lag(fanout);
    assert_true(lag.turns >= before + 2);
    assert_true(lag.longest_us <= lag.busy_us);
    video_close(&v);
    end();
}

int main(void) {
    threads_without_workers = threads();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_viewer_gets_what_is_published_after_it_was_added),
        cmocka_unit_test(a_video_wakes_one_more_worker_for_every_spread_of_viewers),
        cmocka_unit_test(workers_fill_evenly_and_then_there_are_more),
        cmocka_unit_test(a_video_begins_on_the_worker_with_the_fewest_viewers),
        cmocka_unit_test_setup_teardown(a_worker_that_could_not_be_started_is_retried_later, clock_stands,
                                        clock_runs),
        cmocka_unit_test(a_large_video_continues_on_workers_with_room),
        cmocka_unit_test(videos_do_not_get_each_others_frames),
        cmocka_unit_test(each_viewer_that_leaves_is_reported_once),
        cmocka_unit_test(freeing_a_video_closes_its_viewers_without_a_callback),
        cmocka_unit_test(freed_with_traffic),
        cmocka_unit_test(new_bounds_reach_the_workers_and_what_is_due_already),
        cmocka_unit_test(a_late_notification_of_a_freed_video_reaches_no_other),
        cmocka_unit_test(a_stalled_viewer_is_closed_and_delays_no_other),
        cmocka_unit_test(without_descriptors_it_returns_an_error),
        cmocka_unit_test(anything_at_any_time),
        cmocka_unit_test(the_latest_moment_reaches_viewers_on_every_worker),
        cmocka_unit_test(a_sink_that_lives_on_a_worker_stays_there),
        cmocka_unit_test(a_video_that_is_over_ends_all_its_streams),
        cmocka_unit_test(the_turns_of_all_workers_are_counted),
    };
    moved_clock.real = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
