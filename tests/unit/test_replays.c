// Replays: how many at a time, and what a HEAD costs. What they say is tested by
// integration/retention/replay.
#include "fake_exchange.h"
#include "moved_clock.h"

#include "engine/engine.h"
#include "service/replays.h"

enum { ASKED = REPLAYS + 1, STRANGER = 7, OTHER = 8 };

static struct {
    engine_replay_cb *cb;
    void *arg;
} waiting[ASKED];
static unsigned reads;

static void take_replay(struct engine *e, const struct engine_replay *what, engine_replay_cb *cb, void *arg) {
    (void)e;
    (void)what;
    assert_true(reads < ASKED);
    waiting[reads].cb = cb;
    waiting[reads++].arg = arg;
}

// Of a body in pieces.
static unsigned begun, added, completed, cut;
static char told[1024];
static enum http_room room;

static void begin_body(struct http_exchange *x, const struct http_reply *r, http_on_room *on, void *arg) {
    (void)x;
    (void)on;
    (void)arg;
    assert_int_equal(r->status, 200);
    begun++;
}

static enum http_room add_body(struct http_exchange *x, const void *bytes, size_t len) {
    (void)x;
    assert_true(strlen(told) + len < sizeof told);
    strncat(told, bytes, len);
    added += len > 0;
    return room;
}

static void end_body(struct http_exchange *x, bool complete) {
    completed += complete;
    cut += !complete;
    fake_end(fake_of(x), FAKE_REPLIED);
}

static struct fake_exchange asked[ASKED];
static const struct engine_ops engine_ops = {.replay = take_replay};
static struct engine engine = {.ops = &engine_ops};
static struct replays all;

static int set_up(void **state) {
    (void)state;
    reads = begun = added = completed = cut = 0;
    told[0] = 0;
    room = HTTP_ROOM;
    all = (struct replays){.engine = &engine};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (unsigned i = 0; i < reads; i++) waiting[i].cb(waiting[i].arg, ENGINE_CLOSED, NULL);
    replays_stop(&all);
    assert_int_equal(all.count, 0);
    assert_int_equal(all.reading, 0);
    for (unsigned i = 0; i < ASKED; i++) fake_exchange_release(&asked[i]);
    return 0;
}

// Returns whether it is under way.
static bool ask_as(unsigned i, const char *method, address_key key) {
    static const struct http_exchange_ops ops = {
        .reply = fake_reply, .begin_body = begin_body, .add_body = add_body, .end_body = end_body};
    char line[64];
    snprintf(line, sizeof line, "%s /videos/v1/replay", method);
    assert_null(fake_request(&asked[i], line, "", NULL));
    asked[i].exchange.ops = &ops;
    asked[i].request.limits_key = key;
    replays_answer(&all, &asked[i].exchange, "v1");
    if (asked[i].end != FAKE_OPEN) assert_int_equal(asked[i].status, 503);
    return asked[i].end == FAKE_OPEN;
}

static void one_address_does_not_keep_others_from_theirs(void **state) {
    (void)state;
    unsigned n = 0;
    for (; n < REPLAYS_OF_ADDRESS; n++) assert_true(ask_as(n, "GET", STRANGER));
    assert_false(ask_as(n++, "GET", STRANGER));
    assert_true(ask_as(n++, "GET", OTHER));
    assert_true(ask_as(n++, "GET", 0));
}

// The store answers the read that began first with a page of more.
static void answer_first(void) {
    static const int64_t at_ms = 1000;
    const struct engine_entry entry = {.at = {5, 1}, .kind = ENTRY_COMMENT, .body = "", .body_len = 0};
    const struct engine_replayed page = {
        .range = {.entries = (struct engine_entry[]){entry}, .count = 1, .more = true, .head = {5, 9}},
        .at_ms = &at_ms,
        .origin_ms = at_ms};
    engine_replay_cb *cb = waiting[0].cb;
    void *arg = waiting[0].arg;
    memmove(waiting, waiting + 1, --reads * sizeof waiting[0]);
    told[0] = 0;
    cb(arg, ENGINE_OK, &page);
}

static void they_read_in_turn(void **state) {
    (void)state;
    for (unsigned n = 0; n < REPLAY_READS + 2; n++)
        assert_true(ask_as(n, "GET", 0)); // exempt: no limit of its own
    assert_int_equal(reads, REPLAY_READS);
    void *first = waiting[0].arg;
    answer_first(); // of the origin: it wants to read on
    assert_int_equal(reads, REPLAY_READS);
    assert_ptr_not_equal(waiting[REPLAY_READS - 1].arg, first);
    answer_first();
    assert_ptr_not_equal(waiting[REPLAY_READS - 1].arg, first);
    answer_first();
    assert_ptr_equal(waiting[REPLAY_READS - 1].arg, first);
}

// Of `count` clients, none of which reads.
static void ask_slowly(unsigned count) {
    room = HTTP_NO_ROOM;
    for (unsigned n = 0; n < count; n++) {
        assert_true(ask_as(n, "GET", 100 + n));
        answer_first();
        answer_first();
        moved_clock.now_ms++;
    }
    assert_int_equal(begun, count);
    assert_int_equal(reads, 0);
}

// 64 connections that read a byte now and then took all places.
static void slow_clients_hold_no_place_at_the_store(void **state) {
    (void)state;
    ask_slowly(REPLAY_READS);
    assert_true(ask_as(REPLAY_READS, "GET", OTHER));
    assert_int_equal(reads, 1);
    assert_int_equal(cut, 0);
}

static void where_there_is_no_room_the_slowest_client_is_cut(void **state) {
    (void)state;
    ask_slowly(REPLAYS);
    moved_clock.now_ms += 999 - REPLAYS;
    assert_false(ask_as(REPLAYS, "GET", OTHER));
    assert_int_equal(cut, 0);
    moved_clock.now_ms++;
    fake_exchange_release(&asked[REPLAYS]);
    assert_true(ask_as(REPLAYS, "GET", OTHER));
    assert_int_equal(asked[0].end, FAKE_REPLIED);
    assert_int_equal(cut, 1);
    assert_int_equal(all.count, REPLAYS);
}

// It would go through all that there is, as fast as the store reads: nothing is sent that a client could be
// slow to take.
static void head_reads_no_more_than_its_tag_needs(void **state) {
    (void)state;
    static const int64_t at_ms = 1000;
    const struct engine_entry entry = {
        .at = {5, 1}, .kind = ENTRY_COMMENT, .body = "\"id\":\"5-1\"", .body_len = 10};
    const struct engine_replayed page = {
        .range = {.entries = (struct engine_entry[]){entry}, .count = 1, .more = true, .head = {5, 9}},
        .at_ms = &at_ms,
        .origin_ms = at_ms};
    assert_true(ask_as(0, "HEAD", STRANGER));
    for (unsigned i = 0; i < 2; i++) { // where it begins, and a page
        assert_int_equal(reads, i + 1);
        waiting[i].cb(waiting[i].arg, ENGINE_OK, &page);
    }
    assert_int_equal(reads, 2);
    reads = 0; // all are answered
    assert_int_equal(begun, 1);
    assert_int_equal(added, 0);
    assert_int_equal(completed, 1);
    assert_int_equal(all.count, 0);
}

// Of a page behind a comment at 5-1.
static void expect_told(struct engine_entry second, const char *expected) {
    static const int64_t at_ms[] = {1000, 2000};
    struct engine_entry entries[] = {
        {.at = {5, 1}, .kind = ENTRY_COMMENT, .body = "\"userid\":\"u\"", .body_len = 12}, second};
    const struct engine_replayed page = {
        .range = {.entries = entries, .count = 2, .head = second.at}, .at_ms = at_ms, .origin_ms = 1000};
    told[0] = 0;
    assert_true(ask_as(0, "GET", STRANGER));
    for (unsigned i = 0; i < 2; i++) waiting[i].cb(waiting[i].arg, ENGINE_OK, &page);
    reads = 0;
    assert_string_equal(strchr(told, '\n') + 1, expected);
    fake_exchange_release(&asked[0]);
}

// An archive has one number for all that it has missed at the end: also if that is a single one.
static void what_an_archive_has_missed_is_a_gap(void **state) {
    (void)state;
    expect_told(
        (struct engine_entry){.at = {5, 2}, .kind = ENTRY_TOMBSTONE},
        "{\"t\":1000,\"type\":\"gap\",\"from\":\"5-2\",\"to\":\"5-2\",\"missed\":1,\"reason\":\"expired\"}\n");
    expect_told(
        (struct engine_entry){.at = {5, 4}, .kind = ENTRY_TOMBSTONE},
        "{\"t\":1000,\"type\":\"gap\",\"from\":\"5-2\",\"to\":\"5-4\",\"missed\":3,\"reason\":\"expired\"}\n");
    expect_told(
        (struct engine_entry){.at = {6, 1}, .prev = {6, 1}, .kind = ENTRY_TOMBSTONE},
        "{\"t\":1000,\"type\":\"gap\",\"from\":\"5-2\",\"to\":\"6-1\",\"missed\":null,\"reason\":\"epoch\"}\n");
    expect_told((struct engine_entry){.at = {6, 1}, .prev = {5, 1}, .kind = ENTRY_TOMBSTONE}, ""); // a loss
    assert_int_equal(all.missed, 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(one_address_does_not_keep_others_from_theirs),
        CASE(they_read_in_turn),
        CASE(slow_clients_hold_no_place_at_the_store),
        CASE(where_there_is_no_room_the_slowest_client_is_cut),
        CASE(head_reads_no_more_than_its_tag_needs),
        CASE(what_an_archive_has_missed_is_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
