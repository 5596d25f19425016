// A worker's turns, on its real thread. The program's sendmsg() is this one: it notes which sockets are
// written to, and can hold the worker at one viewer while the test gives orders, so that what comes in one
// turn is no chance. The clock stands still: unless a test moves it, no pace puts a flush off; no sweep comes
// between.
#include "unit.h"

#include <semaphore.h>

#include "app/process.h"
#include "base/mem.h"
#include "entries.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/pending.h"
#include "fanout/worker.h"
#include "run_loop.h"
#include "socket_pairs.h"
#include "stream_client.h"

enum { HOT = 1200, SENDS_MAX = 8 * HOT, COALESCE_MS = 200 };

static struct loop *control;
static struct worker *worker;
static struct fan_counters counters;
static struct ledger ledger = {.counters = &counters, .refs = 1};
static unsigned retired;

// The worker's thread writes until it has stopped, or is held.
static struct {
    int to[SENDS_MAX];
    unsigned count;
} sends;

static _Atomic int hold_at = -1; // a descriptor
static sem_t is_held, may_go_on;
static _Atomic int costly = -1; // a descriptor; the next send to it takes so long:
static _Atomic int cost_ms;
static _Atomic size_t large = SIZE_MAX; // each send of so many bytes takes a millisecond

// Not an assertion of cmocka's: it would jump onto another thread's stack.
static void note(int fd) {
    if (sends.count == SENDS_MAX) {
        fputs("more is sent than the test can note\n", stderr);
        abort();
    }
    sends.to[sends.count++] = fd;
}

static size_t bytes_of(const struct msghdr *msg) {
    size_t sum = 0;
    for (size_t i = 0; i < msg->msg_iovlen; i++) sum += msg->msg_iov[i].iov_len;
    return sum;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags) {
    note(fd);
    if (bytes_of(msg) >= large) moved_clock_work(1);
    if (fd == costly) {
        costly = -1;
        moved_clock_work(cost_ms);
    }
    if (fd == hold_at) {
        hold_at = -1;
        sem_post(&is_held);
        while (sem_wait(&may_go_on) < 0) continue;
    }
    return syscall(SYS_sendmsg, fd, msg, flags);
}

static void on_left(void *arg, void *owner, uint32_t n) {
    (void)arg, (void)owner, (void)n;
}

static void on_retired(void *arg, void *owner) {
    (void)arg, (void)owner;
    retired++;
}

// A video of the test, and its viewers.
struct video {
    struct channel *channel;
    uint64_t epoch, newest;
    struct client clients[HOT];
    int count;
};

// Adds a viewer that has missed a replay; NULL: nothing.
static void add_behind(struct video *v, struct replay *missed) {
    struct client *c = &v->clients[v->count++];
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    struct frame *head = hello_frame();
    struct pending *p = pending_with(&head, 1);
    if (missed) pending_add_replay(p, replay_ref(missed), 0);
    *c = (struct client){.fd = sockets.client, .server_fd = sockets.server};
    worker_post(worker, &(struct worker_command){.verb = WORKER_ADD,
                                                 .channel = v->channel,
                                                 .sink = test_sink(sockets.server),
                                                 .pending = p});
}

static void add(struct video *v) {
    add_behind(v, NULL);
}

// Returns once all have been sent their first event.
static void open_video(struct video *v, uint64_t epoch, int viewers) {
    *v = (struct video){.epoch = epoch, .channel = mem_alloc(sizeof *v->channel)};
    channel_init(v->channel, worker_env(worker), &ledger, NULL);
    for (int i = 0; i < viewers; i++) add(v);
    for (int i = 0; i < viewers; i++) client_wait_for_events(&v->clients[i], 1);
}

static void publish(struct video *v) {
    worker_post(worker, &(struct worker_command){.verb = WORKER_PUBLISH,
                                                 .channel = v->channel,
                                                 .frame = comment_frame(v->epoch, ++v->newest)});
}

static void retire(struct video *v) {
    worker_post(worker, &(struct worker_command){.verb = WORKER_RETIRE, .channel = v->channel});
}

// Publishes, and returns once the worker stands before sending it to this viewer.
static void hold_the_worker(struct video *v, const struct client *at) {
    hold_at = at->server_fd;
    publish(v);
    while (sem_wait(&is_held) < 0) continue;
}

static void let_it_go_on(void) {
    sem_post(&may_go_on);
}

// From here to stop(), a test that waits for what never happens is ended by SIGALRM.
static void start(void) {
    int error;
    alarm(HANG_S);
    control = loop_new();
    counters = (struct fan_counters){0};
    sends.count = retired = 0;
    worker = worker_new(control,
                        &(struct worker_config){.bounds = {.ring_frames = 4096,
                                                           .ring_bytes = 8 << 20,
                                                           .heartbeat_ms = 60000,
                                                           .stall_ms = 60000,
                                                           .coalesce_us = COALESCE_MS * 1000},
                                                .listener = {.on_left = on_left, .on_retired = on_retired}},
                        &error);
    assert_non_null(worker);
}

static void release(void) {
    loop_drain(control);
    worker_free(worker);
    loop_free(control);
    alarm(0);
}

// Afterwards the worker has carried out all commands posted before, and the test may look at its state.
static void stop(void) {
    worker_stop(worker);
    release();
}

static unsigned sends_before(const struct client *c, unsigned from) {
    for (unsigned i = from; i < sends.count; i++)
        if (sends.to[i] == c->server_fd) return i - from;
    fail_msg("nothing was sent");
    return 0;
}

// While the worker is held, or after stop().
static unsigned sends_to(const struct client *c) {
    unsigned n = 0;
    for (unsigned i = 0; i < sends.count; i++) n += sends.to[i] == c->server_fd;
    return n;
}

static struct video hot, quiet, gate;

static void start_with(int hot_viewers) {
    start();
    open_video(&hot, 1, hot_viewers);
    open_video(&quiet, 2, 1);
}

static int close_clients(void **state) {
    struct video *const all[] = {&hot, &quiet, &gate};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (int n = 0; n < all[i]->count; n++) client_close(&all[i]->clients[n]);
        all[i]->count = 0;
    }
    return 0;
}

static void frames_of_one_turn_leave_in_one_send(void **state) {
    (void)state;
    start_with(1);
    hold_the_worker(&hot, &hot.clients[0]);
    unsigned before = sends.count;
    for (int i = 0; i < 5; i++) publish(&quiet);
    let_it_go_on();
    client_wait_for_events(&quiet.clients[0], 1 + 5);
    stop();
    assert_int_equal(sends.count, before + 1);
    assert_string_equal(client_text(&quiet.clients[0]), "hello 2-1 2-2 2-3 2-4 2-5");
}

// Both videos' comments are there at the beginning of the turn, the hot one's first.
static void a_video_with_few_viewers_does_not_wait_for_one_with_many(void **state) {
    (void)state;
    start_with(HOT);
    open_video(&gate, 3, 1);
    hold_the_worker(&gate, &gate.clients[0]);
    unsigned before = sends.count;
    publish(&hot);
    publish(&quiet);
    let_it_go_on();
    for (int i = 0; i < HOT; i++) client_wait_for_events(&hot.clients[i], 2);
    client_wait_for_events(&quiet.clients[0], 2);
    stop();
    assert_in_range(sends_before(&quiet.clients[0], before), 1, HOT / 2);
    assert_int_equal(sends.count, before + HOT + 1);
}

// The last one to join is served first.
static void a_command_is_taken_while_a_large_flush_is_under_way(void **state) {
    (void)state;
    start_with(HOT);
    hold_the_worker(&hot, &hot.clients[HOT - 1]);
    unsigned before = sends.count;
    publish(&quiet);
    let_it_go_on();
    for (int i = 0; i < HOT; i++) client_wait_for_events(&hot.clients[i], 2);
    client_wait_for_events(&quiet.clients[0], 2);
    stop();
    assert_in_range(sends_before(&quiet.clients[0], before), 1, HOT / 2);
}

// However many are behind, and however much they have missed.
static void a_comment_waits_for_one_portion_of_what_others_missed(void **state) {
    enum { STORM = 20, MISSED = 1000, PADDING = 300, PORTION = 1 << 16 };
    (void)state;
    if (test_is_scrambled()) skip(); // whose sends are small
    start_with(1);
    struct replay *missed = replay_new(MISSED);
    for (uint64_t seq = 1; seq <= MISSED; seq++) replay_add(missed, padded_frame(1, seq, PADDING));
    int first = hot.count;
    hold_the_worker(&quiet, &quiet.clients[0]);
    for (int i = 0; i < STORM; i++) add_behind(&hot, missed);
    large = PORTION;
    hold_at = hot.clients[first].server_fd;
    let_it_go_on();
    while (sem_wait(&is_held) < 0) continue;
    unsigned portion = sends.count - 1;
    publish(&quiet);
    let_it_go_on();
    client_wait_for_events(&quiet.clients[0], 3);
    stop();
    large = SIZE_MAX;
    assert_int_equal(sends.to[portion], hot.clients[first].server_fd);
    assert_int_equal(sends.to[portion + 1], quiet.clients[0].server_fd);
    assert_int_equal(missed->refs, 1);
    replay_unref(missed);
}

// Sends two comments to the hot video in a flush that takes so long, and returns with the worker held at the
// quiet one, after it.
static void flush_two_that_take(int ms) {
    hold_the_worker(&quiet, &quiet.clients[0]);
    for (int i = 0; i < 2; i++) publish(&hot);
    cost_ms = ms;
    costly = hot.clients[0].server_fd;
    let_it_go_on();
    hold_the_worker(&quiet, &quiet.clients[0]);
}

// Gives the hot video a comment more. Returns how often its viewer has been sent something once the worker
// has seen to it, or put it off, and is held at the quiet one again.
static unsigned sends_after_one_more(void) {
    publish(&hot);
    let_it_go_on();
    hold_the_worker(&quiet, &quiet.clients[0]);
    return sends_to(&hot.clients[0]);
}

// Only the expensive video waits, and the comments that it gets meanwhile leave in one send.
static void comments_are_coalesced_after_an_expensive_flush(void **state) {
    enum { COST_MS = 20 };
    (void)state;
    start_with(1);
    flush_two_that_take(COST_MS);
    unsigned at_once = sends_after_one_more();
    moved_clock.now_ms += COST_MS - 1;
    unsigned before_its_time = sends_after_one_more();
    moved_clock.now_ms += 1; // the worker reads the clock itself
    let_it_go_on();
    client_wait_for_events(&hot.clients[0], 1 + 4);
    stop();
    assert_int_equal(at_once, 2); // the first event, and the flush that cost much
    assert_int_equal(before_its_time, 2);
    assert_int_equal(sends_to(&hot.clients[0]), 3);
    assert_string_equal(client_text(&hot.clients[0]), "hello 1-1 1-2 1-3 1-4");
    assert_string_equal(client_text(&quiet.clients[0]), "hello 2-1 2-2 2-3 2-4");
}

static void nothing_is_held_back_after_a_cheap_flush(void **state) {
    (void)state;
    start_with(1);
    flush_two_that_take(0);
    unsigned at_once = sends_after_one_more();
    let_it_go_on();
    stop();
    assert_int_equal(at_once, 3);
}

static void a_video_may_end_while_it_is_flushed(void **state) {
    int served = 0;
    (void)state;
    start();
    open_video(&hot, 1, HOT);
    hold_the_worker(&hot, &hot.clients[HOT - 1]);
    publish(&hot); // waits behind the flush
    retire(&hot);
    let_it_go_on();
    for (int i = 0; i < HOT; i++) {
        struct client *c = &hot.clients[i];
        client_wait_for_end(c);
        assert_true(event_reader_is_whole(&c->seen));
        served += c->seen.count == 2;
    }
    stop();
    assert_in_range(served, 1, HOT / 2);
    assert_int_equal(retired, 1);
    assert_int_equal(counter_get(&counters.delivered), served);
}

static void stopping_closes_all_viewers(void **state) {
    (void)state;
    start_with(10);
    publish(&quiet);
    stop();
    assert_int_equal(retired, 2);
    for (int i = 0; i < 10; i++) {
        assert_string_equal(client_text(&hot.clients[i]), "hello");
        assert_true(hot.clients[i].ended);
    }
    client_text(&quiet.clients[0]);
    assert_true(quiet.clients[0].ended);
}

static void a_change_of_the_crowd_is_told_to_all_channels(void **state) {
    (void)state;
    start();
    worker_post(worker, &(struct worker_command){.verb = WORKER_RETRY, .more = 10000});
    worker_stop(worker);
    assert_int_equal(worker_env(worker)->crowd_ms, 10000);
    assert_int_equal(worker_env(worker)->retries_round, 1);
    release();
}

#define TEST(name) cmocka_unit_test_teardown(name, close_clients)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(frames_of_one_turn_leave_in_one_send),
        TEST(a_video_with_few_viewers_does_not_wait_for_one_with_many),
        TEST(a_command_is_taken_while_a_large_flush_is_under_way),
        TEST(a_comment_waits_for_one_portion_of_what_others_missed),
        TEST(comments_are_coalesced_after_an_expensive_flush),
        TEST(nothing_is_held_back_after_a_cheap_flush),
        TEST(a_video_may_end_while_it_is_flushed),
        TEST(stopping_closes_all_viewers),
        TEST(a_change_of_the_crowd_is_told_to_all_channels),
    };
    process_raise_descriptor_limit();
    sem_init(&is_held, 0, 0);
    sem_init(&may_go_on, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
