// Placement on an embedded engine, whose clock the test moves.
#include "embedded_world.h"
#include "not_inside.h"
#include "run_loop.h"

#include "base/mem.h"
#include "placement/mappings.h"
#include "placement/placement.h"
#include "placement/readers.h"

enum { TTL_MS = READERS_LEASE_MS, STEP_MS = 500, GRACE_MS = 5000 };

#define placement_register(...) INSIDE(placement_register(__VA_ARGS__))
#define placement_resolve(...)  INSIDE(placement_resolve(__VA_ARGS__))
#define placement_confirm(...)  INSIDE(placement_confirm(__VA_ARGS__))

static const char first[] = "http://127.0.0.1:4001", second[] = "http://127.0.0.1:4002";

static void renew(struct world *w, const char *url, int ttl_ms) {
    world_renew(w, &(struct engine_lease){.reader_url = url, .instance_id = "reader", .generation = 1},
                ttl_ms);
}

// The first reader has had video v and is gone, the second is there.
static void lose_first(struct world *w) {
    renew(w, first, TTL_MS);
    renew(w, second, TTL_MS);
    assert_true(world_assign(w, "v", first).changed);
    run_later(w->loop, TTL_MS + 1);
    renew(w, second, TTL_MS);
}

// Time passes, in which the second reader renews its lease and the list is read.
static void pass(struct world *w, int64_t ms) {
    for (; ms > 0; ms -= STEP_MS) {
        renew(w, second, TTL_MS);
        run_later(w->loop, STEP_MS < ms ? STEP_MS : ms);
        world_leases(w); // answered behind placement's
    }
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
    assert_not_inside();
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

static void test_without_grace_a_lost_readers_video_moves_immediately(void **state) {
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
    pass(w, GRACE_MS - STEP_MS);
    assert_string_equal(owner(w, p), first);
    pass(w, STEP_MS);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void test_a_reader_that_is_back_within_the_grace_keeps_its_video(void **state) {
    struct world *w = *state;
    lose_first(w);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);
    for (int i = 0; i < GRACE_MS / STEP_MS + 1; i++) {
        renew(w, first, TTL_MS);
        pass(w, STEP_MS);
    }
    assert_string_equal(owner(w, p), first);
    end(w, p);
}

static void renew_with_load(struct world *w, const char *url, const char *load) {
    world_renew(
        w, &(struct engine_lease){.reader_url = url, .instance_id = "reader", .generation = 1, .load = load},
        TTL_MS);
}

static void test_the_videos_of_a_reader_that_drains_go_to_others(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    assert_true(world_assign(w, "v", first).changed);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);
    renew_with_load(w, first, "{\"draining\":true}");
    run_later(w->loop, STEP_MS);
    world_leases(w);
    assert_string_equal(owner(w, p), first); // there is no other
    renew_with_load(w, first, "{\"draining\":true}");
    pass(w, STEP_MS);
    assert_string_equal(owner(w, p), second);
    assert_int_equal(placement_reader_count(p), 1);
    renew_with_load(w, first, "{}"); // it has been told to stay
    pass(w, STEP_MS);
    assert_string_equal(owner(w, p), second);
    assert_int_equal(placement_reader_count(p), 2);
    end(w, p);
}

static void test_a_full_reader_gets_no_videos_while_another_has_room(void **state) {
    (void)state;
    struct readers r;
    struct engine_lease leases[] = {
        {.reader_url = first,
         .left_ms = 3000,
         .viewers = 10,
         .load = "{\"most\":10,\"connects\":7,\"x\":[]}"},
        {.reader_url = second, .left_ms = 3000, .viewers = 99}}; // an older version says nothing
    readers_init(&r, NULL, 0);
    readers_update(&r, leases, 2, 1000, 0);
    assert_int_equal(r.live_count, 1);
    assert_string_equal(r.live[0].reader_url, second);
    assert_int_equal(readers_find(&r, first)->load.connects, 7);
    leases[1].load = "{\"most\":99}";
    readers_update(&r, leases, 2, 1500, 0);
    assert_int_equal(r.live_count, 2); // rather one too many than none
    leases[0].load = "no JSON";
    readers_update(&r, leases, 2, 2000, 0);
    assert_int_equal(r.live_count, 1);
    assert_string_equal(r.live[0].reader_url, first);
    readers_release(&r);
}

static void test_a_reader_that_stops_within_the_grace_may_return(void **state) {
    (void)state;
    struct readers r;
    struct engine_lease lease = {.reader_url = first, .left_ms = 3000};
    readers_init(&r, NULL, GRACE_MS);
    readers_update(&r, &lease, 1, 1000, 0);
    lease.given_up = true;
    lease.stamp = 1;
    readers_update(&r, &lease, 1, 1500, 0);
    assert_int_equal(readers_state(&r, first), READER_GONE);
    assert_int_equal(readers_find(&r, first)->may_return_ms, 1000 + GRACE_MS);
    lease.given_up = false;
    lease.stamp = 2;
    readers_update(&r, &lease, 1, 2000, 0);
    assert_int_equal(readers_state(&r, first), READER_LIVE);
    assert_int_equal(readers_find(&r, first)->may_return_ms, 0);
    readers_release(&r);
}

static void test_what_is_no_url_has_no_grace(void **state) {
    struct world *w = *state;
    renew(w, second, TTL_MS);
    assert_true(world_assign(w, "v", "not a URL").changed);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void no_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    (void)engine;
    cb(arg, ENGINE_UNAVAILABLE, NULL, 0);
}

static void test_time_in_which_the_store_is_away_does_not_end_a_lease(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    renew(w, second, TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);

    struct engine_ops away = *w->engine->ops;
    away.leases = no_leases;
    w->engine->ops = &away;
    run_later(w->loop, 2 * GRACE_MS); // neither reader can renew
    w->engine->ops = w->ops;
    pass(w, READERS_RECOVERY_MS - STEP_MS); // the first is not back yet
    assert_string_equal(owner(w, p), first);
    pass(w, TTL_MS);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void test_a_lease_that_had_ended_before_the_store_was_away_has_no_grace_after(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    renew(w, second, TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);
    pass(w, TTL_MS + STEP_MS); // the first has died
    struct engine_ops away = *w->engine->ops;
    away.leases = no_leases;
    w->engine->ops = &away;
    run_later(w->loop, STEP_MS);
    w->engine->ops = w->ops;
    pass(w, STEP_MS);
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

static void test_time_in_which_the_store_is_slow_does_not_end_a_lease(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    renew(w, second, TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, GRACE_MS, NULL);
    assert_string_equal(owner(w, p), first);

    struct engine_ops slow = *w->engine->ops;
    slow.leases = hold_leases;
    w->engine->ops = &slow;
    run_later(w->loop, STEP_MS);      // asks
    run_later(w->loop, 2 * GRACE_MS); // the first reader's renewal waits like our question, behind it
    w->engine->ops = w->ops;
    assert_non_null(held.cb);
    w->ops->leases(w->engine, held.cb, held.arg);
    world_leases(w);
    assert_string_equal(owner(w, p), first);
    pass(w, TTL_MS + STEP_MS);
    assert_string_equal(owner(w, p), second);
    end(w, p);
}

static void count_answer(void *arg, const struct placement_answer *a) {
    (void)a;
    assert_not_inside();
    ++*(unsigned *)arg;
}

// 20,000 viewers of a hot video come while one lookup takes long: O(n^2) would take many seconds.
static void test_many_queries_share_one_lookup(void **state) {
    struct world *w = *state;
    enum { CROWD = 200000 };
    renew(w, first, TTL_MS);
    struct placement *p = start(w, 0, NULL);
    unsigned answered = 0;
    int64_t began_us = moved_clock_own_work_us();
    for (int i = 0; i < CROWD; i++) placement_register(p, "v", count_answer, &answered);
    int64_t took_us = moved_clock_own_work_us() - began_us;
    assert_int_equal(answered, 0);
    assert_string_equal(owner(w, p), first);
    assert_int_equal(answered, CROWD);
    assert_true(took_us < 5000000); // 200,000^2 / 2 steps are 20 s and more
    end(w, p);
}

// Asks for another video from the callback, before the first listing and with the store away.
struct insistent {
    struct placement *placement;
    unsigned refused;
};

static void insist(void *arg, const struct placement_answer *a) {
    struct insistent *i = arg;
    char video[16];
    assert_not_inside();
    assert_int_equal(a->status, PLACEMENT_UNAVAILABLE);
    snprintf(video, sizeof video, "more-%u", ++i->refused);
    if (i->refused < 500) placement_register(i->placement, video, insist, i);
}

static void test_a_query_refused_before_the_first_listing_may_be_repeated(void **state) {
    struct world *w = *state;
    struct engine_ops away = *w->engine->ops;
    away.leases = no_leases;
    w->engine->ops = &away;
    struct placement *p = placement_new(w->loop, w->engine, &(struct placement_config){.grace_ms = 0});
    struct insistent i = {.placement = p};
    for (int n = 0; n < 100; n++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", n);
        placement_register(p, video, insist, &i);
    }
    placement_start(p);
    while (i.refused < 500) run_later(w->loop, STEP_MS);
    assert_in_range(i.refused, 500, 500 + 100); // each of the first hundred once, and what it asked for
    w->engine->ops = w->ops;
    end(w, p);
}

static void test_a_full_cache_refuses_and_does_not_grow(void **state) {
    struct world *w = *state;
    struct placement *p = placement_new(w->loop, w->engine, &(struct placement_config){.grace_ms = 0});
    unsigned answered = 0;
    int64_t began_us = moved_clock_own_work_us();
    for (int i = 0; i < PLACEMENT_CACHE_MAX + 5000; i++) { // none has been listed: all wait
        char video[16];
        snprintf(video, sizeof video, "v%d", i);
        placement_register(p, video, count_answer, &answered);
    }
    assert_int_equal(placement_cached_count(p), PLACEMENT_CACHE_MAX);
    assert_int_equal(answered, 0);
    run_turns(w->loop, 1);
    assert_int_equal(answered, 5000);
    assert_true(moved_clock_own_work_us() - began_us < 20000000);
    end(w, p);
}

static const char *confirmed_owner;

static void on_confirmed(void *arg, const struct placement_answer *a) {
    on_answer(arg, a);
    confirmed_owner = a->confirmed ? "confirmed" : "not";
}

static void test_a_confirmed_answer_comes_from_the_store_and_not_from_the_cache(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    renew(w, second, TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, 0, NULL);
    assert_string_equal(owner(w, p), first);
    assert_true(world_reassign(w, "v", first, second).changed);
    assert_string_equal(owner(w, p), first); // known a moment ago
    struct asked asked = {.world = w};
    w->awaited++;
    placement_confirm(p, "v", true, on_confirmed, &asked);
    world_wait(w);
    assert_string_equal(asked.reader, second);
    assert_string_equal(confirmed_owner, "confirmed");
    end(w, p);
}

// Callbacks of one test, in the order in which they came.
struct sequence_of_answers {
    char order[16];
    unsigned registered;
};

struct caller {
    struct sequence_of_answers *answers;
    char name;
};

static void on_caller_answer(void *arg, const struct placement_answer *a) {
    struct caller *c = arg;
    assert_not_inside();
    assert_int_equal(a->status, PLACEMENT_OK);
    assert_string_equal(a->reader_url, first);
    c->answers->order[strlen(c->answers->order)] = c->name;
    c->answers->registered += a->registered;
}

static bool all_have_come(void *arg) {
    return strlen(((struct sequence_of_answers *)arg)->order) == 3;
}

static void test_answers_from_the_store_come_in_the_order_of_the_calls_and_one_has_registered(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    struct placement *p = start(w, 0, NULL);
    struct sequence_of_answers s = {0};
    struct caller a = {&s, 'a'}, b = {&s, 'b'}, c = {&s, 'c'};
    placement_resolve(p, "v", on_caller_answer, &a);
    placement_register(p, "v", on_caller_answer, &b);
    placement_register(p, "v", on_caller_answer, &c);
    run_until(w->loop, all_have_come, &s);
    assert_string_equal(s.order, "abc");
    assert_int_equal(s.registered, 1);
    end(w, p);
}

static void test_answers_from_the_cache_come_in_the_same_turn_in_the_order_of_the_calls(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = start(w, 0, NULL);
    assert_string_equal(owner(w, p), first);
    struct sequence_of_answers s = {0};
    struct caller a = {&s, 'a'}, b = {&s, 'b'}, c = {&s, 'c'};
    placement_resolve(p, "v", on_caller_answer, &a);
    placement_register(p, "v", on_caller_answer, &b);
    placement_resolve(p, "v", on_caller_answer, &c);
    run_turns(w->loop, 1);
    assert_string_equal(s.order, "abc");
    assert_int_equal(s.registered, 0);
    end(w, p);
}

static struct placement *asked_again;

static void ask_again(void *arg, const struct placement_answer *a) {
    on_caller_answer(arg, a);
    if (!all_have_come(((struct caller *)arg)->answers)) placement_resolve(asked_again, "v", ask_again, arg);
}

static void test_a_callback_may_ask_again(void **state) {
    struct world *w = *state;
    renew(w, first, TTL_MS);
    world_assign(w, "v", first);
    struct placement *p = asked_again = start(w, 0, NULL);
    struct sequence_of_answers s = {0};
    struct caller a = {&s, 'a'};
    placement_resolve(p, "v", ask_again, &a);
    run_until(w->loop, all_have_come, &s);
    assert_string_equal(s.order, "aaa");
    end(w, p);
}

static void on_last_answer(void *arg, const struct placement_answer *a) {
    assert_not_inside();
    assert_int_equal(a->status, PLACEMENT_UNAVAILABLE);
    ++*(unsigned *)arg;
}

static void test_queries_that_wait_for_the_listing_are_answered_by_free(void **state) {
    struct world *w = *state;
    struct placement *p = placement_new(w->loop, w->engine, &(struct placement_config){.grace_ms = 0});
    unsigned answered = 0;
    placement_resolve(p, "v", on_last_answer, &answered);
    placement_confirm(p, "v", true, on_last_answer, &answered);
    end(w, p);
    assert_int_equal(answered, 2);
}

static void let_pass(struct world *w, int64_t ms) {
    for (; ms > 0; ms -= 500) { // the cache is looked at every 500 ms
        renew(w, first, TTL_MS);
        run_later(w->loop, 500);
    }
}

static void test_unused_mappings_are_dropped(void **state) {
    struct world *w = *state;
    enum { MANY = 300 };
    renew(w, first, TTL_MS);
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
    renew(w, second, TTL_MS);
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
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) assert_true(placement_urls_are_plain(plain[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(placement_urls_are_plain(wrong[i]));
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, world_make_open, world_free)

// A store whose clock the test sets, and an observer that judges its listings.
struct observed {
    struct readers readers;
    int64_t now_ms;
};

static void observe(struct observed *o, const struct engine_lease *leases, size_t count) {
    readers_update(&o->readers, leases, count, o->now_ms += STEP_MS, 0);
}

static void observe_for(struct observed *o, const struct engine_lease *lease, int64_t ms) {
    for (; ms > 0; ms -= STEP_MS) observe(o, lease, 1);
}

static void begin_observing(struct observed *o, const struct engine_lease *lease) {
    *o = (struct observed){.now_ms = 1000};
    readers_init(&o->readers, NULL, GRACE_MS);
    readers_update(&o->readers, lease, 1, o->now_ms, 0);
}

static void test_a_dead_reader_is_gone_after_three_seconds_though_the_stores_clock_was_set_back(
    void **state) {
    (void)state;
    struct observed o;
    struct engine_lease l = {.reader_url = first, .stamp = 100000, .left_ms = 3000};
    begin_observing(&o, &l);
    l.left_ms = 33000; // for 30 s it will look alive
    observe_for(&o, &l, READERS_LEASE_MS - STEP_MS);
    assert_int_equal(readers_state(&o.readers, first), READER_LIVE);
    observe_for(&o, &l, STEP_MS);
    assert_int_equal(readers_state(&o.readers, first), READER_GONE);
    assert_int_equal(o.readers.live_count, 0);
    readers_release(&o.readers);
}

static void test_a_live_reader_stays_though_the_stores_clock_jumps(void **state) {
    (void)state;
    struct observed o;
    struct engine_lease l = {.reader_url = first, .stamp = 100000, .left_ms = 3000};
    begin_observing(&o, &l);
    static const int64_t jumps[] = {30000, -30000, 3600000, -86400000, 2592000000};
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        l.stamp += 1000;
        l.left_ms = 3000 - jumps[i]; // the clock is set after the renewal
        observe(&o, &l, 1);
        assert_int_equal(readers_state(&o.readers, first), READER_LIVE);
        observe(&o, &l, 1);
        l.stamp = (uint64_t)((int64_t)l.stamp + jumps[i] + 1000);
        l.left_ms = 3000;
        observe(&o, &l, 1);
        assert_int_equal(readers_state(&o.readers, first), READER_LIVE);
    }
    readers_release(&o.readers);
}

static void test_a_lease_first_seen_lasts_by_the_stores_clock_but_no_longer_than_a_lease(void **state) {
    (void)state;
    static const struct {
        int64_t left_ms;
        bool given_up;
        enum reader_state state;
    } cases[] = {{3000, false, READER_LIVE},      {1, false, READER_LIVE},     {0, false, READER_GONE},
                 {-86400000, false, READER_GONE}, {29000, false, READER_GONE}, // the clock was set back
                 {3000, true, READER_GONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct observed o;
        struct engine_lease l = {
            .reader_url = first, .stamp = 1, .left_ms = cases[i].left_ms, .given_up = cases[i].given_up};
        begin_observing(&o, &l);
        assert_int_equal(readers_state(&o.readers, first), cases[i].state);
        observe_for(&o, &l, READERS_LEASE_MS);
        assert_int_equal(readers_state(&o.readers, first), READER_GONE);
        readers_release(&o.readers);
    }
}

static void test_a_lease_new_between_listings_is_live_whatever_the_stores_clock(void **state) {
    (void)state;
    struct observed o;
    struct engine_lease leases[] = {{.reader_url = first, .stamp = 1, .left_ms = 3000},
                                    {.reader_url = second, .stamp = 1, .left_ms = -27000}};
    begin_observing(&o, leases);
    observe(&o, leases, 2);
    assert_int_equal(readers_state(&o.readers, second), READER_LIVE);
    readers_release(&o.readers);
}

static void test_a_lease_that_an_older_version_gives_up_ends_immediately(void **state) {
    (void)state;
    struct observed o;
    struct engine_lease l = {.reader_url = first, .stamp = 103000, .left_ms = 3000};
    begin_observing(&o, &l);
    l.stamp = 100500; // now
    l.left_ms = 0;
    observe(&o, &l, 1);
    assert_int_equal(readers_state(&o.readers, first), READER_GONE);
    readers_release(&o.readers);
}

static void test_hiccups_of_the_store_do_not_keep_a_dead_reader(void **state) {
    (void)state;
    struct observed o;
    struct engine_lease l = {.reader_url = first, .stamp = 1, .left_ms = 3000};
    begin_observing(&o, &l);
    int64_t dead_ms = o.now_ms;
    while (readers_state(&o.readers, first) == READER_LIVE) {
        observe_for(&o, &l, 2 * STEP_MS);
        readers_update(&o.readers, &l, 1, o.now_ms += 50, 50); // its connection was cut, and is back
    }
    assert_true(o.now_ms - dead_ms <= READERS_LEASE_MS + 2 * STEP_MS);
    readers_release(&o.readers);
}

static void test_a_live_lease_that_is_no_longer_listed_counts_for_a_moment(void **state) {
    (void)state;
    struct readers r;
    struct engine_lease leases[] = {{.reader_url = first, .left_ms = 3000}, {.reader_url = second}};
    readers_init(&r, NULL, 0);
    readers_update(&r, leases, 2, 1000, 0);
    readers_update(&r, NULL, 0, 2000, 0); // the store has been emptied
    assert_int_equal(readers_state(&r, first), READER_LIVE);
    assert_int_equal(readers_state(&r, second), READER_GONE);
    assert_int_equal(r.live_count, 1);
    readers_update(&r, NULL, 0, 2000 + READERS_VANISHED_MS - 1, 0);
    assert_int_equal(r.live_count, 1);
    readers_update(&r, NULL, 0, 2000 + READERS_VANISHED_MS, 0);
    assert_int_equal(readers_state(&r, first), READER_GONE);
    assert_int_equal(r.live_count, 0);
    readers_release(&r);
}

static void test_a_reader_whose_lease_the_store_has_lost_stays_gone_until_it_writes_one(void **state) {
    (void)state;
    struct readers r;
    struct engine_lease lease = {.reader_url = first, .stamp = 1, .left_ms = 3000};
    readers_init(&r, NULL, 0);
    readers_update(&r, &lease, 1, 1000, 0);
    for (int64_t now_ms = 2000; now_ms < 60000; now_ms += 500) readers_update(&r, NULL, 0, now_ms, 0);
    assert_int_equal(readers_state(&r, first), READER_GONE);
    lease.stamp = 2;
    readers_update(&r, &lease, 1, 60000, 0);
    assert_int_equal(readers_state(&r, first), READER_LIVE);
    readers_update(&r, NULL, 0, 60500, 0);
    readers_update(&r, NULL, 0, 60500 + READERS_FORGOTTEN_MS, 0);
    assert_int_equal(r.count, 0);
    readers_release(&r);
}

static void test_a_lease_that_was_given_up_does_not_count_though_it_was_live(void **state) {
    (void)state;
    struct readers r;
    struct engine_lease lease = {.reader_url = first, .left_ms = 3000};
    readers_init(&r, NULL, 0);
    readers_update(&r, &lease, 1, 1000, 0);
    lease.given_up = true;
    lease.stamp = 1;
    readers_update(&r, &lease, 1, 1500, 0);
    assert_int_equal(readers_state(&r, first), READER_GONE);
    readers_update(&r, NULL, 0, 2000, 0);
    assert_int_equal(readers_state(&r, first), READER_GONE);
    readers_release(&r);
}

// Each listing takes time in proportion to the readers, and not to their square.
static void test_thousands_of_readers(void **state) {
    (void)state;
    enum { MANY = 20000 };
    struct engine_lease *leases = mem_zalloc(MANY * sizeof *leases);
    char(*urls)[32] = mem_alloc(MANY * sizeof *urls);
    struct readers r;
    readers_init(&r, first, 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(urls[i], sizeof urls[i], "http://reader-%05d:4000", i);
        leases[i] = (struct engine_lease){.reader_url = urls[i], .left_ms = 3000};
    }
    int64_t began_us = moved_clock_own_work_us();
    for (int64_t now_ms = 1000; now_ms < 6000; now_ms += STEP_MS) {
        for (int i = 0; i < MANY; i++) leases[i].stamp++;
        readers_update(&r, leases, MANY, now_ms, 0);
        assert_int_equal(r.live_count, MANY + 1);
    }
    readers_update(&r, leases, 0, 6000, 0);
    assert_int_equal(r.live_count, MANY + 1);
    readers_update(&r, leases, 0, 9000, 0);
    assert_int_equal(r.live_count, 1);
    assert_true(moved_clock_own_work_us() - began_us < 10000000); // by their square: minutes
    readers_release(&r);
    free(urls);
    free(leases);
}

static void test_whether_a_host_is_a_urls_own(void **state) {
    (void)state;
    assert_true(placement_url_is_at("http://reader-1:4000", "Reader-1:4000"));
    assert_true(placement_url_is_at("https://[::1]:4000", "[::1]:4000"));
    assert_false(placement_url_is_at("http://reader-1:4000", "reader-1"));
    assert_false(placement_url_is_at("http://reader-1:4000", "reader-1:40001"));
    assert_false(placement_url_is_at("http://proxy/reader-1", "proxy"));
    assert_false(placement_url_is_at("reader-1:4000", "reader-1:4000"));
}

// When requests are sent to the first reader's address.
static const struct engine_lease asked = {.reader_url = first, .generation = 7, .stamp = 1};

// A table with the first reader, whose lease was written at 1000, when it may have answered a request too;
// the store is away from 1500 to 5000, when it is asked again.
static struct readers after_outage(struct engine_lease *lease, bool answered, enum reader_presence presence) {
    struct readers r;
    *lease = (struct engine_lease){.reader_url = first, .left_ms = 3000, .generation = 7, .stamp = 1};
    readers_init(&r, NULL, 0);
    readers_update(&r, lease, 1, 1000, 0);
    if (answered) readers_note_presence(&r, &asked, PRESENCE_ANSWERS);
    readers_update(&r, lease, 1, 1500, 0);
    readers_update(&r, lease, 1, 5000, 3500);
    assert_int_equal(readers_state(&r, first), READER_LIVE);
    readers_note_presence(&r, &asked, presence);
    return r;
}

// Returns the state once the store has answered for as long as a live reader needs to renew its lease, and
// releases the table.
static enum reader_state state_in_time(struct readers *r, struct engine_lease *lease, bool renews) {
    int64_t due_ms = r->answering_ms + READERS_RENEWED_MS;
    readers_update(r, lease, 1, due_ms - 800, 0);
    readers_update(r, lease, 1, due_ms - 1, 0);
    assert_int_equal(readers_state(r, first), READER_LIVE);
    if (renews) lease->stamp++;
    readers_update(r, lease, 1, due_ms, 0);
    enum reader_state state = readers_state(r, first);
    readers_release(r);
    return state;
}

static void test_after_an_outage_a_reader_is_gone_sooner_if_its_address_refuses(void **state) {
    (void)state;
    struct engine_lease lease;
    struct readers r = after_outage(&lease, true, PRESENCE_REFUSES);
    assert_int_equal(state_in_time(&r, &lease, false), READER_GONE);
}

static void test_a_reader_that_renewed_its_lease_just_before_the_outage_is_gone_as_soon(void **state) {
    (void)state;
    struct engine_lease lease = {.reader_url = first, .left_ms = 3000, .generation = 7, .stamp = 1};
    struct readers r;
    readers_init(&r, NULL, 0);
    readers_update(&r, &lease, 1, 1000, 0);
    readers_note_presence(&r, &lease, PRESENCE_ANSWERS);
    lease.stamp = 2; // written at 1400
    lease.left_ms = -600;
    readers_update(&r, &lease, 1, 5000, 4000);
    readers_note_presence(&r, &lease, PRESENCE_REFUSES);
    assert_int_equal(state_in_time(&r, &lease, false), READER_GONE);
}

static void test_a_reader_whose_address_never_answered_is_not_judged_by_it(void **state) {
    (void)state;
    struct engine_lease lease;
    struct readers r = after_outage(&lease, false, PRESENCE_REFUSES);
    assert_int_equal(state_in_time(&r, &lease, false), READER_LIVE);
}

static void test_a_reader_that_does_not_answer_is_not_gone_for_that(void **state) {
    (void)state;
    struct engine_lease lease;
    struct readers r = after_outage(&lease, true, PRESENCE_UNKNOWN);
    assert_int_equal(state_in_time(&r, &lease, false), READER_LIVE);
}

static void test_a_reader_that_renews_its_lease_in_time_is_live_though_its_address_refuses(void **state) {
    (void)state;
    struct engine_lease lease;
    struct readers r = after_outage(&lease, true, PRESENCE_REFUSES);
    assert_int_equal(state_in_time(&r, &lease, true), READER_LIVE);
}

static void test_each_outage_leaves_a_live_reader_whose_address_refuses_time_to_renew(void **state) {
    (void)state;
    struct engine_lease lease;
    struct readers r = after_outage(&lease, true, PRESENCE_REFUSES);
    readers_update(&r, &lease, 1, 6600, 1600);
    assert_int_equal(state_in_time(&r, &lease, true), READER_LIVE);
}

// The table as it is 4 s after that process or lease was seen, in an outage, when the address of the first
// lease has refused.
static struct readers after_late_refusal(struct engine_lease *lease, uint64_t generation) {
    struct readers r = after_outage(lease, true, PRESENCE_UNKNOWN);
    lease->generation = generation;
    lease->stamp = 2;
    readers_update(&r, lease, 1, 5200, 0);
    readers_note_presence(&r, &asked, PRESENCE_REFUSES);
    readers_update(&r, lease, 1, 9200, 4000);
    return r;
}

static void test_a_refusal_says_nothing_of_a_later_process_at_the_address(void **state) {
    (void)state;
    struct engine_lease lease;
    struct readers r = after_late_refusal(&lease, 8);
    assert_int_equal(state_in_time(&r, &lease, false), READER_LIVE);
}

static void test_a_refusal_that_a_renewal_has_overtaken_does_not_count(void **state) {
    (void)state;
    struct engine_lease lease;
    struct readers r = after_late_refusal(&lease, 7);
    assert_int_equal(state_in_time(&r, &lease, false), READER_LIVE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        OPEN(test_without_grace_a_lost_readers_video_moves_immediately),
        OPEN(test_within_the_grace_it_stays_and_then_moves),
        OPEN(test_a_reader_that_is_back_within_the_grace_keeps_its_video),
        OPEN(test_the_videos_of_a_reader_that_drains_go_to_others),
        cmocka_unit_test(test_a_full_reader_gets_no_videos_while_another_has_room),
        cmocka_unit_test(test_a_reader_that_stops_within_the_grace_may_return),
        OPEN(test_what_is_no_url_has_no_grace),
        OPEN(test_time_in_which_the_store_is_away_does_not_end_a_lease),
        OPEN(test_a_lease_that_had_ended_before_the_store_was_away_has_no_grace_after),
        OPEN(test_time_in_which_the_store_is_slow_does_not_end_a_lease),
        OPEN(test_many_queries_share_one_lookup),
        OPEN(test_a_query_refused_before_the_first_listing_may_be_repeated),
        OPEN(test_a_full_cache_refuses_and_does_not_grow),
        OPEN(test_a_confirmed_answer_comes_from_the_store_and_not_from_the_cache),
        OPEN(test_answers_from_the_store_come_in_the_order_of_the_calls_and_one_has_registered),
        OPEN(test_answers_from_the_cache_come_in_the_same_turn_in_the_order_of_the_calls),
        OPEN(test_a_callback_may_ask_again),
        OPEN(test_queries_that_wait_for_the_listing_are_answered_by_free),
        OPEN(test_unused_mappings_are_dropped),
        OPEN(test_a_reader_of_the_list_is_never_gone),
        cmocka_unit_test(test_lists_of_urls),
        cmocka_unit_test(test_a_live_lease_that_is_no_longer_listed_counts_for_a_moment),
        cmocka_unit_test(test_a_reader_whose_lease_the_store_has_lost_stays_gone_until_it_writes_one),
        cmocka_unit_test(test_a_lease_that_was_given_up_does_not_count_though_it_was_live),
        cmocka_unit_test(test_a_dead_reader_is_gone_after_three_seconds_though_the_stores_clock_was_set_back),
        cmocka_unit_test(test_a_live_reader_stays_though_the_stores_clock_jumps),
        cmocka_unit_test(test_a_lease_first_seen_lasts_by_the_stores_clock_but_no_longer_than_a_lease),
        cmocka_unit_test(test_a_lease_new_between_listings_is_live_whatever_the_stores_clock),
        cmocka_unit_test(test_a_lease_that_an_older_version_gives_up_ends_immediately),
        cmocka_unit_test(test_hiccups_of_the_store_do_not_keep_a_dead_reader),
        cmocka_unit_test(test_after_an_outage_a_reader_is_gone_sooner_if_its_address_refuses),
        cmocka_unit_test(test_a_reader_that_renewed_its_lease_just_before_the_outage_is_gone_as_soon),
        cmocka_unit_test(test_a_reader_whose_address_never_answered_is_not_judged_by_it),
        cmocka_unit_test(test_a_reader_that_does_not_answer_is_not_gone_for_that),
        cmocka_unit_test(test_a_reader_that_renews_its_lease_in_time_is_live_though_its_address_refuses),
        cmocka_unit_test(test_each_outage_leaves_a_live_reader_whose_address_refuses_time_to_renew),
        cmocka_unit_test(test_a_refusal_says_nothing_of_a_later_process_at_the_address),
        cmocka_unit_test(test_a_refusal_that_a_renewal_has_overtaken_does_not_count),
        cmocka_unit_test(test_thousands_of_readers),
        cmocka_unit_test(test_whether_a_host_is_a_urls_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
