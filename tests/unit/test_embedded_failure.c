// What happens when the disk is full, when there is too much to do, and at the end.
#include "embedded_world.h"

#include <signal.h>
#include <sys/resource.h>

static const char *const reader_a = "http://127.0.0.1:4001";
static const char *const reader_b = "http://127.0.0.1:4002";

// Disk full, imitated by a limit on the size of files. SIGXFSZ keeps its default action, which ends the
// process: the engine must not be hit by it.

static void limit_file_size(rlim_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int free_without_limit(void **state) {
    limit_file_size(0);
    return world_free(state);
}

static const char large[] =
    "{\"comment\":\"................................................................................"
    "................................................................................\"}";

// Appends until the store is full. Returns how many were stored.
static unsigned fill(struct world *w, const char *video) {
    for (unsigned stored = 0; stored < 1000000; stored++) {
        struct world_append a = world_append(w, video, large, NULL);
        if (a.status == ENGINE_UNAVAILABLE) return stored;
        assert_int_equal(a.status, ENGINE_OK);
        assert_int_equal(a.at.seq, stored + 1);
    }
    fail_msg("never full");
    return 0;
}

static bool is_ready(struct world *w) {
    const char *why = NULL;
    bool ready = w->ops->ready(w->engine, &why);
    if (!ready) {
        assert_non_null(strstr(why, w->path));
        assert_non_null(strstr(why, "every second"));
    }
    return ready;
}

static void a_full_disk_refuses_and_recovers_by_itself(void **state) {
    struct world *w = *state;
    world_assign(w, "v", reader_a);
    limit_file_size(400000);
    unsigned stored = fill(w, "v");
    assert_true(stored > 10);
    assert_false(is_ready(w));

    // Reads go on, and what turns out to need no write.
    assert_int_equal(world_head(w, "v").at.seq, stored);
    assert_int_equal(world_range(w, "v", (struct position){0}, WORLD_RANGE)->count,
                     stored < 1000 ? stored : 1000);
    assert_string_equal(world_lookup(w, "v").reader, reader_a);
    assert_string_equal(world_assign(w, "v", reader_b).reader, reader_a);
    assert_int_equal(world_overview(w)->comments, stored);

    limit_file_size(0);
    while (!is_ready(w)) world_let_pass(w, 20);
    assert_int_equal(world_post(w, "v", 1).seq, stored + 1);
    assert_int_equal(world_overview(w)->comments, stored + 1);
    assert_int_equal(world_overview(w)->mappings, 1);
}

static int64_t cpu_us(void) {
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * INT64_C(1000000) + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
}

// What was deleted is still to be overwritten in the log file.
static void a_full_disk_after_a_deletion_costs_no_cpu(void **state) {
    struct world *w = *state;
    struct position first = world_post(w, "deleted", 1);
    limit_file_size(1);
    assert_int_equal(world_retract(w, "deleted", first).status, ENGINE_UNAVAILABLE);
    int64_t before_us = cpu_us();
    world_let_pass(w, 300);
    assert_in_range(cpu_us() - before_us, 0, 100000);
    limit_file_size(0);
    world_await_ready(w);
}

static void a_full_disk_fails_the_whole_batch_and_no_number_is_lost(void **state) {
    struct world *w = *state;
    enum { MANY = 200 };
    static struct world_append all[MANY];
    struct world_mapping mapping = {.world = w}, looked_up = {.world = w};
    world_assign(w, "v", reader_a);
    limit_file_size(300000);
    unsigned stored = fill(w, "v");
    for (int i = 0; i < MANY; i++)
        world_begin_append(w, &all[i], i % 2 ? "v" : "new", large, i == 7 ? "t" : NULL);
    w->awaited += 2;
    w->ops->lookup(w->engine, "v", world_on_mapping, &looked_up);
    w->ops->assign(w->engine, "fresh", reader_b, world_on_mapping, &mapping);
    world_wait(w);
    for (int i = 0; i < MANY; i++) assert_int_equal(all[i].status, ENGINE_UNAVAILABLE);
    assert_int_equal(mapping.status, ENGINE_UNAVAILABLE);
    assert_string_equal(looked_up.reader, reader_a);
    assert_int_equal(world_head(w, "v").at.seq, stored);
    assert_int_equal(world_lookup(w, "fresh").status, ENGINE_NOT_FOUND);

    limit_file_size(0);
    struct world_append again = world_append(w, "v", large, "t");
    assert_int_equal(again.status, ENGINE_OK);
    assert_int_equal(again.at.seq, stored + 1);
    assert_int_equal(world_post(w, "new", 1).seq, 1);
    assert_true(is_ready(w)); // a write that works is proof enough
    assert_int_equal(world_overview(w)->comments, stored + 2);
}

static void a_full_disk_does_not_end_leases(void **state) {
    struct world *w = *state;
    const struct engine_lease lease = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    const struct engine_lease later = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 44};
    world_renew(w, &lease, 60000);
    const struct engine_lease other = {
        .reader_url = reader_b, .instance_id = "reader-2", .generation = 1, .viewers = 5};
    limit_file_size(1); // without room for a single page
    world_renew(w, &later, 60000);
    assert_true(world_renew(w, &other, 60000)); // a new one, and then no more
    assert_false(world_renew(w, &other, 60000));
    world_drop(w, reader_a, 1);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 - reader-1 1 44 expired;"
                                              "http://127.0.0.1:4002 - reader-2 1 5 live;");
    assert_int_equal(world_append(w, "v", large, NULL).status, ENGINE_UNAVAILABLE);
    assert_false(world_renew(w, &other, 60000));

    limit_file_size(0);
    while (!is_ready(w)) world_let_pass(w, 20);
    world_reopen(w); // as soon as there is room they are written
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 - reader-1 1 44 expired;"
                                              "http://127.0.0.1:4002 - reader-2 1 5 expired;");
}

// A store that refuses is not asked to write leases: each failed write would cost all that is in memory.
static void a_full_disk_is_not_written_to_by_heartbeats(void **state) {
    struct world *w = *state;
    struct engine_lease lease = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    limit_file_size(1);
    assert_int_equal(world_append(w, "v", large, NULL).status, ENGINE_UNAVAILABLE);
    assert_false(is_ready(w));
    for (int i = 0; i < 500; i++) {
        lease.generation++; // what would be written
        world_renew(w, &lease, 60000);
    }
    limit_file_size(0);
    assert_int_equal(world_append(w, "v", large, NULL).status, ENGINE_OK);
}

static void what_was_answered_before_a_full_disk_survives_it(void **state) {
    struct world *w = *state;
    limit_file_size(300000);
    unsigned stored = fill(w, "v");
    world_close(w); // also closing cannot write
    limit_file_size(0);
    world_open(w);
    assert_int_equal(world_head(w, "v").at.seq, stored);
    assert_int_equal(world_overview(w)->comments, stored);
    assert_int_equal(world_post(w, "v", 1).seq, 1);
}

// Three posters each keep ten comments under way while the disk fills up and is freed again.
struct poster {
    struct world *world;
    char video[8];
    uint64_t answered, heard, refused;
};

static struct {
    struct loop_timer timer;
    struct world *world;
    int times;
    unsigned under_way;
} toggle;

static void post(struct poster *p);

static void on_posted(void *arg, enum engine_status status, const struct engine_entry *e,
                      const struct engine_first *first) {
    (void)first;
    struct poster *p = arg;
    toggle.under_way--;
    if (status == ENGINE_OK)
        assert_int_equal(e->at.seq, ++p->answered);
    else
        p->refused++;
    if (toggle.times)
        post(p);
    else if (!toggle.under_way)
        loop_stop(p->world->loop);
}

static void post(struct poster *p) {
    const struct engine_append what = world_comment(p->video, large);
    toggle.under_way++;
    p->world->ops->append(p->world->engine, &what, on_posted, p);
}

static void on_delivered(void *arg, const struct engine_entry *e) {
    struct poster *p = arg;
    assert_int_equal(e->at.seq, ++p->heard);
}

static void on_toggle(struct loop_timer *t) {
    toggle.times--;
    limit_file_size(toggle.times % 2 ? 100000 : 0);
    if (toggle.times) loop_timer_start(toggle.world->loop, t, 15);
}

static void expect_what_was_answered(struct world *w, const struct poster *p) {
    struct position head = world_head(w, p->video).at;
    assert_int_equal(head.seq, p->answered);
    const struct world_range *r = world_range(w, p->video, (struct position){0}, WORLD_RANGE);
    for (size_t i = 0; i < r->count; i++) assert_int_equal(r->at[i].seq, head.seq - r->count + 1 + i);
}

static void a_disk_that_is_full_now_and_then_loses_and_repeats_nothing(void **state) {
    struct world *w = *state;
    struct poster posters[3] = {{.video = "a"}, {.video = "b"}, {.video = "c"}};
    toggle.timer.on_due = on_toggle;
    toggle.world = w;
    toggle.times = 100;
    loop_timer_start(w->loop, &toggle.timer, 0);
    for (int i = 0; i < 30; i++) {
        struct poster *p = &posters[i % 3];
        static const struct engine_subscriber subscriber = {.on_entry = on_delivered};
        p->world = w;
        if (i < 3) w->ops->subscribe(w->engine, p->video, &subscriber, p);
        post(p);
    }
    world_run(w);
    for (int i = 0; i < 3; i++) {
        assert_true(posters[i].answered > 0 && posters[i].refused > 0);
        assert_int_equal(posters[i].heard, posters[i].answered);
        expect_what_was_answered(w, &posters[i]);
    }
    world_reopen(w);
    for (int i = 0; i < 3; i++) expect_what_was_answered(w, &posters[i]);
}

static void a_new_store_on_a_full_disk_is_refused(void **state) {
    struct world *w = *state;
    limit_file_size(5000);
    bool opened = world_try_open(w);
    limit_file_size(0);
    assert_false(opened);
    assert_non_null(strstr(w->why, w->path));
    world_open(w);
    world_post(w, "v", 1);
}

// Too much to do

enum { FLOOD = 20000, FLOOD_FITS = 16384 };
static struct world_append flood[FLOOD];

static void more_than_can_wait_is_refused(void **state) {
    struct world *w = *state;
    for (int i = 0; i < FLOOD; i++) world_begin_append(w, &flood[i], "v", "{\"comment\":\"x\"}", NULL);
    world_wait(w);
    for (int i = 0; i < FLOOD; i++) {
        assert_int_equal(flood[i].calls, 1);
        assert_int_equal(flood[i].status, i < FLOOD_FITS ? ENGINE_OK : ENGINE_BUSY);
    }
    assert_int_equal(world_post(w, "v", 1).seq, FLOOD_FITS + 1);
}

struct stubborn {
    struct world *world;
    unsigned refused, answered;
};

static void count_ranges(void *arg, enum engine_status status, const struct engine_range *range) {
    struct stubborn *s = arg;
    (void)range;
    if (status == ENGINE_BUSY)
        s->refused++;
    else
        s->answered++;
    world_answered(s->world);
}

// Found by tests/integration/attack: pages of comments whose clients had gone were all that could wait.
static void reads_of_the_log_leave_room_for_comments(void **state) {
    struct world *w = *state;
    struct stubborn s = {.world = w};
    for (int i = 0; i < FLOOD; i++) {
        w->awaited++;
        w->ops->range(w->engine, "v", (struct position){0}, 10, count_ranges, &s);
    }
    world_begin_append(w, &flood[0], "v", "{\"comment\":\"x\"}", NULL);
    world_wait(w);
    assert_int_equal(flood[0].status, ENGINE_OK);
    assert_int_equal(s.answered, FLOOD_FITS * 3 / 4);
    assert_int_equal(s.refused, FLOOD - s.answered);
    w->ops->range(w->engine, "v", (struct position){0}, 10, count_ranges, &s); // and there is room again
    w->awaited++;
    world_wait(w);
    assert_int_equal(s.answered, FLOOD_FITS * 3 / 4 + 1);
}

static void count_busy(void *arg, enum engine_status status, const struct engine_entry *e,
                       const struct engine_first *first) {
    (void)first;
    (void)e;
    struct stubborn *s = arg;
    if (status == ENGINE_BUSY) s->refused++;
    world_answered(s->world);
}

static void what_waits_is_bounded_in_bytes_too(void **state) {
    struct world *w = *state;
    enum { BYTES = 64000, MANY = 1000 };
    static char json[BYTES + 1];
    struct stubborn s = {.world = w};
    memset(json, ' ', BYTES);
    memcpy(json, "{\"a\":1", 6);
    json[BYTES - 1] = '}';
    const struct engine_append what = world_comment("v", json);
    for (int i = 0; i < MANY; i++) {
        w->awaited++;
        w->ops->append(w->engine, &what, count_busy, &s);
    }
    world_wait(w);
    assert_in_range(s.refused, 400, 600);
    assert_int_equal(world_head(w, "v").at.seq, MANY - s.refused);
}

static void on_retry(void *arg, enum engine_status status, const struct engine_entry *e,
                     const struct engine_first *first);

static void try_again(struct stubborn *s) {
    const struct engine_append what = world_comment("v", "{\"a\":1}");
    s->world->ops->append(s->world->engine, &what, on_retry, s);
}

static void on_retry(void *arg, enum engine_status status, const struct engine_entry *e,
                     const struct engine_first *first) {
    (void)first;
    (void)e;
    struct stubborn *s = arg;
    if (status == ENGINE_OK) {
        world_answered(s->world);
        return;
    }
    assert_int_equal(status, ENGINE_BUSY);
    s->refused++;
    try_again(s);
}

static void an_immediate_retry_succeeds_in_the_end(void **state) {
    struct world *w = *state;
    struct stubborn s = {.world = w};
    for (int i = 0; i < FLOOD_FITS; i++) world_begin_append(w, &flood[i], "v", "{\"comment\":\"x\"}", NULL);
    w->awaited++;
    try_again(&s);
    world_wait(w);
    assert_true(s.refused > 0);
}

static void count_entries(void *arg, enum engine_status status, const struct engine_range *range) {
    struct stubborn *s = arg;
    assert_int_equal(status, ENGINE_OK);
    assert_int_equal(range->count, 1000);
    s->answered++;
    world_answered(s->world);
}

static void large_answers_all_come(void **state) {
    struct world *w = *state;
    struct stubborn s = {.world = w};
    enum { ASKED = 500 }; // more than the thread keeps ready
    world_post_many(w, "v", 1000);
    for (int i = 0; i < ASKED; i++) {
        w->awaited++;
        w->ops->range(w->engine, "v", (struct position){0}, 1000, count_entries, &s);
    }
    world_wait(w);
    assert_int_equal(s.answered, ASKED);
}

// The end

static void closing_answers_everything_once(void **state) {
    struct world *w = *state;
    enum { MANY = 5000 };
    unsigned stored = 0;
    for (int i = 0; i < MANY; i++) world_begin_append(w, &flood[i], "v", "{\"comment\":\"x\"}", NULL);
    int64_t begin_ms = clock_monotonic_ms();
    w->ops->close(w->engine);
    w->engine = NULL;
    assert_int_equal(w->awaited, 0);
    assert_true(clock_monotonic_ms() - begin_ms < 5000);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(flood[i].calls, 1);
        if (flood[i].status == ENGINE_OK)
            stored++;
        else
            assert_int_equal(flood[i].status, ENGINE_CLOSED);
    }
    world_open(w);
    assert_int_equal(world_head(w, "v").at.seq, stored);
}

static void can_be_closed_right_after_opening(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 20; i++) world_reopen(w);
    assert_int_equal(world_append(w, "v", "{\"comment\":\"x\"}", NULL).status, ENGINE_OK);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make_open, free_without_limit)
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_refuses_and_recovers_by_itself),
        TEST(a_full_disk_after_a_deletion_costs_no_cpu),
        TEST(a_full_disk_fails_the_whole_batch_and_no_number_is_lost),
        TEST(a_full_disk_does_not_end_leases),
        TEST(a_full_disk_is_not_written_to_by_heartbeats),
        TEST(what_was_answered_before_a_full_disk_survives_it),
        TEST(a_disk_that_is_full_now_and_then_loses_and_repeats_nothing),
        cmocka_unit_test_setup_teardown(a_new_store_on_a_full_disk_is_refused, world_make,
                                        free_without_limit),
        TEST(more_than_can_wait_is_refused),
        TEST(reads_of_the_log_leave_room_for_comments),
        TEST(what_waits_is_bounded_in_bytes_too),
        TEST(an_immediate_retry_succeeds_in_the_end),
        TEST(large_answers_all_come),
        TEST(closing_answers_everything_once),
        TEST(can_be_closed_right_after_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
