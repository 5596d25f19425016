// Placement on an embedded engine, whose clock the test moves.
#include "embedded_world.h"
#include "run_loop.h"

#include "placement/placement.h"
#include "placement/readers.h"

enum { TTL_MS = 1000, LONG_TTL_MS = 3600000, GRACE_MS = 5000 };

static const char first[] = "http://127.0.0.1:4001", second[] = "http://127.0.0.1:4002";

static void renew(struct world *w, const char *url, int ttl_ms) {
    world_renew(w, &(struct engine_lease){.reader_url = url, .instance_id = "reader", .generation = 1},
                ttl_ms);
}

// The first reader has had video v and is gone, the second is there.
static void lose_first(struct world *w) {
    renew(w, first, TTL_MS);
    renew(w, second, LONG_TTL_MS);
    assert_true(world_assign(w, "v", first).changed);
    run_later(w->loop, TTL_MS + 1);
}

static struct placement *start(struct world *w, int grace_ms, const char *static_readers) {
    struct placement *p =
        placement_new(w->loop, w->engine,
                      &(struct placement_config){.static_readers = static_readers, .grace_ms = grace_ms});
    placement_start(p);
    return p;
}

struct asked {
    struct world *world;
    enum placement_status status;
    char reader[ENGINE_URL_MAX + 1];
};

static void on_answer(void *arg, const struct placement_answer *a) {
    struct asked *asked = arg;
    asked->status = a->status;
    snprintf(asked->reader, sizeof asked->reader, "%s", a->reader_url ? a->reader_url : "");
    world_answered(asked->world);
}

// Who has v now? The answer is valid until the next call.
static const char *owner(struct world *w, struct placement *p) {
    static struct asked asked;
    asked = (struct asked){.world = w};
    w->awaited++;
    placement_resolve(p, "v", on_answer, &asked);
    world_wait(w);
    assert_int_equal(asked.status, PLACEMENT_OK);
    return asked.reader;
}

static void end(struct world *w, struct placement *p) {
    world_close(w);
    placement_free(p);
}

static void test_without_grace_a_lost_readers_video_moves_at_once(void **state) {
    struct world *w = *state;
    lose_first(w);
    struct placement *p = start(w, 0, NULL);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void test_within_the_grace_it_stays_and_then_moves(void **state) {
    struct world *w = *state;
    lose_first(w);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);
    run_later(w->loop, GRACE_MS - 1);
    assert_string_equal(owner(w, p), first);
    run_later(w->loop, 1);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void test_a_reader_that_is_back_within_the_grace_keeps_its_video(void **state) {
    struct world *w = *state;
    lose_first(w);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);
    renew(w, first, LONG_TTL_MS);
    run_later(w->loop, GRACE_MS + 1); // the list of readers is read anew, too
    world_leases(w);                  // answered behind that
    assert_string_equal(owner(w, p), first);
    end(w, p);
}

static void test_what_is_no_url_has_no_grace(void **state) {
    struct world *w = *state;
    renew(w, second, LONG_TTL_MS);
    assert_true(world_assign(w, "v", "not a URL").changed);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void no_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    (void)engine;
    cb(arg, ENGINE_UNAVAILABLE, NULL, 0);
}

static void test_the_grace_begins_anew_when_the_store_is_back(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    renew(w, second, LONG_TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);

    struct engine_ops away = *w->engine->ops;
    away.leases = no_leases;
    w->engine->ops = &away;
    run_later(w->loop, 2 * GRACE_MS); // the first reader's lease ends, because it cannot renew it
    w->engine->ops = w->ops;
    run_later(w->loop, TTL_MS);
    world_leases(w);
    assert_string_equal(owner(w, p), first);
    run_later(w->loop, GRACE_MS);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static struct {
    engine_leases_cb *cb;
    void *arg;
} held;

static void hold_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    (void)engine;
    held.cb = cb;
    held.arg = arg;
}

static void test_the_grace_begins_anew_when_the_store_was_slow(void **state) {
    struct world *w = *state;
    renew(w, first, 3 * GRACE_MS);
    renew(w, second, LONG_TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, GRACE_MS, NULL);
    run_later(w->loop, GRACE_MS + 1);
    world_leases(w);
    assert_string_equal(owner(w, p), first);

    struct engine_ops slow = *w->engine->ops;
    slow.leases = hold_leases;
    w->engine->ops = &slow;
    run_later(w->loop, TTL_MS);       // asks
    run_later(w->loop, 2 * GRACE_MS); // the first reader's renewal waits like our question, behind it
    w->engine->ops = w->ops;
    assert_non_null(held.cb);
    w->ops->leases(w->engine, held.cb, held.arg);
    world_leases(w);
    assert_string_equal(owner(w, p), first);
    run_later(w->loop, GRACE_MS);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void let_pass(struct world *w, int64_t ms) {
    for (; ms > 0; ms -= 500) run_later(w->loop, 500); // the cache is looked at every 500 ms
}

static void test_what_nobody_asks_for_is_forgotten(void **state) {
    struct world *w = *state;
    enum { MANY = 300 };
    renew(w, first, LONG_TTL_MS);
    struct placement *p = start(w, 0, NULL);
    struct asked asked = {.world = w};
    for (int i = 0; i < MANY; i++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", i);
        w->awaited++;
        placement_register(p, video, on_answer, &asked);
        world_wait(w);
    }
    assert_true(world_assign(w, "v", first).changed);
    owner(w, p);
    assert_int_equal(placement_cached_count(p), MANY + 1);
    let_pass(w, PLACEMENT_STALE_MS - 1000);
    assert_int_equal(placement_cached_count(p), MANY + 1);
    owner(w, p); // asked for again
    let_pass(w, PLACEMENT_STALE_MS - 1000);
    assert_int_equal(placement_cached_count(p), 1);
    assert_string_equal(owner(w, p), first);
    let_pass(w, 2 * PLACEMENT_STALE_MS);
    assert_int_equal(placement_cached_count(p), 0);
    assert_string_equal(owner(w, p), first);
    end(w, p);
}

static void test_a_reader_of_the_list_is_never_gone(void **state) {
    struct world *w = *state;
    renew(w, second, LONG_TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, 0, "http://127.0.0.1:4001/, http://127.0.0.1:4003");
    assert_string_equal(owner(w, p), first);
    assert_int_equal(placement_reader_count(p), 3);
    end(w, p);
}

static void test_lists_of_urls(void **state) {
    (void)state;
    static const char *const plain[] = {first, "http://a:1,https://b", " http://a:1 , http://b:2 ,"};
    static const char *const wrong[] = {"", ",", "a:1", "http://a:1,b", "http://a:1,ftp://b", "http://a\"b"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) assert_true(readers_list_is_plain(plain[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(readers_list_is_plain(wrong[i]));
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, world_make_open, world_free)

static void test_a_live_lease_that_is_not_listed_any_more_counts_for_a_moment(void **state) {
    (void)state;
    struct readers r;
    struct engine_lease leases[] = {{.reader_url = first, .live = true}, {.reader_url = second}};
    readers_init(&r, NULL);
    readers_update(&r, leases, 2, 1000);
    readers_update(&r, NULL, 0, 2000); // the store has been emptied
    assert_int_equal(readers_state(&r, first), READER_LIVE);
    assert_int_equal(readers_state(&r, second), READER_UNKNOWN);
    assert_int_equal(r.live_count, 1);
    readers_update(&r, NULL, 0, 2000 + READERS_VANISHED_MS - 1);
    assert_int_equal(r.live_count, 1);
    readers_update(&r, NULL, 0, 2000 + READERS_VANISHED_MS);
    assert_int_equal(readers_state(&r, first), READER_UNKNOWN);
    assert_int_equal(r.live_count, 0);
    readers_release(&r);
}

static void test_a_lease_that_has_ended_does_not_count_though_it_was_live(void **state) {
    (void)state;
    struct readers r;
    struct engine_lease lease = {.reader_url = first, .live = true};
    readers_init(&r, NULL);
    readers_update(&r, &lease, 1, 1000);
    lease.live = false;
    readers_update(&r, &lease, 1, 1500);
    assert_int_equal(readers_state(&r, first), READER_GONE);
    readers_update(&r, NULL, 0, 2000);
    assert_int_equal(readers_state(&r, first), READER_UNKNOWN);
    readers_release(&r);
}

static void test_whether_a_host_is_a_urls_own(void **state) {
    (void)state;
    assert_true(reader_url_is_at("http://reader-1:4000", "Reader-1:4000"));
    assert_true(reader_url_is_at("https://[::1]:4000", "[::1]:4000"));
    assert_false(reader_url_is_at("http://reader-1:4000", "reader-1"));
    assert_false(reader_url_is_at("http://reader-1:4000", "reader-1:40001"));
    assert_false(reader_url_is_at("http://proxy/reader-1", "proxy"));
    assert_false(reader_url_is_at("reader-1:4000", "reader-1:4000"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        OPEN(test_without_grace_a_lost_readers_video_moves_at_once),
        OPEN(test_within_the_grace_it_stays_and_then_moves),
        OPEN(test_a_reader_that_is_back_within_the_grace_keeps_its_video),
        OPEN(test_what_is_no_url_has_no_grace),
        OPEN(test_the_grace_begins_anew_when_the_store_is_back),
        OPEN(test_the_grace_begins_anew_when_the_store_was_slow),
        OPEN(test_what_nobody_asks_for_is_forgotten),
        OPEN(test_a_reader_of_the_list_is_never_gone),
        cmocka_unit_test(test_lists_of_urls),
        cmocka_unit_test(test_a_live_lease_that_is_not_listed_any_more_counts_for_a_moment),
        cmocka_unit_test(test_a_lease_that_has_ended_does_not_count_though_it_was_live),
        cmocka_unit_test(test_whether_a_host_is_a_urls_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
