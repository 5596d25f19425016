// A reader between a fake engine, a fake fan-out and a placement that answers what the test says: how connect
// requests end, and the reason that the log gives for one that is refused.
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/log.h"
#include "fake_engine.h"
#include "fake_exchange.h"
#include "fake_fanout.h"
#include "engine/engine.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "reader/crowd.h"
#include "placement/reader_set.h"
#include "reader/connect.h"
#include "reader/history.h"
#include "reader/moments.h"
#include "reader/moves.h"
#include "reader/reader.h"
#include "reader/room_events.h"
#include "run_loop.h"

enum { JOIN_TIMEOUT_MS = 5000, SWEEP_MS = 250, RECHECK_MS = 2000 };

static const char own_url[] = "http://127.0.0.1:4001", other_url[] = "http://reader-2:4002";

static struct loop *loop;
static struct fake_engine *engine;
static struct engine_ops ops;
static struct reader *reader;
static struct history_budget budget;
static struct fake_exchange exchange;
static struct crowd crowd;
static int log_file, real_stderr;

// Placement

static placement_cb *placement_waiting;
static void *placement_arg;

static void placement_query(placement_cb *cb, void *arg) {
    assert_null(placement_waiting);
    placement_waiting = cb;
    placement_arg = arg;
}

void placement_register(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    (void)p;
    assert_string_equal(video, FAKE_VIDEO);
    placement_query(cb, arg);
}

// What a reader asks once a second about a video that it serves with others: answered before the next time.
static placement_cb *resolve_waiting;
static void *resolve_arg;

static void answer_resolve(const struct placement_answer *a) {
    placement_cb *cb = resolve_waiting;
    resolve_waiting = NULL;
    if (cb) cb(resolve_arg, a);
}

void placement_resolve(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    (void)p;
    assert_string_equal(video, FAKE_VIDEO);
    answer_resolve(
        &(struct placement_answer){.status = PLACEMENT_OK, .reader_url = other_url, .owner_url = other_url});
    resolve_waiting = cb;
    resolve_arg = arg;
}

void placement_confirm(struct placement *p, const char *video, bool may_assign, placement_cb *cb, void *arg) {
    (void)may_assign;
    placement_register(p, video, cb, arg);
}

bool placement_is_reader_host(struct placement *p, const char *host) {
    (void)p;
    (void)host;
    return false;
}

bool placement_is_leased(struct placement *p, const char *reader_url) {
    (void)p;
    (void)reader_url;
    return true;
}

bool placement_lease_has_ended(struct placement *p, const char *reader_url, uint64_t generation) {
    (void)p;
    (void)reader_url;
    (void)generation;
    return false;
}

static bool sends_on;

bool placement_sends_on(struct placement *p, const struct placement_answer *a, const char *video,
                        const char *reader_url, uint64_t viewers) {
    (void)p, (void)a, (void)viewers;
    assert_string_equal(video, FAKE_VIDEO);
    assert_string_equal(reader_url, own_url);
    return sends_on;
}

uint64_t placement_set_moves(struct placement *p, const struct reader_set *of, const char *video,
                             const char *reader_url, uint64_t viewers, struct hot_crowd *counted) {
    (void)p, (void)of, (void)video, (void)reader_url, (void)viewers, (void)counted;
    return 0;
}

bool placement_ready(struct placement *p) {
    (void)p;
    return true;
}

static struct readers readers;

const struct readers *placement_readers(const struct placement *p) {
    (void)p;
    return &readers;
}

// What the leases of this reader and of another one say; NULL: there is no other.
static void list_readers(const char *own_load, const char *other_load) {
    static int64_t now_ms = 1000;
    const struct engine_lease leases[] = {{.reader_url = own_url, .left_ms = 3000, .load = own_load},
                                          {.reader_url = other_url, .left_ms = 3000, .load = other_load}};
    readers_update(&readers, leases, other_load ? 2 : 1, now_ms += 500, 0);
}

static struct reader_set *set; // of the answers; NULL: there is none

static void have_set(const char *text) {
    reader_set_unref(set);
    set = text ? reader_set_read(&(struct engine_set){.generation = 1, .text = text}) : NULL;
    sends_on = false;
}

static void place(enum placement_status status, const char *reader_url) {
    placement_cb *cb = placement_waiting;
    assert_non_null(cb);
    placement_waiting = NULL;
    cb(placement_arg, &(struct placement_answer){.status = status,
                                                 .reader_url = reader_url,
                                                 .owner_url = reader_url,
                                                 .set = set,
                                                 .confirmed = true});
}

// The reader's lease

static engine_lease_cb *renewed;
static void *renewed_arg;

static void lease_renew(struct engine *e, const struct engine_lease *lease, int ttl_ms, engine_lease_cb *cb,
                        void *arg) {
    (void)e;
    (void)lease;
    (void)ttl_ms;
    renewed = cb;
    renewed_arg = arg;
}

static void lease_drop(struct engine *e, const char *reader_url, uint64_t generation, engine_done_cb *cb,
                       void *arg) {
    (void)e;
    (void)reader_url;
    (void)generation;
    (void)cb;
    (void)arg;
}

static void watch(struct engine *e, const char *const *videos, size_t count, bool watched) {
    (void)e;
    (void)videos;
    (void)count;
    (void)watched;
}

static struct engine_room room;

static void rooms_read(struct engine *e, const char *const *videos, size_t count, engine_rooms_cb *cb,
                       void *arg) {
    (void)e;
    assert_int_equal(count, 1);
    assert_string_equal(videos[0], FAKE_VIDEO);
    cb(arg, ENGINE_OK, &room);
}

// The counts of other readers, and changes of rooms

static struct engine_listener *listen_to(struct engine *e, const char *topic, engine_message_cb *cb,
                                         void *arg) {
    (void)e;
    (void)cb;
    (void)arg;
    if (strcmp(topic, "room") != 0 && strcmp(topic, "held") != 0 && strcmp(topic, "reactions") != 0 &&
        strcmp(topic, "shadowed") != 0 && strcmp(topic, "orders:http://127.0.0.1:4001") != 0)
        assert_string_equal(topic, "viewers:http://127.0.0.1:4001");
    return NULL;
}

static void unlisten(struct engine *e, struct engine_listener *l) {
    (void)e;
    (void)l;
}

// Another process has taken the reader's URL over.
static void lose_lease(void) {
    engine_lease_cb *cb = renewed;
    renewed = NULL;
    cb(renewed_arg, ENGINE_OK,
       &(struct engine_lease_answer){.outcome = LEASE_TAKEN, .stamp = 1, .instance_id = "reader-2"});
}

static void keep_lease(void) {
    engine_lease_cb *cb = renewed;
    renewed = NULL;
    if (cb)
        cb(renewed_arg, ENGINE_OK,
           &(struct engine_lease_answer){.outcome = LEASE_KEPT, .generation = 1, .instance_id = "reader-1"});
}

// Passes time in which the reader renews its lease.
static void run_with_lease(int ms) {
    for (keep_lease(); ms > 0; ms -= SWEEP_MS) {
        run_later(loop, SWEEP_MS);
        keep_lease();
    }
}

static int set_up(void **state) {
    (void)state;
    budget_set(1 << 20);
    loop = loop_new();
    engine = fake_engine_new();
    ops = *fake_engine(engine)->ops;
    ops.lease_renew = lease_renew;
    ops.lease_drop = lease_drop;
    ops.watch = watch;
    ops.rooms_read = rooms_read;
    ops.listen = listen_to;
    ops.unlisten = unlisten;
    fake_engine(engine)->ops = &ops;
    budget = (struct history_budget){.max = 1 << 19};
    placement_waiting = NULL;
    crowd = (struct crowd){.loop = loop, .most = 10, .connects = 1000};
    readers_init(&readers, NULL, 0);
    log_file = memfd_create("log", MFD_CLOEXEC);
    real_stderr = dup(STDERR_FILENO);
    log_set_level(LOG_WARN);
    dup2(log_file, STDERR_FILENO);
    reader = reader_new(loop, fake_engine(engine), NULL, NULL, &budget, NULL,
                        &(struct reader_config){.service.instance_id = "reader-1",
                                                .reader_url = own_url,
                                                .stall_ms = 30000,
                                                .unsubscribe_ms = 30000,
                                                .crowd = &crowd});
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    reader_stop(reader);
    if (placement_waiting) place(PLACEMENT_UNAVAILABLE, NULL);
    answer_resolve(&(struct placement_answer){.status = PLACEMENT_UNAVAILABLE});
    fake_engine_free(engine);
    if (renewed) renewed(renewed_arg, ENGINE_CLOSED, NULL);
    renewed = NULL;
    reader_free(reader);
    loop_free(loop);
    readers_release(&readers);
    fake_exchange_release(&exchange);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(log_file);
    log_set_level(LOG_ERROR);
    budget_set(SIZE_MAX);
    return budget.bytes || fake_fanout_videos();
}

static void connect_viewer_with(bool redirect, uint8_t asks) {
    assert_null(fake_request(&exchange, "GET /connect?userid=u1&videoid=" FAKE_VIDEO, "", NULL));
    reader_connect(
        reader, &exchange.exchange,
        &(struct connect_params){.userid = "u1", .videoid = FAKE_VIDEO, .redirect = redirect, .asks = asks});
}

static void connect_viewer_asking(uint8_t asks) {
    connect_viewer_with(true, asks);
}

static void connect_viewer(void) {
    connect_viewer_with(true, 0);
}

// One that another reader has redirected here.
static void connect_redirected(void) {
    assert_null(fake_request(&exchange, "GET /connect?userid=u1&videoid=" FAKE_VIDEO "&hop=0123456789abcdef",
                             "", NULL));
    reader_connect(reader, &exchange.exchange,
                   &(struct connect_params){.userid = "u1", .videoid = FAKE_VIDEO, .redirect = true});
}

// Connects a viewer of this reader's own video, which then waits for the feed.
static void wait_for_feed(void) {
    connect_viewer();
    place(PLACEMENT_OK, own_url);
    loop_drain(loop);
    assert_int_equal(exchange.end, FAKE_OPEN);
    fake_notify_subscribed(engine);
    assert_int_equal(fake_waiting(engine), 1);
}

static void assert_refused(const char *reason) {
    char text[1024] = "", line[256];
    snprintf(line, sizeof line,
             "level=warn role=reader-1 event=shed video=" FAKE_VIDEO " why=%s shed_so_far=1\n", reason);
    assert_int_equal(exchange.end, FAKE_ABORTED);
    assert_true(pread(log_file, text, sizeof text - 1, 0) > 0);
    if (!strstr(text, line)) fail_msg("expected \"%s\", logged \"%s\"", line, text);
}

static void a_viewer_of_a_video_of_this_reader_gets_a_stream(void **state) {
    (void)state;
    wait_for_feed();
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    assert_true(fake_fanout_has(FAKE_SINK));
}

static void a_viewer_that_asks_is_sent_the_count_with_its_first_bytes(void **state) {
    (void)state;
    connect_viewer_asking(1u << MOMENT_VIEWERS);
    place(PLACEMENT_OK, own_url);
    loop_drain(loop);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_string_equal(
        fake_fanout_text(FAKE_SINK),
        "{\"type\":\"connected\",\"userid\":\"u1\",\"videoid\":\"v1\",\"instance\":\"reader-1\"} "
        "viewers={\"type\":\"viewers\",\"viewers\":1}");
}

static void a_viewer_that_does_not_ask_is_sent_no_count(void **state) {
    (void)state;
    wait_for_feed();
    fake_answer(engine, 0);
    run_later(loop, 4 * SWEEP_MS);
    assert_null(strstr(fake_fanout_text(FAKE_SINK), "viewers"));
}

static void what_a_store_that_went_back_has_in_place_of_a_lost_room_is_published(void **state) {
    (void)state;
    room = (struct engine_room){.revision = 3, .frozen = true};
    connect_viewer_asking(1u << MOMENT_ROOM);
    place(PLACEMENT_OK, own_url);
    loop_drain(loop);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    run_with_lease(SWEEP_MS);
    assert_non_null(strstr(fake_fanout_text(FAKE_SINK), "\"frozen\":true"));
    room = (struct engine_room){.revision = 3, .hold = true};
    run_with_lease(ROOM_AGAIN_MS + 2 * SWEEP_MS);
    const char *again = strstr(fake_fanout_text(FAKE_SINK), "\"hold\":true");
    assert_non_null(again);
    assert_null(strstr(again + 1, "\"hold\"")); // the same one is published once
}

static void a_viewer_whose_sink_has_no_descriptor_gets_a_stream(void **state) {
    (void)state;
    wait_for_feed();
    exchange.has_no_socket = true;
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    assert_true(fake_fanout_has(-1));
}

static void a_viewer_that_waits_for_a_store_that_is_away_is_refused_with_store_away(void **state) {
    (void)state;
    wait_for_feed();
    run_later(loop, JOIN_TIMEOUT_MS - SWEEP_MS);
    assert_int_equal(exchange.end, FAKE_OPEN);
    run_later(loop, SWEEP_MS);
    assert_refused("store_away");
}

static void a_viewer_of_a_video_that_the_store_has_no_room_for_is_refused_with_too_many_videos(void **state) {
    (void)state;
    wait_for_feed();
    fake_fail(engine, 0, ENGINE_FULL);
    run_later(loop, JOIN_TIMEOUT_MS);
    assert_refused("too_many_videos");
}

static void a_viewer_that_waits_while_the_reader_stops_is_refused_with_stopping(void **state) {
    (void)state;
    wait_for_feed();
    reader_stop(reader);
    assert_refused("stopping");
}

static void a_viewer_that_waits_while_its_video_moves_is_refused_with_video_moved(void **state) {
    (void)state;
    wait_for_feed();
    lose_lease();
    place(PLACEMENT_OK, other_url);
    assert_refused("video_moved");
}

static void a_viewer_of_a_video_that_cannot_be_placed_is_refused_with_not_placed(void **state) {
    (void)state;
    connect_viewer();
    place(PLACEMENT_UNAVAILABLE, NULL);
    assert_refused("not_placed");
}

static void a_viewer_without_memory_for_it_is_refused_with_out_of_memory(void **state) {
    (void)state;
    budget_take(1 << 20);
    connect_viewer();
    budget_give_back(1 << 20);
    assert_refused("out_of_memory");
}

// Another process that had not seen yet that the reader was back may have reassigned it.
static void soon_after_its_start_a_reader_gives_up_a_video_that_was_reassigned(void **state) {
    (void)state;
    keep_lease();
    wait_for_feed();
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    run_with_lease(RECHECK_MS - SWEEP_MS);
    assert_null(placement_waiting);
    run_with_lease(2 * SWEEP_MS);
    place(PLACEMENT_OK, other_url);
    assert_false(fake_fanout_has(FAKE_SINK));
    run_with_lease(2 * RECHECK_MS);
    assert_null(placement_waiting); // once is enough
}

static void a_video_of_viewers_that_are_served_anywhere_is_not_rechecked(void **state) {
    (void)state;
    keep_lease();
    connect_viewer_with(false, 0);
    place(PLACEMENT_OK, own_url);
    loop_drain(loop);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    run_with_lease(RECHECK_MS + 2 * SWEEP_MS);
    assert_null(placement_waiting);
    assert_true(fake_fanout_has(FAKE_SINK));
}

// It rechecks soon after its start.
static void assert_they_stay_while(const char *owner_url) {
    for (int ms = 0; ms < 2 * RECHECK_MS; ms += SWEEP_MS) {
        run_with_lease(SWEEP_MS);
        if (placement_waiting) place(PLACEMENT_OK, owner_url);
    }
    assert_true(fake_fanout_has(FAKE_SINK));
}

// The owner was full, and would send them here again.
static void nor_is_one_of_viewers_that_were_sent_here(void **state) {
    (void)state;
    keep_lease();
    connect_redirected();
    place(PLACEMENT_OK, other_url);
    loop_drain(loop);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    assert_they_stay_while(other_url);
}

static void viewers_of_a_video_that_a_full_reader_has_by_now_leave_once_it_has_room(void **state) {
    (void)state;
    keep_lease();
    wait_for_feed();
    fake_answer(engine, 0);
    run_with_lease(RECHECK_MS + SWEEP_MS);
    list_readers("{}", "{\"most\":1}");
    readers.rows[1].viewers = 1;
    place(PLACEMENT_OK, other_url);
    for (int i = 0; i < 2; i++) {
        run_with_lease(5 * SWEEP_MS);
        place(PLACEMENT_OK, other_url);
    }
    run_with_lease(2 * SWEEP_MS);
    assert_true(fake_fanout_has(FAKE_SINK));
    readers.rows[1].viewers = 0;
    run_with_lease(4 * SWEEP_MS);
    place(PLACEMENT_OK, other_url);
    run_with_lease(SWEEP_MS);
    assert_false(fake_fanout_has(FAKE_SINK));
}

// A reader that drains

static void watch_as_own(void) {
    keep_lease();
    wait_for_feed();
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    run_with_lease(RECHECK_MS + 2 * SWEEP_MS);
    place(PLACEMENT_OK, own_url);
    run_with_lease(SWEEP_MS);
}

static void the_viewers_of_a_reader_that_drains_leave_once_others_are_to_have_them(void **state) {
    (void)state;
    watch_as_own();
    list_readers("{}", "{\"connects\":100}");
    reader_drain(reader, true);
    assert_non_null(renewed); // at once
    run_with_lease(2 * SWEEP_MS);
    assert_null(placement_waiting); // it would still have the video
    list_readers("{\"draining\":true}", "{\"connects\":100}");
    run_with_lease(SWEEP_MS);
    place(PLACEMENT_OK, other_url);
    run_with_lease(SWEEP_MS);
    assert_false(fake_fanout_has(FAKE_SINK));
}

static void a_recheck_leaves_those_alone_that_leave_at_a_pace(void **state) {
    (void)state;
    keep_lease();
    wait_for_feed();
    fake_answer(engine, 0);
    reader_drain(reader, true);
    run_with_lease(RECHECK_MS + SWEEP_MS);
    place(PLACEMENT_OK, other_url);
    assert_true(fake_fanout_has(FAKE_SINK));
}

static void without_another_reader_they_stay(void **state) {
    (void)state;
    watch_as_own();
    reader_drain(reader, true);
    list_readers("{\"draining\":true}", NULL);
    run_with_lease(8 * SWEEP_MS);
    assert_null(placement_waiting);
    assert_true(fake_fanout_has(FAKE_SINK));
}

static void those_whose_video_nobody_else_gets_are_asked_about_again(void **state) {
    (void)state;
    watch_as_own();
    reader_drain(reader, true);
    list_readers("{\"draining\":true}", "{}");
    run_with_lease(SWEEP_MS);
    place(PLACEMENT_OK, own_url); // a list that is older
    assert_null(placement_waiting);
    run_with_lease(5 * SWEEP_MS);
    place(PLACEMENT_UNAVAILABLE, NULL);
    assert_true(fake_fanout_has(FAKE_SINK));
    run_with_lease(5 * SWEEP_MS);
    place(PLACEMENT_OK, other_url);
    run_with_lease(SWEEP_MS);
    assert_false(fake_fanout_has(FAKE_SINK));
}

static void a_drain_that_is_called_off_leaves_the_rest(void **state) {
    (void)state;
    watch_as_own();
    reader_drain(reader, true);
    list_readers("{\"draining\":true}", "{}");
    run_with_lease(SWEEP_MS);
    reader_drain(reader, false);
    place(PLACEMENT_OK, other_url); // asked before
    run_with_lease(8 * SWEEP_MS);
    assert_null(placement_waiting);
    assert_true(fake_fanout_has(FAKE_SINK));
}

// Few a second leave, and it comes back: those that have left are sent here again, and would leave again.
static void a_move_ends_when_the_video_is_this_readers_again(void **state) {
    (void)state;
    watch_as_own();
    list_readers("{}", "{}");
    moves_start(reader, FAKE_VIDEO, MOVES_ALL, 0.3);
    place(PLACEMENT_OK, other_url);
    run_with_lease(6 * SWEEP_MS);
    place(PLACEMENT_UNAVAILABLE, NULL);
    run_with_lease(6 * SWEEP_MS);
    place(PLACEMENT_OK, own_url);
    run_with_lease(12 * SWEEP_MS);
    assert_null(placement_waiting);
    assert_true(fake_fanout_has(FAKE_SINK));
}

// So few leave, and it comes to serve the video with others.
static void a_move_ends_when_this_reader_is_one_of_the_set(void **state) {
    (void)state;
    watch_as_own();
    list_readers("{}", "{}");
    moves_start(reader, FAKE_VIDEO, MOVES_ALL, 0.3);
    place(PLACEMENT_OK, other_url);
    run_with_lease(6 * SWEEP_MS);
    have_set("http://reader-2:4002 http://127.0.0.1:4001");
    place(PLACEMENT_OK, other_url);
    have_set(NULL);
    run_with_lease(20 * SWEEP_MS);
    assert_null(placement_waiting);
    assert_true(fake_fanout_has(FAKE_SINK));
}

static void a_reader_that_drains_turns_those_away_that_are_not_redirected(void **state) {
    (void)state;
    keep_lease();
    reader_drain(reader, true);
    list_readers("{\"draining\":true}", "{}");
    connect_viewer_with(false, 0);
    place(PLACEMENT_OK, other_url);
    assert_refused("draining");
}

// A process that is full

static void fill(void) {
    keep_lease();
    crowd.most = 0;
}

// So that it is not served there for good: when that reader drains, it is redirected like the others.
static void a_viewer_too_many_is_sent_to_a_reader_of_another_process(void **state) {
    (void)state;
    fill();
    list_readers("{}", "{\"most\":9}");
    connect_viewer();
    place(PLACEMENT_OK, own_url);
    assert_int_equal(exchange.status, 307);
    assert_non_null(strstr(buf_string(&exchange.head),
                           "\r\nLocation: http://reader-2:4002/connect?userid=u1&videoid=" FAKE_VIDEO
                           "&hop="));
}

static void so_is_one_that_waited_while_others_came(void **state) {
    (void)state;
    keep_lease();
    list_readers("{}", "{\"most\":9}");
    wait_for_feed();
    crowd.most = 0;
    fake_answer(engine, 0);
    assert_int_equal(exchange.status, 307);
    assert_int_equal(fake_waiting(engine), 0);
}

static void one_that_was_sent_here_is_refused(const char *owner_url) {
    fill();
    list_readers("{}", "{\"most\":9}");
    connect_redirected();
    place(PLACEMENT_OK, owner_url);
    assert_int_equal(exchange.status, 503);
}

static void one_that_was_sent_here_is_not_sent_on(void **state) {
    (void)state;
    one_that_was_sent_here_is_refused(other_url);
}

// Two members of a set that were both full, and had not heard it of each other, sent viewers to and fro.
static void nor_if_this_reader_has_the_video(void **state) {
    (void)state;
    one_that_was_sent_here_is_refused(own_url);
}

static void if_all_are_full_it_is_told_to_come_later(void **state) {
    (void)state;
    fill();
    list_readers("{}", "{\"most\":0,\"draining\":true}");
    connect_viewer();
    place(PLACEMENT_OK, own_url);
    assert_int_equal(exchange.status, 503);
    assert_true(fake_has_header(&exchange, "Retry-After: 1"));
    assert_non_null(strstr(buf_string(&exchange.body), "\"code\":\"reader_full\""));
}

static void one_that_would_never_come_back_after_an_error_is_closed(void **state) {
    (void)state;
    fill();
    list_readers("{}", NULL);
    assert_null(fake_request(&exchange, "GET /connect?userid=u1&videoid=" FAKE_VIDEO,
                             "Accept: text/event-stream\r\n", NULL));
    reader_connect(reader, &exchange.exchange,
                   &(struct connect_params){.userid = "u1", .videoid = FAKE_VIDEO, .redirect = true});
    place(PLACEMENT_OK, own_url);
    assert_refused("max_viewers");
}

// Sets

#define OWN   "http://127.0.0.1:4001"
#define OTHER "http://reader-2:4002"

static void a_member_of_the_set_serves_a_viewer_though_another_was_chosen(void **state) {
    (void)state;
    have_set(OTHER " " OWN);
    connect_viewer();
    place(PLACEMENT_OK, OTHER);
    loop_drain(loop);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    have_set(NULL);
}

// As a redirect is always confirmed by the store first.
static void a_member_that_is_clearly_fuller_sends_a_viewer_on_but_not_one_that_was_sent_on_twice(
    void **state) {
    (void)state;
    for (int hops = 0; hops < 2; hops++) {
        have_set(OTHER " " OWN);
        sends_on = true;
        if (hops)
            connect_redirected();
        else
            connect_viewer();
        place(PLACEMENT_OK, OTHER);
        if (!hops) assert_int_equal(exchange.status, 307);
        if (!hops) fake_exchange_release(&exchange);
    }
    loop_drain(loop);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_int_equal(exchange.end, FAKE_STREAMS);
    have_set(NULL);
}

static void a_reader_outside_the_set_redirects_to_the_member_that_was_chosen(void **state) {
    (void)state;
    have_set(OTHER " http://127.0.0.1:4003");
    connect_viewer();
    place(PLACEMENT_OK, OTHER);
    assert_int_equal(exchange.status, 307);
    have_set(NULL);
}

// Its lease has lapsed, and it is no longer in the set: viewers that are left stay.
static void viewers_of_a_reader_that_has_left_the_set_are_not_cut(void **state) {
    (void)state;
    keep_lease();
    have_set(OTHER " " OWN);
    connect_viewer();
    place(PLACEMENT_OK, OTHER);
    loop_drain(loop);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    have_set(NULL);
    assert_they_stay_while(OTHER);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_viewer_of_a_video_of_this_reader_gets_a_stream),
        CASE(a_viewer_that_asks_is_sent_the_count_with_its_first_bytes),
        CASE(a_viewer_that_does_not_ask_is_sent_no_count),
        CASE(what_a_store_that_went_back_has_in_place_of_a_lost_room_is_published),
        CASE(a_viewer_whose_sink_has_no_descriptor_gets_a_stream),
        CASE(a_viewer_that_waits_for_a_store_that_is_away_is_refused_with_store_away),
        CASE(a_viewer_of_a_video_that_the_store_has_no_room_for_is_refused_with_too_many_videos),
        CASE(a_viewer_that_waits_while_the_reader_stops_is_refused_with_stopping),
        CASE(a_viewer_that_waits_while_its_video_moves_is_refused_with_video_moved),
        CASE(a_viewer_of_a_video_that_cannot_be_placed_is_refused_with_not_placed),
        CASE(a_viewer_without_memory_for_it_is_refused_with_out_of_memory),
        CASE(soon_after_its_start_a_reader_gives_up_a_video_that_was_reassigned),
        CASE(a_video_of_viewers_that_are_served_anywhere_is_not_rechecked),
        CASE(nor_is_one_of_viewers_that_were_sent_here),
        CASE(viewers_of_a_video_that_a_full_reader_has_by_now_leave_once_it_has_room),
        CASE(the_viewers_of_a_reader_that_drains_leave_once_others_are_to_have_them),
        CASE(a_recheck_leaves_those_alone_that_leave_at_a_pace),
        CASE(without_another_reader_they_stay),
        CASE(those_whose_video_nobody_else_gets_are_asked_about_again),
        CASE(a_drain_that_is_called_off_leaves_the_rest),
        CASE(a_move_ends_when_the_video_is_this_readers_again),
        CASE(a_move_ends_when_this_reader_is_one_of_the_set),
        CASE(a_reader_that_drains_turns_those_away_that_are_not_redirected),
        CASE(a_viewer_too_many_is_sent_to_a_reader_of_another_process),
        CASE(so_is_one_that_waited_while_others_came),
        CASE(one_that_was_sent_here_is_not_sent_on),
        CASE(nor_if_this_reader_has_the_video),
        CASE(if_all_are_full_it_is_told_to_come_later),
        CASE(one_that_would_never_come_back_after_an_error_is_closed),
        CASE(a_member_of_the_set_serves_a_viewer_though_another_was_chosen),
        CASE(a_member_that_is_clearly_fuller_sends_a_viewer_on_but_not_one_that_was_sent_on_twice),
        CASE(a_reader_outside_the_set_redirects_to_the_member_that_was_chosen),
        CASE(viewers_of_a_reader_that_has_left_the_set_are_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
