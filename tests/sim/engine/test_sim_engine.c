// What callers see of each fault of the simulated engine, which without faults passes test_engine.c: two
// engines of one process, on one store, in a simulated world.
#include "embedded_world.h"
#include "room_contract.h"

#include "../engines.h"
#include "sim_node.h"
#include "../sim.h"

struct test {
    struct sim_store *store;
    struct sim_faults *faults;
    struct world a, b; // two engines on one loop
    bool done;
};

struct script {
    void (*run)(struct test *);
};

enum { SURE = 1000000, MS = 1000, LEAST_US = 100, MOST_US = 2000 };

// The store's events come from outside of processes.
#define OUTSIDE(event)                                                                                       \
    do {                                                                                                     \
        struct sim_process *self = sim_step_out();                                                           \
        event;                                                                                               \
        sim_step_in(self);                                                                                   \
    } while (0)

static void open_engine(struct test *t, struct world *w, struct loop *loop) {
    *w = (struct world){.loop = loop, .guard.on_due = world_on_guard};
    w->config.limits = (struct engine_limits){.log_entries = 1000, .log_age_ms = 3600000};
    w->engine = sim_engine_open(t->store, loop, &w->config.limits);
    w->ops = w->engine->ops;
    world_await_ready(w);
}

static int run_process(void *arg) {
    void **both = arg;
    struct test *t = both[0];
    const struct script *script = both[1];
    struct loop *loop = loop_new();
    open_engine(t, &t->a, loop);
    open_engine(t, &t->b, loop);
    script->run(t);
    world_close(&t->a);
    world_close(&t->b);
    loop_drain(loop);
    loop_free(loop);
    t->done = true;
    sim_end();
    return 0;
}

static void in_world(void **state) {
    struct test t = {.done = false};
    void *both[] = {&t, *state};
    sim_world_start(1, false);
    t.store = engines_start_store();
    t.faults = sim_store_faults(t.store);
    sim_start("a", run_process, both);
    sim_world_run(600 * INT64_C(1000000));
    assert_true(t.done);
    engines_end();
    sim_world_free();
}

static void quiet(struct test *t) {
    *t->faults = (struct sim_faults){.least_us = LEAST_US, .most_us = MOST_US};
}

// Until both engines are connected again; less than a second, after which they tell the store what they know.
static void reconnect(struct test *t) {
    world_let_pass(&t->a, 5);
    world_await_ready(&t->a);
    world_await_ready(&t->b);
}

static struct world_append post(struct world *w, const char *token) {
    return world_append(w, "v", "{\"comment\":\"x\"}", token);
}

// world_range() keeps texts, which would be those of a process that has ended.
struct kept {
    struct world *world;
    size_t count;
};

static void on_kept(void *arg, enum engine_status status, const struct engine_range *range) {
    struct kept *k = arg;
    assert_int_equal(status, ENGINE_OK);
    k->count = range->count;
    world_answered(k->world);
}

static size_t count_kept(struct world *w, const char *video) {
    struct kept k = {.world = w};
    w->awaited++;
    w->ops->range(w->engine, video, (struct position){0}, 1000, on_kept, &k);
    world_wait(w);
    return k.count;
}

// What a subscriber receives.

struct ear {
    unsigned subscribed, entries;
    struct position at[64];
    enum entry_kind kind[64];
    int64_t last_ms;
};

static void ear_on_entry(void *arg, const struct engine_entry *e) {
    struct ear *ear = arg;
    assert_true(ear->entries < 64);
    ear->kind[ear->entries] = e->kind;
    ear->at[ear->entries++] = e->at;
    ear->last_ms = sim_now_us() / MS;
}

static void ear_on_subscribed(void *arg) {
    ((struct ear *)arg)->subscribed++;
}

static void ear_subscribe(struct ear *ear, struct world *w, const char *video) {
    static const struct engine_subscriber subscriber = {.on_entry = ear_on_entry,
                                                        .on_subscribed = ear_on_subscribed};
    *ear = (struct ear){.subscribed = 0};
    w->ops->subscribe(w->engine, video, &subscriber, ear);
    while (!ear->subscribed) world_let_pass(w, 1);
}

static void let_arrive(struct test *t) {
    world_let_pass(&t->a, 2 + 2 * MOST_US / MS);
}

// Appends

static void a_slow_append_delays_what_follows_of_its_video_alone(struct test *t) {
    static struct world_append slow[8], quick;
    t->faults->slow = SURE;
    t->faults->slow_us = 1000 * MS;
    for (int i = 0; i < 8; i++) world_begin_append(&t->a, &slow[i], "v", "{\"comment\":\"x\"}", NULL);
    quiet(t);
    world_begin_append(&t->a, &quick, "other", "{\"comment\":\"x\"}", NULL);
    while (!quick.calls) world_let_pass(&t->a, 1);
    assert_int_equal(slow[7].calls, 0);
    world_wait(&t->a);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(slow[i].status, ENGINE_OK);
        assert_int_equal(slow[i].at.seq, i + 1);
    }
    assert_true(sim_now_us() > 300 * MS);
}

static void what_is_lost_before_the_commit_was_not_done(struct test *t) {
    t->faults->lost_before = SURE;
    assert_int_equal(post(&t->a, "t").status, ENGINE_UNAVAILABLE);
    assert_int_equal(sim_store_count(t->store), 0);
    quiet(t);
    struct world_append again = post(&t->a, "t");
    assert_int_equal(again.status, ENGINE_OK);
    assert_false(again.repeated);
}

static void what_is_lost_after_the_commit_was_done_once(struct test *t) {
    struct ear ear;
    ear_subscribe(&ear, &t->b, "v");
    t->faults->lost_after = SURE;
    assert_int_equal(post(&t->a, "t").status, ENGINE_UNAVAILABLE);
    assert_int_equal(sim_store_count(t->store), 1);
    quiet(t);
    struct world_append again = post(&t->b, "t"); // by another process
    assert_int_equal(again.status, ENGINE_OK);
    assert_true(again.repeated);
    assert_int_equal(again.at.seq, 1);
    let_arrive(t);
    assert_int_equal(ear.entries, 1);
    assert_int_equal(sim_store_count(t->store), 1);
}

static void what_was_called_back_may_be_done_later_and_still_once(struct test *t) {
    t->faults->lost_later = SURE;
    assert_int_equal(post(&t->a, "t").status, ENGINE_UNAVAILABLE);
    assert_int_equal(post(&t->a, "u").status, ENGINE_UNAVAILABLE);
    quiet(t);
    assert_int_equal(post(&t->a, "u").status, ENGINE_OK);
    world_let_pass(&t->a, SIM_LATE_US / MS);
    assert_int_equal(sim_store_count(t->store), 2);
    struct world_append again = post(&t->a, "t");
    assert_true(again.repeated);
    assert_int_equal(sim_store_count(t->store), 2);
    struct world_append u = post(&t->a, "u");
    assert_int_equal(u.at.seq + again.at.seq, 3);
}

static void a_doubled_append_is_stored_published_and_answered_once(struct test *t) {
    struct ear ear;
    unsigned repeated = 0;
    ear_subscribe(&ear, &t->b, "v");
    t->faults->doubled = SURE;
    for (unsigned i = 0; i < 30; i++) {
        char token[16];
        snprintf(token, sizeof token, "t%u", i);
        struct world_append a = post(&t->a, token);
        assert_int_equal(a.status, ENGINE_OK);
        assert_int_equal(a.at.seq, i + 1);
        repeated += a.repeated;
    }
    assert_in_range(repeated, 1, 29);
    post(&t->a, NULL); // without a token it is done once
    let_arrive(t);
    assert_int_equal(sim_store_count(t->store), 31);
    assert_int_equal(ear.entries, 31);
}

static void a_full_store_refuses_appends_and_does_all_else(struct test *t) {
    struct position at = world_post(&t->a, "v", 1);
    t->faults->full = true;
    assert_int_equal(post(&t->a, NULL).status, ENGINE_STORE_FULL);
    assert_int_equal(position_compare(world_head(&t->a, "v").at, at), 0);
    assert_int_equal(world_head(&t->a, "new").status, ENGINE_OK);
    assert_true(world_assign(&t->a, "v", "http://r").changed);
}

static void a_store_without_writes_is_read(struct test *t) {
    struct position at = world_post(&t->a, "v", 1);
    world_assign(&t->a, "v", "http://r");
    t->faults->read_only = true;
    assert_int_equal(post(&t->a, NULL).status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_assign(&t->a, "w", "http://r").status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_head(&t->a, "new").status, ENGINE_UNAVAILABLE); // an epoch would begin
    struct position beyond = {at.epoch, at.seq + 1};
    assert_int_equal(world_head_known(&t->a, "v", beyond).status, ENGINE_UNAVAILABLE); // a loss
    assert_int_equal(position_compare(world_head(&t->a, "v").at, at), 0);
    assert_int_equal(count_kept(&t->a, "v"), 1);
    assert_string_equal(world_lookup(&t->a, "v").reader, "http://r");
}

static void other_calls_fail_with_an_unknown_outcome(struct test *t) {
    unsigned done = 0;
    for (int i = 0; i < 40; i++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", i);
        t->faults->failed = SURE;
        assert_int_equal(world_assign(&t->a, video, "http://r").status, ENGINE_UNAVAILABLE);
        quiet(t);
        done += world_lookup(&t->a, video).status == ENGINE_OK;
    }
    assert_in_range(done, 1, 39);
}

// Subscriptions

static void what_one_subscriber_misses_another_receives(struct test *t) {
    struct ear one, other;
    unsigned both = 0;
    ear_subscribe(&one, &t->a, "v");
    ear_subscribe(&other, &t->b, "v");
    t->faults->publish_dropped = SURE / 2;
    for (int i = 0; i < 30; i++) world_post(&t->a, "v", 1);
    quiet(t);
    let_arrive(t);
    for (unsigned i = 0, j = 0; i < one.entries && j < other.entries;) {
        int order = position_compare(one.at[i], other.at[j]);
        both += !order;
        i += order <= 0;
        j += order >= 0;
    }
    assert_in_range(one.entries, 1, 29);
    assert_in_range(other.entries, 1, 29);
    assert_true(both < one.entries && both < other.entries);
    world_let_pass(&t->a, SIM_NOTICE_US / MS + 1000);
    assert_true(one.subscribed > 1 && other.subscribed > 1); // both are told that they may have missed some
    unsigned before = one.entries;
    world_post(&t->a, "v", 1);
    let_arrive(t);
    assert_int_equal(one.entries, before + 1);
}

static void a_late_message_delays_its_video_and_lets_others_overtake(struct test *t) {
    struct ear v, other;
    ear_subscribe(&v, &t->a, "v");
    ear_subscribe(&other, &t->a, "other");
    t->faults->publish_late = SURE;
    t->faults->publish_late_us = 2000 * MS;
    for (int i = 0; i < 5; i++) world_post(&t->a, "v", 1);
    quiet(t);
    world_post(&t->a, "other", 1);
    let_arrive(t);
    assert_int_equal(other.entries, 1);
    assert_in_range(v.entries, 0, 4);
    world_let_pass(&t->a, 2000);
    assert_int_equal(v.entries, 5);
    for (unsigned i = 0; i < 5; i++) assert_int_equal(v.at[i].seq, i + 1);
}

static void a_deaf_subscriber_is_told_and_hears_again(struct test *t) {
    struct ear ear;
    ear_subscribe(&ear, &t->a, "v");
    t->faults->deaf = SURE;
    world_post(&t->b, "v", 1);
    quiet(t);
    world_post(&t->b, "v", 2);
    let_arrive(t);
    assert_int_equal(ear.entries, 0);
    assert_int_equal(ear.subscribed, 1);
    world_let_pass(&t->a, SIM_NOTICE_US / MS + 1000);
    assert_int_equal(ear.subscribed, 2);
    world_post(&t->b, "v", 3);
    let_arrive(t);
    assert_int_equal(ear.entries, 1);
    assert_int_equal(ear.at[0].seq, 3);
}

static void a_listener_whose_connection_ends_listens_again(struct test *t) {
    struct ear ear;
    ear_subscribe(&ear, &t->a, "v");
    t->faults->cut_subscriber = SURE;
    world_post(&t->b, "v", 1);
    quiet(t);
    world_let_pass(&t->a, 1000);
    assert_int_equal(ear.subscribed, 2);
    assert_int_equal(t->a.ops->stats(t->a.engine).reconnects, 1);
}

// Connections and outages

static void a_cut_answers_everything_that_waits(struct test *t) {
    static struct world_append all[20];
    unsigned failed = 0, done = 0;
    for (int i = 0; i < 20; i++) world_begin_append(&t->a, &all[i], "v", "{\"comment\":\"x\"}", NULL);
    t->faults->cut = SURE;
    world_wait(&t->a);
    quiet(t);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(all[i].calls, 1);
        assert_true(all[i].status == ENGINE_UNAVAILABLE);
        failed++;
    }
    const char *why = NULL;
    assert_false(t->a.ops->ready(t->a.engine, &why));
    assert_non_null(why);
    world_await_ready(&t->a);
    world_let_pass(&t->a, SIM_LATE_US / MS); // what was on its way is done, or never
    done = (unsigned)sim_store_count(t->store);
    assert_in_range(done, 1, failed);
    assert_int_equal(world_post(&t->a, "v", 1).seq, done + 1);
}

static void a_refused_connection_fails_at_once(struct test *t) {
    OUTSIDE(sim_store_outage(t->store, 5000 * MS, false));
    world_let_pass(&t->a, 10);
    int64_t begun_us = sim_now_us();
    assert_int_equal(post(&t->a, NULL).status, ENGINE_UNAVAILABLE);
    assert_true(sim_now_us() - begun_us < 10 * MS);
    world_let_pass(&t->a, 5600);
    assert_int_equal(post(&t->a, NULL).status, ENGINE_OK);
}

static void a_silent_store_fails_after_three_seconds_and_does_nothing_late(struct test *t) {
    OUTSIDE(sim_store_outage(t->store, 10000 * MS, true));
    int64_t begun_us = sim_now_us();
    assert_int_equal(post(&t->a, NULL).status, ENGINE_UNAVAILABLE);
    int64_t took_ms = (sim_now_us() - begun_us) / MS;
    assert_in_range(took_ms, 2900, 3200);
    world_let_pass(&t->a, 11000);
    assert_int_equal(sim_store_count(t->store), 0); // it was too old
    assert_int_equal(post(&t->a, NULL).status, ENGINE_OK);
}

static void a_store_that_is_silent_for_a_moment_only_delays(struct test *t) {
    struct ear ear;
    ear_subscribe(&ear, &t->b, "v");
    OUTSIDE(sim_store_isolate(t->store, self, 1000 * MS));
    assert_int_equal(post(&t->a, NULL).status, ENGINE_OK);
    let_arrive(t);
    assert_int_equal(ear.entries, 1);
    assert_int_equal(ear.subscribed, 1);
}

// Leases

static void a_lease_ends_while_its_reader_runs(struct test *t) {
    struct engine_lease lease = {.reader_url = "http://r", .instance_id = "r", .generation = 1};
    assert_true(world_renew(&t->a, &lease, 3000));
    t->faults->lease_lost = SURE;
    for (int i = 0; i < 4; i++) {
        struct world_lease l = {.world = &t->a};
        world_let_pass(&t->a, 1000);
        t->a.awaited++;
        t->a.ops->lease_renew(t->a.engine, &lease, 3000, world_on_lease, &l);
        world_wait(&t->a);
        assert_int_equal(l.status, ENGINE_UNAVAILABLE);
    }
    assert_non_null(strstr(world_leases(&t->b).text, "expired"));
    quiet(t);
    lease.claim = LEASE_HELD;
    assert_false(world_renew(&t->a, &lease, 3000)); // nobody had it meanwhile
    assert_non_null(strstr(world_leases(&t->b).text, "live"));
}

// Failover, and what else changes the data

static void a_failover_forgets_what_was_acknowledged_and_says_so(struct test *t) {
    struct ear ear;
    for (int i = 0; i < 5; i++) world_post(&t->a, "v", 1);
    struct position last = world_head(&t->a, "v").at;
    OUTSIDE(sim_store_failover(t->store, 2, false));
    reconnect(t);
    ear_subscribe(&ear, &t->b, "v");
    assert_int_equal(sim_store_change(t->store, 1)->lost, 2);
    assert_int_equal(sim_store_record(t->store, 3)->lost, 1);
    assert_false(sim_store_holds(t->store, 4));
    struct world_append a = post(&t->a, NULL); // whose engine knows what it was answered
    assert_true(a.at.epoch > last.epoch);
    assert_int_equal(a.at.seq, 2);
    let_arrive(t);
    assert_int_equal(ear.entries, 2);
    assert_int_equal(ear.kind[0], ENTRY_TOMBSTONE);
    assert_int_equal(ear.at[0].seq, 1);
    const struct sim_record *loss = sim_store_find(t->store, "v", ear.at[0]);
    assert_int_equal(loss->prev.epoch, last.epoch);
    assert_int_equal(loss->prev.seq, 3);
}

static void an_engine_that_is_quiet_announces_what_it_knows_of(struct test *t) {
    struct ear ear;
    for (int i = 0; i < 5; i++) world_post(&t->a, "v", 1);
    OUTSIDE(sim_store_failover(t->store, 2, false));
    reconnect(t);
    ear_subscribe(&ear, &t->b, "v");
    world_let_pass(&t->a, 1100);
    assert_int_equal(ear.entries, 1);
    assert_int_equal(ear.kind[0], ENTRY_TOMBSTONE);
}

static void a_failover_that_forgets_nothing_begins_an_epoch_where_it_was(struct test *t) {
    struct position last = world_post(&t->a, "v", 1);
    OUTSIDE(sim_store_failover(t->store, 0, false));
    reconnect(t);
    assert_int_equal(sim_store_change(t->store, 1)->lost, 0);
    struct world_append a = post(&t->b, NULL);
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(position_compare(a.prev, last), 0);
    assert_true(a.at.epoch > last.epoch);
}

// Failover, five comments there, and back: with the old run, or a new one.
static void fail_over_and_back(struct test *t, bool same_run) {
    struct position first = world_post(&t->a, "v", 1), there = {0};
    OUTSIDE(sim_store_failover(t->store, 0, false));
    reconnect(t);
    for (int i = 0; i < 5; i++) there = world_post(&t->a, "v", 2);
    OUTSIDE(sim_store_failback(t->store, same_run));
    reconnect(t);
    assert_int_equal(sim_store_change(t->store, 2)->lost, 5);
    assert_int_equal(position_compare(sim_store_position(t->store, "v"), first), 0);
    struct world_append a = post(&t->a, NULL);
    assert_int_equal(a.status, ENGINE_OK);
    assert_true(position_compare(a.at, there) > 0);
    for (size_t i = 0; i < sim_store_count(t->store); i++) // no number was used twice
        assert_ptr_equal(sim_store_find(t->store, "v", sim_store_record(t->store, i)->at),
                         sim_store_record(t->store, i));
}

static void a_failback_finds_a_store_that_never_saw_what_came_between(struct test *t) {
    fail_over_and_back(t, false);
}

static void a_failback_may_find_the_old_run(struct test *t) {
    fail_over_and_back(t, true);
}

static void an_old_primary_that_stays_acknowledges_what_is_lost(struct test *t) {
    world_post(&t->a, "v", 1);
    OUTSIDE(sim_store_failover(t->store, 0, true));
    unsigned lost = 0, kept = 0;
    for (int i = 0; i < 10; i++) {
        struct world *w = i % 2 ? &t->a : &t->b;
        world_await_ready(w);
        world_post(w, "v", 2);
        const struct sim_record *r = sim_store_record(t->store, sim_store_count(t->store) - 1);
        lost += r->lost != 0;
        kept += !r->lost;
    }
    assert_int_equal(lost + kept, 10);
    OUTSIDE(sim_store_rejoin(t->store));
    world_let_pass(&t->a, 1000);
    assert_int_equal(post(&t->a, NULL).status, ENGINE_OK);
    assert_int_equal(post(&t->b, NULL).status, ENGINE_OK);
    for (size_t i = 0; i < sim_store_count(t->store); i++)
        assert_int_equal(sim_store_holds(t->store, i), !sim_store_record(t->store, i)->lost);
}

// Each server has a room of its own: what is lifted or written on one of them is not on the other.
static void a_resync_copies_rooms_and_bans(struct test *t) {
    room_set(&t->a, "v", (struct engine_room){.slow_ms = 60000});
    room_ban(&t->a, "v", "ann", -1, false);
    for (int i = 0; i < 3; i++) {
        OUTSIDE(sim_store_failover(t->store, 0, false));
        OUTSIDE(sim_store_rejoin(t->store));
        reconnect(t);
        assert_int_equal(room_bans(&t->a, "v").count, i < 2);
        assert_int_equal(room_of(&t->a, "v").slow_ms, 60000);
        if (i == 1) room_ban(&t->a, "v", "ann", 0, false);
    }
}

static void a_restart_with_its_data_changes_the_run(struct test *t) {
    struct position last = world_post(&t->a, "v", 1);
    world_assign(&t->a, "v", "http://r");
    OUTSIDE(sim_store_restart(t->store, 0, 500 * MS));
    world_let_pass(&t->a, 10);
    assert_int_equal(post(&t->a, NULL).status, ENGINE_UNAVAILABLE);
    world_let_pass(&t->a, 2000);
    struct world_append a = post(&t->a, NULL);
    assert_int_equal(position_compare(a.prev, last), 0);
    assert_string_equal(world_lookup(&t->a, "v").reader, "http://r");
}

static void a_restart_without_data_is_a_loss_to_who_knows(struct test *t) {
    struct position last = world_post(&t->a, "v", 1);
    world_post(&t->a, "v", 2);
    OUTSIDE(sim_store_restart(t->store, SIZE_MAX, 0));
    world_let_pass(&t->a, 1000);
    assert_int_equal(sim_store_change(t->store, 1)->lost, 2);
    assert_int_equal(world_lookup(&t->a, "v").status, ENGINE_NOT_FOUND);
    struct world_append a = post(&t->a, NULL);
    assert_true(a.at.epoch > last.epoch);
    assert_int_equal(a.at.seq, 2); // behind the tombstone
}

static void a_restart_may_forget_the_last(struct test *t) {
    for (int i = 0; i < 4; i++) world_post(&t->a, "v", 1);
    OUTSIDE(sim_store_restart(t->store, 3, 0));
    assert_int_equal(sim_store_change(t->store, 1)->lost, 3);
    assert_int_equal(sim_store_position(t->store, "v").seq, 1);
}

static void a_replica_repeats_everything(struct test *t) {
    for (int i = 0; i < 700; i++) { // more than it may be behind
        char video[16], token[16];
        snprintf(video, sizeof video, "v%d", i % 7);
        snprintf(token, sizeof token, "t%d", i);
        world_append(&t->a, video, "{\"comment\":\"x\"}", token);
    }
    world_assign(&t->a, "v1", "http://r");
    world_counter_next(&t->a, "n");
    world_write_settings(&t->a, "v1", "open");
    world_write_settings(&t->a, "v2", "open");
    world_write_settings(&t->a, "v2", NULL);
    OUTSIDE(sim_store_failover(t->store, 0, false));
    reconnect(t);
    assert_int_equal(sim_store_change(t->store, 1)->lost, 0);
    assert_int_equal(count_kept(&t->b, "v3"), 100);
    assert_true(world_append(&t->b, "v3", "{\"comment\":\"x\"}", "t3").repeated);
    assert_string_equal(world_lookup(&t->b, "v1").reader, "http://r");
    assert_int_equal(world_counter_next(&t->b, "n"), 1);
    assert_string_equal(world_read_settings(&t->b, (const char *const[]){"v1"}, 1).text[0], "open");
    assert_string_equal(world_read_settings(&t->b, (const char *const[]){"v2"}, 1).text[0], "");
    assert_int_equal(world_overview(&t->b)->comments, 700);
}

// Clocks

static void a_step_of_the_clock_costs_at_most_one_append(struct test *t) {
    struct position before = world_post(&t->a, "v", 1);
    OUTSIDE(sim_store_step_clock(t->store, 60000 * MS));
    assert_int_equal(post(&t->a, NULL).status, ENGINE_UNAVAILABLE); // it came too late, by that clock
    assert_int_equal(post(&t->a, NULL).at.seq, 2);
    OUTSIDE(sim_store_step_clock(t->store, -3600000 * INT64_C(1000)));
    assert_int_equal(post(&t->a, NULL).at.seq, 3);
    OUTSIDE(sim_store_failover(t->store, 0, false)); // an epoch begins, by a clock that is an hour slow
    world_let_pass(&t->a, 1000);
    assert_true(post(&t->a, NULL).at.epoch > before.epoch);
}

// The run stays, as with FLUSHALL, and the process that asks knows of the older epoch only.
static void after_a_flush_with_a_clock_behind_no_epoch_is_begun_again(void **state) {
    uint64_t epochs[2];
    (void)state;
    struct sim_node *n = sim_node_new();
    for (int i = 0; i < 2; i++) {
        struct sim_call head = {.op = SIM_HEAD, .name = "v", .at = {2000, 7}, .wall_ms = 1000, .run = 5};
        struct sim_answer a = {0};
        head.steady_ms = 3000 + i;
        sim_node_clear(n);
        sim_node_carry_out(n, &head, &a);
        epochs[i] = a.head.epoch;
        sim_answer_release(&a);
    }
    assert_true(epochs[0] > 2000 && epochs[1] > 2000);
    assert_int_not_equal(epochs[0], epochs[1]);
    sim_node_free(n);
}

// Processes

struct poster {
    struct test *test;
    bool sent;
};

static int run_poster(void *arg) {
    struct poster *p = arg;
    struct world w;
    static struct world_append a;
    open_engine(p->test, &w, loop_new());
    world_begin_append(&w, &a, "v", "{\"comment\":\"x\"}", NULL);
    p->sent = true;
    return loop_run(w.loop);
}

static void what_a_killed_process_has_sent_is_done(struct test *t) {
    struct poster p = {.test = t};
    struct sim_process *process = sim_start("b", run_poster, &p);
    while (!p.sent) world_let_pass(&t->a, 1);
    sim_kill(process);
    world_let_pass(&t->a, 100);
    assert_int_equal(sim_store_count(t->store), 1);
    open_engine(t, &t->b, t->a.loop); // the store forgets the dead session here
    assert_int_equal(post(&t->a, NULL).at.seq, 2);
}

#define IN_WORLD(test)                                                                                       \
    {                                                                                                        \
        .name = #test, .test_func = in_world, .initial_state = &(struct script) {                            \
            test                                                                                             \
        }                                                                                                    \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_slow_append_delays_what_follows_of_its_video_alone),
        IN_WORLD(what_is_lost_before_the_commit_was_not_done),
        IN_WORLD(what_is_lost_after_the_commit_was_done_once),
        IN_WORLD(what_was_called_back_may_be_done_later_and_still_once),
        IN_WORLD(a_doubled_append_is_stored_published_and_answered_once),
        IN_WORLD(a_full_store_refuses_appends_and_does_all_else),
        IN_WORLD(a_store_without_writes_is_read),
        IN_WORLD(other_calls_fail_with_an_unknown_outcome),
        IN_WORLD(what_one_subscriber_misses_another_receives),
        IN_WORLD(a_late_message_delays_its_video_and_lets_others_overtake),
        IN_WORLD(a_deaf_subscriber_is_told_and_hears_again),
        IN_WORLD(a_listener_whose_connection_ends_listens_again),
        IN_WORLD(a_cut_answers_everything_that_waits),
        IN_WORLD(a_refused_connection_fails_at_once),
        IN_WORLD(a_silent_store_fails_after_three_seconds_and_does_nothing_late),
        IN_WORLD(a_store_that_is_silent_for_a_moment_only_delays),
        IN_WORLD(a_lease_ends_while_its_reader_runs),
        IN_WORLD(a_failover_forgets_what_was_acknowledged_and_says_so),
        IN_WORLD(an_engine_that_is_quiet_announces_what_it_knows_of),
        IN_WORLD(a_failover_that_forgets_nothing_begins_an_epoch_where_it_was),
        IN_WORLD(a_failback_finds_a_store_that_never_saw_what_came_between),
        IN_WORLD(a_failback_may_find_the_old_run),
        IN_WORLD(an_old_primary_that_stays_acknowledges_what_is_lost),
        IN_WORLD(a_resync_copies_rooms_and_bans),
        IN_WORLD(a_restart_with_its_data_changes_the_run),
        IN_WORLD(a_restart_without_data_is_a_loss_to_who_knows),
        IN_WORLD(a_restart_may_forget_the_last),
        IN_WORLD(a_replica_repeats_everything),
        IN_WORLD(a_step_of_the_clock_costs_at_most_one_append),
        cmocka_unit_test(after_a_flush_with_a_clock_behind_no_epoch_is_begun_again),
        IN_WORLD(what_a_killed_process_has_sent_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
