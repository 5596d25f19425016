// Replays: how many at a time, and what a HEAD costs. What they say is tested by
// integration/retention/replay.
#include "fake_exchange.h"

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
static unsigned begun, added, completed;
static char told[1024];

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
    return HTTP_ROOM;
}

static void end_body(struct http_exchange *x, bool complete) {
    completed += complete;
    fake_end(fake_of(x), FAKE_REPLIED);
}

static struct fake_exchange asked[ASKED];
static const struct engine_ops engine_ops = {.replay = take_replay};
static struct engine engine = {.ops = &engine_ops};
static struct replays all;

static int set_up(void **state) {
    (void)state;
    reads = begun = added = completed = 0;
    told[0] = 0;
    all = (struct replays){.engine = &engine};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (unsigned i = 0; i < reads; i++) waiting[i].cb(waiting[i].arg, ENGINE_CLOSED, NULL);
    assert_int_equal(all.count, 0);
    for (unsigned i = 0; i < ASKED; i++) fake_exchange_release(&asked[i]);
    return 0;
}

// Returns whether it is being read.
static bool ask_as(unsigned i, const char *method, address_key key) {
    static const struct http_exchange_ops ops = {
        .reply = fake_reply, .begin_body = begin_body, .add_body = add_body, .end_body = end_body};
    char line[64];
    snprintf(line, sizeof line, "%s /videos/v1/replay", method);
    assert_null(fake_request(&asked[i], line, "", NULL));
    asked[i].exchange.ops = &ops;
    asked[i].request.limits_key = key;
    unsigned before = reads;
    replays_answer(&all, &asked[i].exchange, "v1");
    if (reads == before) assert_int_equal(asked[i].status, 503);
    return reads > before;
}

static void one_address_does_not_keep_others_from_theirs(void **state) {
    (void)state;
    unsigned n = 0;
    for (; n < REPLAYS_OF_ADDRESS; n++) assert_true(ask_as(n, "GET", STRANGER));
    assert_false(ask_as(n++, "GET", STRANGER));
    assert_true(ask_as(n++, "GET", OTHER));
    assert_true(ask_as(n++, "GET", 0));
}

static void there_are_64_at_a_time(void **state) {
    (void)state;
    for (unsigned n = 0; n < REPLAYS; n++) assert_true(ask_as(n, "GET", 0)); // exempt: no limit of its own
    assert_false(ask_as(REPLAYS, "GET", OTHER));
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
        CASE(there_are_64_at_a_time),
        CASE(head_reads_no_more_than_its_tag_needs),
        CASE(what_an_archive_has_missed_is_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
