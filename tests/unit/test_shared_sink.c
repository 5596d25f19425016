// Viewers whose sinks are streams of one connection (shared_sink.h), on real workers with the real clock. The
// streams are in different videos.
#include "unit.h"

#include <poll.h>

#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/fanout.h"
#include "run_loop.h"
#include "shared_sink.h"
#include "socket_pairs.h"
#include "stream_client.h"
#include "entries.h"

enum { WORKERS = 3, STREAMS = 3 };

static struct loop *control;
static struct fanout *fanout;
static struct fan_counters counters;
static struct ledger ledger = {.counters = &counters, .refs = 1};
static struct shared_conn conn;
static int peer;

static struct {
    struct fan_video *fan;
    uint64_t newest;
    unsigned left;
} videos[STREAMS];

// What the peer has received.
static struct {
    uint8_t frame[SHARED_HEAD + SHARED_MOST];
    size_t len;
    struct event_reader seen[STREAMS];
    enum shared_kind end[STREAMS]; // SHARED_DATA: none yet
    bool ended;
} got;

static void on_left(void *arg) {
    ++*(unsigned *)arg;
}

static int begin_with(int buffer_bytes) {
    int error;
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, buffer_bytes);
    counters = (struct fan_counters){0};
    control = loop_new();
    fanout = fanout_new(
        control,
        &(struct fanout_config){
            .workers = WORKERS,
            .bounds = {.ring_frames = 4096, .ring_bytes = 8 << 20, .heartbeat_ms = 60000, .stall_ms = 60000}},
        &error);
    if (!fanout) return error;
    shared_conn_init(&conn, sockets.server);
    peer = sockets.client;
    memset(&got, 0, sizeof got);
    for (int i = 0; i < STREAMS; i++) {
        videos[i].newest = videos[i].left = 0;
        videos[i].fan = fan_video_new(fanout, &ledger, "v1", on_left, &videos[i].left);
    }
    alarm(HANG_S);
    return 0;
}

static int begin(void **state) {
    (void)state;
    return begin_with(0);
}

static int begin_slow(void **state) {
    (void)state;
    return begin_with(4096);
}

// Afterwards what the workers have noted may be looked at.
static void stop(void) {
    for (int i = 0; i < STREAMS; i++) fan_video_free(videos[i].fan, FAN_END_STOPPING);
    fanout_free(fanout);
    fanout = NULL;
}

static int end(void **state) {
    (void)state;
    if (fanout) stop();
    for (int i = 0; i < STREAMS; i++) event_reader_release(&got.seen[i]);
    shared_conn_release(&conn);
    if (peer >= 0) close(peer);
    loop_free(control);
    alarm(0);
    return 0;
}

static void add(uint8_t stream) {
    struct frame *head = hello_frame();
    struct sink sink = shared_sink(&conn, stream);
    assert_true(fan_video_add(videos[stream].fan, &sink, 0, pending_with(&head, 1)));
}

static void add_all(void) {
    for (uint8_t i = 0; i < STREAMS; i++) add(i);
}

static void publish(int video) {
    fan_video_publish(videos[video].fan, comment_frame((uint64_t)video + 1, ++videos[video].newest));
}

static void peer_take(void) {
    uint8_t stream = got.frame[0];
    assert_in_range(stream, 0, STREAMS - 1);
    assert_int_equal(got.end[stream], SHARED_DATA); // nothing follows the end
    if (got.frame[1] == SHARED_DATA)
        event_reader_add(&got.seen[stream], (char *)got.frame + SHARED_HEAD, got.len - SHARED_HEAD);
    else
        got.end[stream] = got.frame[1];
    got.len = 0;
}

// Waits for something to read, and takes at most a frame.
static void peer_read(void) {
    poll(&(struct pollfd){.fd = peer, .events = POLLIN}, 1, 1000 * HANG_S);
    size_t size = SHARED_HEAD;
    if (got.len >= SHARED_HEAD) size += (size_t)got.frame[2] << 8 | got.frame[3];
    ssize_t n = recv(peer, got.frame + got.len, size - got.len, MSG_DONTWAIT);
    got.ended = n <= 0;
    if (n <= 0) return;
    got.len += (size_t)n;
    if (got.len < SHARED_HEAD) return;
    if (got.len == SHARED_HEAD + ((size_t)got.frame[2] << 8 | got.frame[3])) peer_take();
}

static void wait_for_events(int stream, size_t events) {
    while (got.seen[stream].count < events) {
        assert_false(got.ended);
        peer_read();
    }
}

static void wait_for_end(int stream) {
    while (!got.end[stream]) {
        assert_false(got.ended);
        peer_read();
    }
}

static void peer_send(uint8_t stream, enum shared_kind kind) {
    assert_int_equal(send(peer, (uint8_t[]){stream, (uint8_t)kind}, 2, 0), 2);
}

static bool has_left(void *arg) {
    return *(unsigned *)arg > 0;
}

static void wait_until_left(int stream) {
    run_until(control, has_left, &videos[stream].left);
    alarm(HANG_S);
    assert_int_equal(fan_video_viewers(videos[stream].fan), 0);
}

static void streams_begun_in_one_turn_are_on_one_worker(void **state) {
    (void)state;
    add_all();
    assert_in_range(conn.worker, 0, WORKERS - 1);
    for (int i = 0; i < STREAMS; i++) publish(i);
    for (int i = 0; i < STREAMS; i++) wait_for_events(i, 2);
    assert_string_equal(event_reader_text(&got.seen[0]), "hello 1-1");
    assert_string_equal(event_reader_text(&got.seen[2]), "hello 3-1");
    stop();
    assert_int_equal(conn.on_other_loops, 0);
    assert_int_equal(conn.refused, 0);
}

// The socket is full with one stream's frame: the others go on when it is empty.
static void blocked_streams_go_on(void **state) {
    enum { EACH = 300 };
    (void)state;
    add_all();
    for (int n = 0; n < EACH; n++)
        for (int i = 0; i < STREAMS; i++) publish(i);
    while (sem_wait(&conn.blocked) < 0) continue;
    for (int i = 0; i < STREAMS; i++) wait_for_events(i, 1 + EACH);
    for (int i = 0; i < STREAMS; i++) {
        for (size_t n = 1; n <= EACH; n++) {
            char id[POSITION_TEXT_SIZE];
            position_format(pos((uint64_t)i + 1, n), id);
            assert_string_equal(got.seen[i].events[n].id, id);
        }
    }
    assert_int_equal(counter_get(&counters.gaps), 0);
}

// Nothing happens on the socket itself but the peer's word.
static void a_window_that_opens_unblocks_its_stream(void **state) {
    (void)state;
    char large[SHARED_WINDOW];
    add_all();
    memset(large, 'x', sizeof large);
    fan_video_publish(videos[1].fan, frame_of_event(pos(2, 1), NULL, large, sizeof large));
    while (sem_wait(&conn.blocked) < 0) continue;
    publish(0); // another stream is not
    wait_for_events(0, 2);
    assert_int_equal(got.seen[1].count, 1);
    peer_send(1, SHARED_OPEN);
    wait_for_events(1, 2);
}

static void a_stream_that_the_peer_resets_is_closed_alone(void **state) {
    (void)state;
    add_all();
    for (int i = 0; i < STREAMS; i++) wait_for_events(i, 1);
    peer_send(1, SHARED_ABANDON);
    wait_for_end(1);
    assert_int_equal(got.end[1], SHARED_CUT);
    wait_until_left(1);
    publish(0);
    publish(2);
    wait_for_events(0, 2);
    wait_for_events(2, 2);
    stop();
    assert_int_equal(conn.closed_inside, 1);
}

static void a_half_closed_connection_goes_on(void **state) {
    (void)state;
    add_all();
    for (int i = 0; i < STREAMS; i++) wait_for_events(i, 1);
    shutdown(peer, SHUT_WR);
    for (int i = 0; i < STREAMS; i++)
        while (!got.seen[i].comments) peer_read(); // a heartbeat, to find out whether it reads
    publish(1);
    wait_for_events(1, 2);
}

static void a_closed_connection_closes_all_its_streams(void **state) {
    (void)state;
    add_all();
    for (int i = 0; i < STREAMS; i++) wait_for_events(i, 1);
    close(peer);
    peer = -1;
    for (int i = 0; i < STREAMS; i++) wait_until_left(i);
    videos[0].left = 0;
    add(0); // too late
    wait_until_left(0);
    stop();
    assert_int_equal(conn.closed_inside, STREAMS);
    assert_int_equal(conn.refused, 1);
    assert_int_equal(counter_get(&counters.refused), 1);
}

// One stream's write finds out that the connection is broken; the others are told in a job.
static void a_write_that_fails_ends_the_other_streams_too(void **state) {
    (void)state;
    add_all();
    for (int i = 0; i < STREAMS; i++) wait_for_events(i, 1);
    conn.to_break = true;
    publish(0);
    for (int i = 0; i < STREAMS; i++) wait_until_left(i);
    stop();
    assert_int_equal(conn.told_in_a_job, STREAMS - 1);
    assert_int_equal(conn.closed_inside, STREAMS - 1);
}

static void a_video_that_is_over_ends_its_stream_only(void **state) {
    (void)state;
    add_all();
    publish(1);
    fan_video_end(videos[1].fan);
    wait_for_end(1);
    assert_int_equal(got.end[1], SHARED_COMPLETE);
    assert_string_equal(event_reader_text(&got.seen[1]), "hello 2-1");
    publish(0);
    wait_for_events(0, 2);
    assert_int_equal(got.end[0], SHARED_DATA);
    stop();
    wait_for_end(0);
    assert_int_equal(got.end[0], SHARED_CUT);
}

#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(streams_begun_in_one_turn_are_on_one_worker, begin),
        TEST(blocked_streams_go_on, begin_slow),
        TEST(a_window_that_opens_unblocks_its_stream, begin),
        TEST(a_stream_that_the_peer_resets_is_closed_alone, begin),
        TEST(a_half_closed_connection_goes_on, begin),
        TEST(a_closed_connection_closes_all_its_streams, begin),
        TEST(a_write_that_fails_ends_the_other_streams_too, begin),
        TEST(a_video_that_is_over_ends_its_stream_only, begin),
    };
    moved_clock.real = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
