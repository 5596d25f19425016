// What a store does when a caller knows of entries that it has lost (engine.h, "A loss"): the embedded one,
// and the one on Redis.
#include "embedded_world.h"
#include "redis_server.h"

#include "entries.h"

static struct redis_server server;

static int make_on_redis(void **state) {
    world_make(state);
    ((struct world *)*state)->redis_port = server.port;
    assert_true(redis_server_tell(&server, "FLUSHALL"));
    world_open(*state);
    return 0;
}

// The data has another history from now on: another process has opened it, or a server was promoted, to which
// connections have stayed.
static void change_run(struct world *w) {
    if (w->redis_port) {
        assert_true(redis_server_tell(&server, "REPLICAOF 127.0.0.1 1"));
        assert_true(redis_server_tell(&server, "REPLICAOF NO ONE"));
    } else {
        world_reopen(w);
    }
}

static void assert_at(struct position p, struct position expected) {
    if (position_compare(p, expected) != 0)
        fail_msg("%llu-%llu instead of %llu-%llu", (unsigned long long)p.epoch, (unsigned long long)p.seq,
                 (unsigned long long)expected.epoch, (unsigned long long)expected.seq);
}

static struct position post_many(struct world *w, unsigned count) {
    world_post_many(w, "v", count);
    return world_head(w, "v").at;
}

static struct world_append append_known(struct world *w, struct position known) {
    struct world_append a;
    world_begin_append_known(w, &a, "v", "{\"comment\":\"x\"}", NULL, known);
    world_wait(w);
    assert_int_equal(a.status, ENGINE_OK);
    return a;
}

// The log behind `after` begins with a tombstone, whose prev is where the loss begins.
static void assert_announced(struct world *w, struct position after, struct position at,
                             struct position kept) {
    const struct world_range *r = world_range(w, "v", after, 10);
    assert_true(r->count > 0);
    assert_int_equal(r->kind[0], ENTRY_TOMBSTONE);
    assert_at(r->at[0], at);
    assert_at(r->prev[0], kept);
}

static void what_is_known_and_there_changes_nothing(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    const struct position known[] = {at, {at.epoch, 3}, {at.epoch, 0}, {0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct world_head h = world_head_known(w, "v", known[i]);
        assert_at(h.at, at);
        assert_false(position_is_set(h.before));
        assert_at(append_known(w, known[i]).at, pos(at.epoch, at.seq + 1));
        at.seq++;
    }
}

static void implausible_positions_are_ignored(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    const struct position known[] = {{INT64_MAX, 1}, {at.epoch, INT64_MAX}, {UINT64_C(1) << 52, 1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_at(world_head_known(w, "v", known[i]).at, at);
}

static void lost_numbers_begin_an_epoch(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    struct world_head h = world_head_known(w, "v", pos(at.epoch, 9));
    assert_true(h.at.epoch > at.epoch);
    assert_int_equal(h.at.seq, 1);
    assert_at(h.before, at);
    assert_announced(w, at, h.at, at);
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
    assert_at(a.at, pos(h.at.epoch, 2));
    assert_false(position_is_set(a.prev));
    assert_at(world_head_known(w, "v", pos(at.epoch, 9)).at, a.at); // it has been said
}

static void an_append_announces_before_its_own(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    struct world_append a = append_known(w, pos(at.epoch, 6));
    assert_true(a.at.epoch > at.epoch);
    assert_int_equal(a.at.seq, 2);
    assert_announced(w, at, pos(a.at.epoch, 1), at);
    assert_int_equal(world_overview(w)->comments, 6);
}

// What a lower epoch holds may be younger than what was lost, where a clock had gone back.
static void a_lost_later_epoch_puts_all_of_this_one_in_doubt(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    struct position known = pos(at.epoch + 3600000, 7);
    struct world_head h = world_head_known(w, "v", known);
    assert_true(h.at.epoch > known.epoch); // whatever the clock says
    assert_announced(w, at, h.at, w->redis_port ? pos(0, 0) : pos(at.epoch, 0));
}

static void a_lost_video_begins_above_what_is_known(void **state) {
    struct world *w = *state;
    struct position known = pos((uint64_t)clock_wall_ms() + 3600000, 7);
    struct world_head h = world_head_known(w, "v", known);
    assert_true(h.at.epoch > known.epoch);
    assert_int_equal(h.at.seq, 1);
    assert_announced(w, pos(0, 0), h.at, pos(0, 0));
}

static void other_videos_begin_above_it_too(void **state) {
    struct world *w = *state;
    struct position known = pos((uint64_t)clock_wall_ms() + 3600000, 7);
    append_known(w, known);
    assert_true(world_post(w, "other", 1).epoch > known.epoch);
}

// Another process, in a later millisecond than an epoch began: what it begins is above that.
static void go_on_in_another_process(struct world *w, struct position at) {
    world_reopen(w);
    while ((uint64_t)clock_wall_ms() <= at.epoch) world_let_pass(w, 1);
}

// A store that came back empty, a reader that has just been started and looks at the video first, or a
// process that appends, and then one that knows what there was.
static void assert_loss_of_all_is_announced(struct world *w, bool begins_by_looking, bool fails_over) {
    struct position lost = post_many(w, 5), at;
    assert_true(redis_server_tell(&server, "FLUSHALL"));
    go_on_in_another_process(w, lost);
    at = begins_by_looking ? world_head(w, "v").at : world_post(w, "v", 1);
    assert_true(at.epoch > lost.epoch);
    assert_int_equal(at.seq, !begins_by_looking);
    if (fails_over) {
        change_run(w);
        at = world_post(w, "v", 1);
    }
    go_on_in_another_process(w, at);
    struct world_append a = append_known(w, lost);
    assert_true(a.at.epoch > at.epoch);
    assert_announced(w, at, pos(a.at.epoch, 1), pos(0, 0));
    go_on_in_another_process(w, a.at);
    assert_at(append_known(w, lost).at, pos(a.at.epoch, 3)); // once
    assert_at(world_head_known(w, "v", pos(1, 1)).at, pos(a.at.epoch, 3));
}

static void the_loss_of_all_is_announced_also_when_another_process_has_begun_again(void **state) {
    for (int i = 0; i < 4; i++) assert_loss_of_all_is_announced(*state, i & 1, i & 2);
}

// As an earlier version wrote the position of a first epoch: whether a loss was announced in it is not known.
static void a_first_epoch_of_an_earlier_version_is_taken_for_announced(void **state) {
    struct world *w = *state;
    struct position lost = post_many(w, 5), at;
    assert_true(redis_server_tell(&server, "FLUSHALL"));
    go_on_in_another_process(w, lost);
    at = world_post(w, "v", 1);
    assert_true(redis_server_tell(
        &server,
        "EVAL redis.call('SET',KEYS[1],string.sub(redis.call('GET',KEYS[1]),1,-5)) 1 {video:v}:pos"));
    go_on_in_another_process(w, at);
    assert_at(append_known(w, lost).at, pos(at.epoch, 2));
}

static void another_history_begins_an_epoch_that_follows(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    change_run(w);
    assert_at(world_head_known(w, "v", at).at, at); // nothing is begun by looking
    struct world_append a = append_known(w, at);
    assert_true(a.at.epoch > at.epoch);
    assert_int_equal(a.at.seq, 1);
    assert_at(a.prev, at);
}

static void a_loss_that_becomes_known_in_the_next_epoch_is_announced_still(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5), lost = pos(at.epoch, 7);
    change_run(w);
    struct position next = post_many(w, 3); // by a caller that knew of none
    assert_at(world_head_known(w, "v", at).at, next);
    struct world_head h = world_head_known(w, "v", lost);
    assert_true(h.at.epoch > next.epoch);
    assert_announced(w, next, h.at, at);
    assert_at(world_head_known(w, "v", lost).at, h.at); // once
    assert_at(append_known(w, lost).at, pos(h.at.epoch, 2));
}

static void an_append_announces_it_as_well(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    change_run(w);
    struct position next = post_many(w, 3);
    struct world_append a = append_known(w, pos(at.epoch, 7));
    assert_int_equal(a.at.seq, 2);
    assert_announced(w, next, pos(a.at.epoch, 1), at);
}

struct listener {
    unsigned said;
    size_t count;
    enum entry_kind kind[8];
    struct position at[8];
};

static void on_entry(void *arg, const struct engine_entry *e) {
    struct listener *l = arg;
    assert_true(l->count < 8);
    l->kind[l->count] = e->kind;
    l->at[l->count++] = e->at;
}

static void on_subscribed(void *arg) {
    ((struct listener *)arg)->said++;
}

static struct position stands_beyond(void *arg) {
    const struct listener *l = arg;
    return l->count ? l->at[l->count - 1] : (struct position){0};
}

static const struct engine_subscriber subscriber = {
    .on_entry = on_entry, .on_subscribed = on_subscribed, .position = stands_beyond};

static void await_entries(struct world *w, const struct listener *l, size_t count) {
    for (int i = 0; i < WORLD_LONG_MS && l->count < count; i++) world_let_pass(w, 1);
    assert_int_equal(l->count, count);
}

// Redis publishes only its position; the log has the rest.
static void assert_tombstone(enum entry_kind kind) {
    assert_true(kind == ENTRY_TOMBSTONE || kind == ENTRY_UNREAD);
}

static void the_tombstone_is_published_first(void **state) {
    struct world *w = *state;
    struct listener l = {0};
    struct position at = post_many(w, 5);
    w->ops->subscribe(w->engine, "v", &subscriber, &l);
    while (!l.said) world_let_pass(w, 1);
    struct position first = world_head_known(w, "v", pos(at.epoch, 9)).at;
    await_entries(w, &l, 1);
    assert_tombstone(l.kind[0]);
    assert_at(l.at[0], first);
    struct world_append a = append_known(w, pos(first.epoch, 4));
    await_entries(w, &l, 3);
    assert_tombstone(l.kind[1]);
    assert_at(l.at[1], pos(a.at.epoch, 1));
    assert_int_equal(l.kind[2], ENTRY_COMMENT);
    assert_at(l.at[2], a.at);
}

// What no caller passes: the engine on Redis remembers what it appended, and asks its subscribers.
static void an_engine_remembers_what_it_appended(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    assert_true(redis_server_tell(&server, "FLUSHALL"));
    struct position next = world_post(w, "v", 1);
    assert_true(next.epoch > at.epoch);
    assert_int_equal(next.seq, 2);
    assert_announced(w, pos(0, 0), pos(next.epoch, 1), pos(0, 0));
}

// Its answer is all that the process remembers afterwards.
static void a_repeat_announces_what_its_process_knows_to_be_lost(void **state) {
    struct world *w = *state;
    const char *json = "{\"comment\":\"x\"}";
    struct position at = post_many(w, 5);
    change_run(w);
    struct world_append first = world_append(w, "v", json, "token"), again;
    assert_at(first.prev, at);
    world_reopen(w); // the other one has not posted it
    world_begin_append_known(w, &again, "v", json, "token", pos(at.epoch, 7));
    world_wait(w);
    assert_true(again.repeated);
    assert_at(again.at, first.at);
    struct position announced = world_head(w, "v").at;
    assert_true(announced.epoch > first.at.epoch);
    assert_announced(w, first.at, announced, at);
    world_reopen(w);
    world_begin_append_known(w, &again, "v", json, "token", pos(at.epoch, 7));
    world_wait(w);
    assert_true(again.repeated);
    assert_at(world_head(w, "v").at, announced); // once
}

// The one that was answered for what is lost does not append any more; another one does.
static void assert_loss_is_announced_when_quiet(struct world *w, int64_t runs_ms) {
    struct position kept = post_many(w, 5);
    redisReply *was = redis_server_ask(&server, "GET {video:v}:pos");
    world_let_pass(w, runs_ms);
    struct position lost = post_many(w, 2), at = kept;
    redisContext *c = redisConnect("127.0.0.1", server.port);
    freeReplyObject(redisCommand(c, "SET {video:v}:pos %s", was->str));
    for (unsigned i = 1; i <= 2; i++)
        freeReplyObject(redisCommand(c, "XDEL {video:v}:log %llu-%llu", (unsigned long long)kept.epoch,
                                     (unsigned long long)kept.seq + i));
    redisFree(c);
    freeReplyObject(was);
    change_run(w);
    for (int i = 0; i < WORLD_LONG_MS && at.epoch == kept.epoch; i++) {
        world_let_pass(w, 1);
        at = world_head(w, "v").at;
    }
    assert_true(position_compare(at, lost) > 0);
    assert_announced(w, kept, at, kept);
}

static void an_engine_that_is_quiet_announces_what_it_knows_of(void **state) {
    assert_loss_is_announced_when_quiet(*state, 1200);
}

static void an_engine_that_has_just_begun_announces_what_it_knows_of(void **state) {
    assert_loss_is_announced_when_quiet(*state, 0);
}

static void an_engine_asks_its_subscribers(void **state) {
    struct world *w = *state;
    struct listener l = {.count = 1, .at = {{UINT64_C(4000000000000), 3}}};
    w->ops->subscribe(w->engine, "v", &subscriber, &l);
    while (!l.said) world_let_pass(w, 1);
    assert_true(world_post(w, "v", 1).epoch > UINT64_C(4000000000000));
}

// A reader from which a video is taken before it could ask what the store has.
static void what_an_ended_subscription_has_got_is_announced_if_it_is_lost(void **state) {
    struct world *w = *state;
    struct position kept = post_many(w, 5), at = kept;
    struct listener l = {.count = 1, .at = {{kept.epoch, 7}}};
    struct engine_subscription *s = w->ops->subscribe(w->engine, "v", &subscriber, &l);
    while (!l.said) world_let_pass(w, 1);
    w->ops->unsubscribe(w->engine, s);
    for (int i = 0; i < WORLD_LONG_MS && at.epoch == kept.epoch; i++) {
        world_let_pass(w, 1);
        at = world_head(w, "v").at;
    }
    assert_announced(w, kept, at, kept);
}

static void a_store_that_accepts_no_writes_can_be_read(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    assert_true(redis_server_tell(&server, "PEXPIRE {video:v}:pos 100000")); // it would be renewed
    assert_true(redis_server_tell(&server, "CONFIG SET min-replicas-to-write 1"));
    struct world_head h = world_head_known(w, "v", at), gone = world_head_known(w, "v", pos(at.epoch, 9));
    struct world_head none = world_head(w, "none");
    enum engine_status status = world_append(w, "v", "{\"comment\":\"x\"}", NULL).status;
    assert_true(redis_server_tell(&server, "CONFIG SET min-replicas-to-write 0"));
    assert_int_equal(h.status, ENGINE_OK);
    assert_at(h.at, at);
    assert_int_equal(gone.status, ENGINE_UNAVAILABLE);
    assert_int_equal(none.status, ENGINE_UNAVAILABLE);
    assert_int_equal(status, ENGINE_UNAVAILABLE);
    world_head(w, "v");
    redisReply *left = redis_server_ask(&server, "PTTL {video:v}:pos");
    assert_true(left->integer > 100000);
    freeReplyObject(left);
}

// A process of before knows the server by another name: epochs follow each other, and numbers go on.
static void a_loss_that_becomes_known_some_epochs_later_is_announced_still(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5), next = at;
    for (int i = 0; i < 4; i++) {
        change_run(w);
        next = post_many(w, 3);
        assert_at(world_head_known(w, "v", at).at, next);
    }
    struct world_head h = world_head_known(w, "v", pos(at.epoch, 7));
    assert_true(h.at.epoch > next.epoch);
    assert_announced(w, next, h.at, at);
    at = world_post(w, "v", 1);
    for (int i = 0; i < 6; i++) { // beyond what is remembered, positions stay short
        change_run(w);
        next = world_post(w, "v", 2);
    }
    assert_at(world_head_known(w, "v", pos(at.epoch, 7)).at, next);
    redisReply *text = redis_server_ask(&server, "GET {video:v}:pos");
    assert_true(text->len < 5 * POSITION_TEXT_SIZE);
    freeReplyObject(text);
}

static void positions_of_an_earlier_version_are_read(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 1);
    for (int i = 0; i < 3; i++) {
        redisContext *c = redisConnect("127.0.0.1", server.port);
        freeReplyObject(redisCommand(c, "SET {video:v}:pos %llu-%llu%s", (unsigned long long)at.epoch,
                                     (unsigned long long)at.seq, i == 2 ? " -" : " 0123456789abcdef"));
        redisFree(c);
        assert_at(world_head(w, "v").at, at);
        struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
        assert_int_equal(a.status, ENGINE_OK);
        assert_at(a.prev, at);
        assert_true(a.at.epoch > at.epoch);
        at = a.at;
    }
}

// Neither knows of the other, and each sees the same: a position beyond its clock.
static void masters_with_clocks_behind_begin_different_epochs(void **state) {
    struct world *w = *state;
    struct position known = pos((uint64_t)clock_wall_ms() + 3600000, 7);
    uint64_t epochs[3]; // that two runs agree in what their epochs get from them is possible, but not three
    for (int i = 0; i < 3; i++) {
        assert_true(redis_server_tell(&server, "FLUSHALL"));
        change_run(w);
        world_reopen(w);
        epochs[i] = world_head_known(w, "v", known).at.epoch;
        assert_true(epochs[i] > known.epoch);
    }
    assert_false(epochs[0] == epochs[1] && epochs[1] == epochs[2]);
}

// FLUSHALL leaves the run as it is. The process that knows of the older epoch only is the next to append.
static void after_a_flush_with_a_clock_behind_no_epoch_is_begun_again(void **state) {
    struct world *w = *state;
    struct position known = pos((uint64_t)clock_wall_ms() + 3600000, 7);
    uint64_t epochs[3]; // two may agree by chance
    for (int i = 0; i < 3; i++) {
        assert_true(redis_server_tell(&server, "FLUSHALL"));
        world_reopen(w);
        epochs[i] = world_head_known(w, "v", known).at.epoch;
        assert_true(epochs[i] > known.epoch);
    }
    assert_false(epochs[0] == epochs[1] && epochs[1] == epochs[2]);
}

// It may have begun with a tombstone, for a loss that nothing else remembers.
static void the_announcement_that_a_lost_epoch_may_have_begun_with_is_made_again(void **state) {
    struct world *w = *state;
    struct position before = post_many(w, 5), at;
    change_run(w);
    at = post_many(w, 3);
    struct world_head h = world_head_known(w, "v", pos(at.epoch + 3600000, 2));
    assert_announced(w, at, h.at, pos(0, 0)); // all may have been lost before the first epoch
    for (int i = 0; i < 5; i++) {             // beyond what is remembered
        change_run(w);
        at = world_post(w, "v", 1);
        if (!i) before = at;
    }
    h = world_head_known(w, "v", pos(at.epoch + 3600000, 2));
    assert_announced(w, at, h.at, before);
}

// Two processes each know of a loss, in successive epochs, and the one that knows of the younger is the first
// to say so.
static void a_loss_behind_one_that_was_announced_is_announced_still(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    change_run(w);
    struct position next = post_many(w, 3);
    struct world_head h = world_head_known(w, "v", pos(next.epoch, 4));
    assert_announced(w, next, h.at, next);
    struct position last = world_post(w, "v", 1);
    assert_at(world_head_known(w, "v", pos(next.epoch, 9)).at, last); // it has been said
    assert_at(world_head_known(w, "v", pos(at.epoch, 5)).at, last);
    h = world_head_known(w, "v", pos(at.epoch, 7));
    assert_true(h.at.epoch > last.epoch);
    assert_announced(w, last, h.at, at);
    last = world_post(w, "v", 1);
    assert_at(world_head_known(w, "v", pos(at.epoch, 9)).at, last);
    assert_at(world_head_known(w, "v", pos(next.epoch, 9)).at, last);
}

// A loss that is announced, an epoch that follows, and then what another process knows of behind the first.
static void an_announced_loss_is_remembered_in_the_next_epochs(void **state) {
    struct world *w = *state;
    struct position at = post_many(w, 5);
    change_run(w);
    struct position next = post_many(w, 3);
    world_head_known(w, "v", pos(next.epoch, 4));
    change_run(w);
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
    assert_true(position_is_set(a.prev));
    assert_at(world_head_known(w, "v", pos(next.epoch, 9)).at, a.at); // once
    struct world_head h = world_head_known(w, "v", pos(at.epoch, 7));
    assert_true(h.at.epoch > a.at.epoch);
    assert_announced(w, a.at, h.at, at);
    assert_at(world_head_known(w, "v", pos(at.epoch, 7)).at, h.at);
}

#define CONTRACT(TEST)                                                                                       \
    TEST(what_is_known_and_there_changes_nothing), TEST(implausible_positions_are_ignored),                  \
        TEST(lost_numbers_begin_an_epoch), TEST(an_append_announces_before_its_own),                         \
        TEST(a_lost_later_epoch_puts_all_of_this_one_in_doubt),                                              \
        TEST(a_lost_video_begins_above_what_is_known), TEST(other_videos_begin_above_it_too),                \
        TEST(another_history_begins_an_epoch_that_follows),                                                  \
        TEST(a_loss_that_becomes_known_in_the_next_epoch_is_announced_still),                                \
        TEST(the_tombstone_is_published_first)

int main(void) {
#define EMBEDDED(name) cmocka_unit_test_setup_teardown(name, world_make_open, world_free)
#define ON_REDIS(name) cmocka_unit_test_setup_teardown(name, make_on_redis, world_free)
    const struct CMUnitTest embedded[] = {CONTRACT(EMBEDDED), EMBEDDED(an_append_announces_it_as_well)};
    const struct CMUnitTest redis[] = {
        CONTRACT(ON_REDIS),
        ON_REDIS(the_loss_of_all_is_announced_also_when_another_process_has_begun_again),
        ON_REDIS(a_first_epoch_of_an_earlier_version_is_taken_for_announced),
        ON_REDIS(an_engine_remembers_what_it_appended),
        ON_REDIS(an_engine_that_is_quiet_announces_what_it_knows_of),
        ON_REDIS(an_engine_that_has_just_begun_announces_what_it_knows_of),
        ON_REDIS(a_repeat_announces_what_its_process_knows_to_be_lost),
        ON_REDIS(an_engine_asks_its_subscribers),
        ON_REDIS(what_an_ended_subscription_has_got_is_announced_if_it_is_lost),
        ON_REDIS(a_loss_that_becomes_known_some_epochs_later_is_announced_still),
        ON_REDIS(masters_with_clocks_behind_begin_different_epochs),
        ON_REDIS(after_a_flush_with_a_clock_behind_no_epoch_is_begun_again),
        ON_REDIS(the_announcement_that_a_lost_epoch_may_have_begun_with_is_made_again),
        ON_REDIS(a_loss_behind_one_that_was_announced_is_announced_still),
        ON_REDIS(an_announced_loss_is_remembered_in_the_next_epochs),
        ON_REDIS(a_store_that_accepts_no_writes_can_be_read),
        ON_REDIS(positions_of_an_earlier_version_are_read),
    };
    redis_server_start(&server);
    int failed = cmocka_run_group_tests(embedded, NULL, NULL);
    failed += cmocka_run_group_tests(redis, NULL, NULL);
    redis_server_stop(&server);
    return failed;
}
