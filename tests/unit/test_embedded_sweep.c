// What the engine removes, and what it must not.
#include "embedded_world.h"

static const char *const reader_a = "http://127.0.0.1:4001";

static int open_with(struct world *w, uint64_t log_entries, int64_t log_age_ms, int64_t keep_ms) {
    w->config.limits.log_entries = log_entries;
    w->config.limits.log_age_ms = log_age_ms;
    w->config.keep_ms = keep_ms;
    world_open(w);
    return 0;
}

static int64_t rows(struct world *w) {
    world_close(w);
    return world_sql_number(w, "SELECT count(*) FROM entry");
}

// Too many

static void a_range_never_gives_more_than_is_kept(void **state) {
    struct world *w = *state;
    open_with(w, 10, 3600000, 0);
    for (unsigned appended = 0; appended < 50; appended++) {
        const struct world_range *r = world_range(w, "v", (struct position){0}, 1000);
        assert_int_equal(r->count, appended < 10 ? appended : 10);
        for (size_t i = 0; i < r->count; i++) assert_int_equal(r->at[i].seq, appended - r->count + i + 1);
        world_post(w, "v", appended);
    }
    struct position head = world_head(w, "v").at;
    const struct world_range *r = world_range(w, "v", (struct position){head.epoch, 3}, 4);
    assert_int_equal(r->count, 4);
    assert_int_equal(r->at[0].seq, 41);
    assert_true(r->more);
}

static void what_a_video_has_too_many_of_is_removed(void **state) {
    struct world *w = *state;
    open_with(w, 10, 3600000, 0);
    for (int i = 0; i < 10; i++) {
        world_post_many(w, "busy", 500);
        world_post(w, "quiet", 1);
    }
    assert_int_equal(world_range(w, "busy", (struct position){0}, 100)->count, 10);
    assert_int_equal(world_range(w, "quiet", (struct position){0}, 100)->count, 10);
    assert_int_equal(world_overview(w)->comments, 5010);
    assert_in_range(rows(w), 20, 500);
    world_open(w);
    const struct world_range *r = world_range(w, "quiet", (struct position){0}, 100);
    assert_int_equal(r->count, 10);
    for (unsigned i = 0; i < 10; i++) assert_int_equal(r->at[i].seq, i + 1);
    r = world_range(w, "busy", (struct position){0}, 100);
    assert_int_equal(r->count, 10);
    assert_int_equal(r->at[9].seq, 5000);
}

static void removing_keeps_up_with_many_videos(void **state) {
    struct world *w = *state;
    enum { VIDEOS = 200, ROUNDS = 60 };
    static struct world_append all[VIDEOS];
    char video[16];
    open_with(w, 5, 3600000, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < VIDEOS; i++) {
            snprintf(video, sizeof video, "v%d", i);
            world_begin_append(w, &all[i], video, "{\"comment\":\"x\"}", NULL);
        }
        world_wait(w);
    }
    for (int i = 0; i < VIDEOS; i++) {
        snprintf(video, sizeof video, "v%d", i);
        const struct world_range *r = world_range(w, video, (struct position){0}, 100);
        assert_int_equal(r->count, 5);
        for (unsigned k = 0; k < 5; k++) assert_int_equal(r->at[k].seq, ROUNDS - 4 + k);
    }
    assert_in_range(rows(w), 5 * VIDEOS, 3 * 5 * VIDEOS);
}

static void a_lowered_limit_applies_immediately(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 3600000, 0);
    world_post_many(w, "v", 500);
    world_close(w);
    open_with(w, 20, 3600000, 0);
    assert_int_equal(world_range(w, "v", (struct position){0}, 1000)->count, 20);
}

static void a_token_outlives_its_place_in_the_log(void **state) {
    struct world *w = *state;
    open_with(w, 5, 3600000, 0);
    struct world_append first = world_append(w, "v", "{\"comment\":\"first\"}", "t");
    world_post_many(w, "v", 1000);
    struct world_append again = world_append(w, "v", "{\"comment\":\"first\"}", "t");
    assert_string_equal(again.json, first.json);
    world_reopen(w);
    again = world_append(w, "v", "{\"comment\":\"first\"}", "t");
    assert_string_equal(again.json, first.json);
}

static void tokens_of_a_video_are_bounded_by_number(void **state) {
    struct world *w = *state;
    enum { ROUND = 1000, BEYOND = 4 * ROUND };
    static struct world_append all[ROUND];
    static const char json[] = "{\"comment\":\"x\"}";
    char token[16];
    open_with(w, 10, 3600000, 0);
    for (unsigned n = 0; n < ENGINE_TOKENS_VIDEO + BEYOND; n += ROUND) {
        for (unsigned i = 0; i < ROUND; i++) {
            snprintf(token, sizeof token, "t%u", n + i);
            world_begin_append(w, &all[i], "v", json, token);
        }
        world_wait(w);
        assert_int_equal(all[ROUND - 1].status, ENGINE_OK);
        assert_false(all[ROUND - 1].repeated);
    }
    assert_true(world_append(w, "v", json, token).repeated);
    assert_false(world_append(w, "v", json, "t0").repeated);
    world_close(w);
    assert_in_range(world_sql_number(w, "SELECT count(*) FROM token"), ENGINE_TOKENS_VIDEO - 1,
                    ENGINE_TOKENS_VIDEO + ROUND);
}

static void what_is_young_stays_beyond_the_number_until_it_is_old(void **state) {
    struct world *w = *state;
    w->config.limits.log_min_age_ms = 3000;
    w->config.limits.log_video_bytes = 1 << 20;
    open_with(w, 10, 3600000, 0);
    for (int i = 0; i < 4; i++) world_post_many(w, "v", 300);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 2000);
    assert_int_equal(r->count, 1200);
    for (unsigned i = 0; i < 1200; i++) assert_int_equal(r->at[i].seq, i + 1);
    struct position before = {r->at[0].epoch, 100};
    assert_int_equal(world_range(w, "v", before, 2000)->count, 1100);
    while (world_range(w, "v", (struct position){0}, 2000)->count > 10) world_let_pass(w, 20);
    assert_int_equal(world_range(w, "v", (struct position){0}, 2000)->count, 10);
    world_post_many(w, "v", 300);
    world_wait_until(w, "SELECT count(*) > 700 FROM entry");
}

static void what_is_young_is_bounded_by_bytes(void **state) {
    struct world *w = *state;
    w->config.limits.log_min_age_ms = 60000;
    w->config.limits.log_video_bytes = 10000;
    open_with(w, 10, 3600000, 0);
    for (int i = 0; i < 4; i++) world_post_many(w, "v", 500);
    world_post(w, "quiet", 1);
    size_t kept = world_range(w, "v", (struct position){0}, 2000)->count;
    assert_in_range(kept, 100, 300); // of some 45 bytes each
    assert_int_equal(world_range(w, "v", (struct position){0}, 2000)->at[kept - 1].seq, 2000);
    world_reopen(w); // the index is read backwards
    assert_int_equal(world_range(w, "v", (struct position){0}, 2000)->count, kept);
    world_post_many(w, "v", 300);
    assert_in_range(rows(w), 100, 1200);
}

// Whatever the list of entries begins with: read backwards after a restart, or cut at what is kept.
static void a_range_before_agrees_with_a_range(void **state) {
    struct world *w = *state;
    open_with(w, 10, 3600000, 0);
    for (int run = 0; run < 3; run++) {
        world_post_many(w, "v", 7);
        for (size_t n = 0; n <= 10; n++) {
            if (run == 1 && n % 4 == 0) world_reopen(w);
            struct world_range all = *world_range(w, "v", (struct position){0}, 1000);
            if (n > all.count) break;
            struct position before = n < all.count ? all.at[n] : (struct position){0};
            for (size_t limit = 0; limit <= 11; limit++) {
                const struct world_range *r = world_range_before(w, "v", before, limit);
                size_t count = limit < n ? limit : n;
                assert_int_equal(r->count, count);
                assert_int_equal(r->more, count < n);
                for (size_t i = 0; i < count; i++)
                    assert_int_equal(position_compare(r->at[i], all.at[n - count + i]), 0);
            }
        }
    }
}

static void a_log_that_keeps_nothing_still_counts(void **state) {
    struct world *w = *state;
    open_with(w, 0, 3600000, 0);
    world_post_many(w, "v", 300);
    assert_int_equal(world_range(w, "v", (struct position){0}, 10)->count, 0);
    world_reopen(w);
    assert_int_equal(world_head(w, "v").at.seq, 300);
    assert_int_equal(world_overview(w)->comments, 300);
}

// Too old

static void entries_expire(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 200, 60000);
    world_post_many(w, "v", 300);
    struct position head = world_head(w, "v").at;
    while (world_range(w, "v", (struct position){0}, 1000)->count) world_let_pass(w, 10);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 1000);
    assert_int_equal(r->status, ENGINE_OK);
    assert_false(r->more);
    assert_int_equal(position_compare(r->head, head), 0);
    assert_int_equal(world_overview(w)->newest_count, 0);
    assert_int_equal(world_post(w, "v", 1).seq, 301);
    r = world_range(w, "v", (struct position){0}, 1000);
    assert_int_equal(r->count, 1);
    assert_int_equal(r->at[0].seq, 301);
}

static void expired_entries_are_removed_and_numbers_go_on(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 100, 60000);
    world_post_many(w, "v", 700);
    world_wait_until(w, "SELECT count(*) FROM entry");
    world_reopen(w);
    assert_int_equal(world_head(w, "v").at.seq, 700);
    assert_int_equal(world_overview(w)->comments, 700);
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
    assert_int_equal(a.prev.seq, 700);
    assert_int_equal(world_overview(w)->comments, 701);
    world_close(w);
    assert_int_equal(world_sql_number(w, "SELECT max(n) FROM entry"), 701);
}

static void a_range_over_removed_entries_gives_the_others_once(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 300, 60000);
    world_post_many(w, "v", 3);
    world_wait_until(w, "SELECT count(*) FROM entry");
    world_post(w, "v", 4);
    for (int i = 0; i < 2; i++) {
        const struct world_range *r = world_range(w, "v", (struct position){0}, 100);
        assert_int_equal(r->count, 1);
        assert_int_equal(r->at[0].seq, 4);
    }
}

static void a_token_expires_with_its_entry(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 100, 60000);
    assert_int_equal(world_append(w, "v", "{\"comment\":\"x\"}", "t").at.seq, 1);
    while (world_append(w, "v", "{\"comment\":\"x\"}", "t").at.seq == 1) world_let_pass(w, 20);
    assert_int_equal(world_head(w, "v").at.seq, 2);
}

static void entries_from_the_future_do_not_stay(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 1000, 60000);
    world_post_many(w, "v", 10);
    world_close(w);
    world_sql(w, "UPDATE entry SET at_ms = at_ms + 1000000000000"); // the clock was wrong
    world_open(w);
    assert_int_equal(world_range(w, "v", (struct position){0}, 100)->count, 0);
    world_wait_until(w, "SELECT count(*) FROM entry");
}

// Unused

static void unused_videos_are_dropped(void **state) {
    struct world *w = *state;
    const struct engine_lease lease = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    w->config.limits.max_videos = 2;
    open_with(w, 1000, 100, 500);
    struct position old = world_post(w, "position", 1);
    world_assign(w, "mapping", reader_a);
    world_renew(w, &lease, 1);
    world_wait_until(w, "SELECT count(*) FROM video");
    world_wait_until(w, "SELECT count(*) FROM lease");
    assert_int_equal(world_lookup(w, "mapping").status, ENGINE_NOT_FOUND);
    assert_string_equal(world_leases(w).text, "");
    assert_int_equal(world_overview(w)->mappings, 0);
    assert_true(world_assign(w, "more", reader_a).changed); // there is room again
    struct world_append a = world_append(w, "position", "{\"comment\":\"x\"}", NULL);
    assert_true(a.at.epoch > old.epoch);
    assert_false(position_is_set(a.prev));
}

static void what_is_used_stays(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 50, 400);
    world_assign(w, "looked-up", reader_a);
    world_post(w, "appended", 1);
    world_head(w, "asked");
    world_post(w, "unused", 1);
    struct position asked = world_head(w, "asked").at;
    bool gone = false;
    for (int64_t end_ms = clock_monotonic_ms() + 1500; clock_monotonic_ms() < end_ms || !gone;) {
        world_let_pass(w, 20);
        assert_int_equal(world_lookup(w, "looked-up").status, ENGINE_OK);
        assert_int_equal(position_compare(world_head(w, "asked").at, asked), 0);
        world_post(w, "appended", 1);
        gone = !position_is_set(world_range(w, "unused", (struct position){0}, 1)->head);
    }
    assert_false(position_is_set(world_append(w, "appended", "{\"comment\":\"x\"}", NULL).prev));
}

static void looking_up_does_not_write_each_time(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 3600000, 0);
    world_assign(w, "v", reader_a);
    world_post(w, "v", 1);
    world_reopen(w);
    for (int i = 0; i < 100; i++) {
        world_lookup(w, "v");
        world_head(w, "v");
        world_assign(w, "v", reader_a);
    }
    // Nothing was written since the opening: the write-ahead log has not even begun.
    char path[128];
    snprintf(path, sizeof path, "%s-wal", w->path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, world_free)
    const struct CMUnitTest tests[] = {
        TEST(a_range_never_gives_more_than_is_kept),
        TEST(what_a_video_has_too_many_of_is_removed),
        TEST(removing_keeps_up_with_many_videos),
        TEST(a_lowered_limit_applies_immediately),
        TEST(a_token_outlives_its_place_in_the_log),
        TEST(tokens_of_a_video_are_bounded_by_number),
        TEST(what_is_young_stays_beyond_the_number_until_it_is_old),
        TEST(what_is_young_is_bounded_by_bytes),
        TEST(a_log_that_keeps_nothing_still_counts),
        TEST(a_range_before_agrees_with_a_range),
        TEST(entries_expire),
        TEST(expired_entries_are_removed_and_numbers_go_on),
        TEST(a_range_over_removed_entries_gives_the_others_once),
        TEST(a_token_expires_with_its_entry),
        TEST(entries_from_the_future_do_not_stay),
        TEST(unused_videos_are_dropped),
        TEST(what_is_used_stays),
        TEST(looking_up_does_not_write_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
