// The contract of each operation, on one engine that stays open: the embedded one, and the one on Redis. See
// also test_embedded_*.c and test_redis*.c.
#include "embedded_world.h"
#include "redis_server.h"
#include "room_contract.h"

static struct redis_server server;

static int make_on_redis(void **state) {
    world_make(state);
    ((struct world *)*state)->redis_port = server.port;
    assert_true(redis_server_tell(&server, "FLUSHALL"));
    world_open(*state);
    return 0;
}

static const char *const reader_a = "http://127.0.0.1:4001";
static const char *const reader_b = "http://127.0.0.1:4002";

// Appending

static void numbers_from_one_and_puts_the_id_first(void **state) {
    struct world *w = *state;
    struct world_append a = world_append(w, "v", "{\"comment\":\"hi\",\"n\":1}", NULL);
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.kind, ENTRY_COMMENT);
    assert_int_equal(a.at.seq, 1);
    assert_false(position_is_set(a.prev));
    int64_t age_ms = clock_wall_ms() - (int64_t)a.at.epoch;
    assert_in_range(age_ms + 1, 0, WORLD_LONG_MS);
    char expected[128], id[POSITION_TEXT_SIZE];
    position_format(a.at, id);
    snprintf(expected, sizeof expected, "{\"id\":\"%s\",\"comment\":\"hi\",\"n\":1}", id);
    assert_string_equal(a.json, expected);
    assert_int_equal(world_post(w, "v", 2).seq, 2);
    assert_int_equal(world_post(w, "other", 1).seq, 1);
}

static void keeps_the_order_of_the_calls(void **state) {
    struct world *w = *state;
    enum { VIDEOS = 7, EACH = 60 }; // few enough for a store that hardly gets a core: what is late is refused
    static struct world_append all[VIDEOS * EACH];
    for (int i = 0; i < VIDEOS * EACH; i++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", i % VIDEOS);
        world_begin_append(w, &all[i], video, "{\"comment\":\"x\"}", NULL);
    }
    world_wait(w);
    for (int i = 0; i < VIDEOS * EACH; i++) {
        assert_int_equal(all[i].status, ENGINE_OK);
        assert_int_equal(all[i].calls, 1);
        assert_int_equal(all[i].at.seq, i / VIDEOS + 1);
        assert_int_equal(all[i].at.epoch, all[i % VIDEOS].at.epoch);
    }
}

static void a_tombstone_takes_a_number_and_has_no_content(void **state) {
    struct world *w = *state;
    world_post(w, "v", 1);
    struct world_append a = world_append(w, "v", "", NULL);
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.kind, ENTRY_TOMBSTONE);
    assert_int_equal(a.at.seq, 2);
    assert_string_equal(a.json, "");
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_int_equal(r->count, 2);
    assert_string_equal(r->json[1], "");
    assert_int_equal(world_overview(w)->comments, 1);
}

static void carries_any_json_unchanged(void **state) {
    struct world *w = *state;
    static char json[6000];
    snprintf(json, sizeof json, "{\"a\":\"%s\",\"b\":\"",
             "\xe2\x80\xa8 \xf0\x9f\x98\x80 \\u0000 \\\" ' ; --");
    size_t len = strlen(json);
    memset(json + len, 'x', 5000);
    memcpy(json + len + 5000, "\"}", 3);
    struct world_append a = world_append(w, "v", json, NULL);
    const char *comma = strchr(a.json, ',');
    assert_non_null(comma);
    assert_string_equal(comma + 1, json + 1);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_string_equal(r->json[0], a.json);
}

static void a_video_id_may_have_any_length_and_look_like_another(void **state) {
    struct world *w = *state;
    char longest[ENGINE_VIDEO_MAX + 1];
    memset(longest, 'v', ENGINE_VIDEO_MAX);
    longest[ENGINE_VIDEO_MAX] = 0;
    const char *const videos[] = {"v", "V", "v.", "vv", ":", "a%b", longest, longest + 1};
    for (size_t i = 0; i < sizeof videos / sizeof *videos; i++)
        assert_int_equal(world_post(w, videos[i], 1).seq, 1);
    for (size_t i = 0; i < sizeof videos / sizeof *videos; i++)
        assert_int_equal(world_post(w, videos[i], 1).seq, 2);
}

// Tokens

static void a_repeat_gets_the_first_answer(void **state) {
    struct world *w = *state;
    struct world_append first = world_append(w, "v", "{\"comment\":\"first\"}", "t");
    world_post(w, "v", 2);
    struct world_append again = world_append(w, "v", "{\"comment\":\"first\"}", "t");
    assert_int_equal(again.status, ENGINE_OK);
    assert_true(again.repeated && !first.repeated);
    assert_int_equal(again.first.at_ms, 1234567890123);
    assert_int_equal(again.at.seq, 1);
    assert_int_equal(again.kind, ENTRY_COMMENT);
    assert_string_equal(again.json, first.json);
    assert_int_equal(world_post(w, "v", 3).seq, 3);
    assert_int_equal(world_overview(w)->comments, 3);
}

static void a_token_with_another_digest_stores_nothing(void **state) {
    struct world *w = *state;
    struct world_append first = world_append(w, "v", "{\"comment\":\"first\"}", "t");
    assert_int_equal(world_append(w, "v", "{\"comment\":\"other\"}", "t").status, ENGINE_KEY_REUSED);
    assert_int_equal(world_range(w, "v", (struct position){0}, 10)->count, 1);
    assert_int_equal(world_append(w, "v", "{\"comment\":\"other\"}", "u").at.seq, 2);
    assert_int_equal(world_append(w, "v", "{\"comment\":\"first\"}", "t").at.seq, first.at.seq);
    assert_int_equal(world_overview(w)->comments, 2);
}

// Kinds

static struct world_append append_kind(struct world *w, int kind, const char *json) {
    struct world_append a = {.world = w};
    const struct engine_append what = world_what("v", (enum entry_kind)kind, json);
    w->awaited++;
    w->ops->append(w->engine, &what, world_on_append, &a);
    world_wait(w);
    return a;
}

static void a_kind_is_kept_and_counts_as_no_comment(void **state) {
    struct world *w = *state;
    world_post(w, "v", 1);
    struct world_append a = append_kind(w, 7, "{\"target\":\"x\"}");
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.kind, 7);
    assert_int_equal(a.at.seq, 2);
    char expected[128], id[POSITION_TEXT_SIZE];
    position_format(a.at, id);
    snprintf(expected, sizeof expected, "{\"id\":\"%s\",\"target\":\"x\"}", id);
    assert_string_equal(a.json, expected);
    world_post(w, "v", 3);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_int_equal(r->count, 3);
    assert_int_equal(r->kind[0], ENTRY_COMMENT);
    assert_int_equal(r->kind[1], 7);
    assert_string_equal(r->json[1], expected);
    assert_int_equal(world_overview(w)->comments, 2);
    assert_int_equal(world_overview(w)->newest_count, 2);
}

static void a_token_counts_within_its_video(void **state) {
    struct world *w = *state;
    world_append(w, "v", "{\"comment\":\"1\"}", "t");
    assert_int_equal(world_append(w, "w", "{\"comment\":\"1\"}", "t").at.seq, 1);
    assert_int_equal(world_append(w, "w", "{\"comment\":\"1\"}", "T").at.seq, 2);
    assert_int_equal(world_append(w, "w", "{\"comment\":\"1\"}", "").at.seq, 3);
    assert_int_equal(world_append(w, "w", "{\"comment\":\"1\"}", "").at.seq, 3);
}

static void repeats_at_the_same_moment_store_one(void **state) {
    struct world *w = *state;
    static struct world_append all[40];
    for (int i = 0; i < 40; i++) world_begin_append(w, &all[i], "v", "{\"comment\":\"x\"}", "t");
    world_wait(w);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(all[i].status, ENGINE_OK);
        assert_int_equal(all[i].at.seq, 1);
    }
    assert_int_equal(world_range(w, "v", (struct position){0}, 100)->count, 1);
}

// Subscribing

struct viewer {
    struct world *world;
    struct engine_subscription *subscription;
    unsigned said, entries;
    struct position at[64];
    char last[256];
    bool *answered; // the append's callback has been called
    bool before_answer;
};

static void viewer_on_entry(void *arg, const struct engine_entry *e) {
    struct viewer *v = arg;
    if (v->answered && !*v->answered) v->before_answer = true;
    v->at[v->entries++ % 64] = e->at;
    world_text(e, v->last, sizeof v->last);
}

static void viewer_on_subscribed(void *arg) {
    struct viewer *v = arg;
    v->said++;
    if (v->world) world_answered(v->world);
}

static void view(struct viewer *v, struct world *w, const char *video) {
    static const struct engine_subscriber subscriber = {.on_entry = viewer_on_entry,
                                                        .on_subscribed = viewer_on_subscribed};
    v->subscription = w->ops->subscribe(w->engine, video, &subscriber, v);
    assert_int_equal(v->said, 0); // never from inside the call
}

static void await(struct world *w, const unsigned *what, unsigned count) {
    for (int i = 0; i < WORLD_LONG_MS && *what < count; i++) world_let_pass(w, 1);
    assert_int_equal(*what, count);
}

static void entries_are_delivered_in_log_order(void **state) {
    struct world *w = *state;
    struct viewer v = {0}, other = {0};
    view(&v, w, "v");
    view(&other, w, "other");
    await(w, &v.said, 1);
    world_post_many(w, "v", 50);
    await(w, &v.entries, 50);
    for (unsigned i = 0; i < 50; i++) assert_int_equal(v.at[i].seq, i + 1);
    assert_int_equal(other.entries, 0);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 100);
    assert_string_equal(v.last, r->json[49]);
}

static void on_subscribed_is_called_once(void **state) {
    struct world *w = *state;
    struct viewer v = {.world = w};
    w->awaited++;
    view(&v, w, "v");
    world_wait(w);
    assert_int_equal(v.said, 1);
    world_post(w, "v", 1);
    await(w, &v.entries, 1);
    assert_int_equal(v.said, 1);
}

static void nothing_is_delivered_after_unsubscribing(void **state) {
    struct world *w = *state;
    struct viewer v = {0}, early = {0};
    view(&v, w, "v");
    view(&early, w, "v");
    w->ops->unsubscribe(w->engine, early.subscription); // before on_subscribed()
    while (!v.said) world_let_pass(w, 1);
    world_post(w, "v", 1);
    await(w, &v.entries, 1);
    w->ops->unsubscribe(w->engine, v.subscription);
    world_post(w, "v", 2);
    struct viewer later = {0};
    view(&later, w, "v");
    while (!later.said) world_let_pass(w, 1);
    world_post(w, "v", 3);
    while (!later.entries || later.at[later.entries - 1].seq < 3)
        world_let_pass(w, 1); // 2 may be on its way still
    assert_int_equal(v.entries, 1);
    assert_int_equal(early.said + early.entries, 0);
}

static void note_answer(void *arg, enum engine_status status, const struct engine_entry *e,
                        const struct engine_first *first) {
    (void)e;
    (void)first;
    struct viewer *v = arg;
    assert_int_equal(status, ENGINE_OK);
    *v->answered = true;
    assert_int_equal(v->entries, 0);
}

static void answers_the_poster_before_the_viewers(void **state) {
    struct world *w = *state;
    bool answered = false;
    struct viewer v = {.answered = &answered};
    view(&v, w, "v");
    const struct engine_append what = world_comment("v", "{\"a\":1}");
    w->ops->append(w->engine, &what, note_answer, &v);
    world_post(w, "w", 1); // answered later
    assert_int_equal(v.entries, 1);
    assert_false(v.before_answer);
}

struct listener {
    unsigned said, entries;
    struct position at[8], prev[8];
    enum entry_kind kind[8];
    char body[8][64];
};

static void listener_on_entry(void *arg, const struct engine_entry *e) {
    struct listener *l = arg;
    unsigned i = l->entries++ % 8;
    l->at[i] = e->at;
    l->prev[i] = e->prev;
    l->kind[i] = e->kind;
    snprintf(l->body[i], sizeof l->body[i], "%.*s", (int)e->body_len, e->body ? e->body : "");
}

static void listener_on_subscribed(void *arg) {
    ((struct listener *)arg)->said++;
}

static void what_is_no_comment_is_published_with_its_fields_or_as_unread(void **state) {
    struct world *w = *state;
    struct listener l = {0};
    static const struct engine_subscriber subscriber = {.on_entry = listener_on_entry,
                                                        .on_subscribed = listener_on_subscribed};
    w->ops->subscribe(w->engine, "v", &subscriber, &l);
    await(w, &l.said, 1);
    append_kind(w, 7, "{\"target\":\"x\"}");
    append_kind(w, 8, "{}");
    world_append(w, "v", "", NULL);
    world_post(w, "v", 1);
    await(w, &l.entries, 4);
    static const struct {
        int kind;
        const char *body;
    } wanted[] = {
        {7, "\"target\":\"x\""}, {8, ""}, {ENTRY_TOMBSTONE, ""}, {ENTRY_COMMENT, "\"comment\":\"1\""}};
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_int_equal(r->count, 4);
    for (unsigned i = 0; i < 4; i++) {
        bool unread = l.kind[i] == ENTRY_UNREAD;
        assert_int_equal(l.at[i].seq, i + 1);
        assert_false(unread && wanted[i].kind == ENTRY_COMMENT);
        assert_int_equal(unread ? wanted[i].kind : (int)l.kind[i], wanted[i].kind);
        assert_string_equal(l.body[i], unread ? "" : wanted[i].body);
        assert_int_equal(r->kind[i], wanted[i].kind);
        if (wanted[i].kind && *wanted[i].body) assert_non_null(strstr(r->json[i], wanted[i].body));
    }
}

static void kinds_are_there_when_the_engine_is_opened_again(void **state) {
    struct world *w = *state;
    if (!world_has_disk(w)) skip();
    append_kind(w, 7, "{\"target\":\"x\"}");
    append_kind(w, ENTRY_KIND_MAX, "{\"a\":{\"b\":[1]}}");
    world_post(w, "v", 1);
    world_reopen(w);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_int_equal(r->count, 3);
    assert_int_equal(r->kind[0], 7);
    assert_int_equal(r->kind[1], ENTRY_KIND_MAX);
    assert_int_equal(r->kind[2], ENTRY_COMMENT);
    assert_non_null(strstr(r->json[0], ",\"target\":\"x\"}"));
    assert_non_null(strstr(r->json[1], ",\"a\":{\"b\":[1]}}"));
}

static void a_repeat_is_not_published_again(void **state) {
    struct world *w = *state;
    struct viewer v = {0};
    view(&v, w, "v");
    await(w, &v.said, 1);
    for (int i = 0; i < 3; i++) world_append(w, "v", "{\"comment\":\"x\"}", "t");
    struct position next = world_post(w, "v", 2);
    await(w, &v.entries, 2);
    assert_int_equal(position_compare(v.at[1], next), 0);
}

// Reading the log

static void head_of_an_unknown_video_starts_its_first_epoch(void **state) {
    struct world *w = *state;
    struct world_head h = world_head(w, "v");
    assert_int_equal(h.status, ENGINE_OK);
    assert_true(position_is_set(h.at));
    assert_int_equal(h.at.seq, 0);
    assert_int_equal(position_compare(world_head(w, "v").at, h.at), 0);
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
    assert_int_equal(a.at.epoch, h.at.epoch);
    assert_int_equal(a.at.seq, 1);
    assert_false(position_is_set(a.prev));
    assert_int_equal(position_compare(world_head(w, "v").at, a.at), 0);
}

static void range_gives_what_comes_after(void **state) {
    struct world *w = *state;
    world_post_many(w, "v", 20);
    world_post_many(w, "other", 5);
    struct position head = world_head(w, "v").at;
    const struct world_range *r = world_range(w, "v", (struct position){head.epoch, 12}, 100);
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->count, 8);
    assert_false(r->more);
    assert_int_equal(position_compare(r->head, head), 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(r->at[i].epoch, head.epoch);
        assert_int_equal(r->at[i].seq, 13 + i);
    }
}

static void a_range_cut_by_the_limit_has_more(void **state) {
    struct world *w = *state;
    world_post_many(w, "v", 20);
    struct position head = world_head(w, "v").at;
    const struct world_range *r = world_range(w, "v", (struct position){head.epoch, 5}, 4);
    assert_int_equal(r->count, 4);
    assert_int_equal(r->at[0].seq, 6);
    assert_int_equal(r->at[3].seq, 9);
    assert_true(r->more);
    assert_int_equal(r->head.seq, 20);
    r = world_range(w, "v", (struct position){head.epoch, 16}, 4);
    assert_int_equal(r->count, 4);
    assert_false(r->more);
    r = world_range(w, "v", (struct position){head.epoch, 16}, 0);
    assert_int_equal(r->count, 0);
    assert_true(r->more);
    r = world_range(w, "v", head, 0);
    assert_false(r->more);
    assert_int_equal(world_range(w, "v", (struct position){0}, SIZE_MAX)->count, 20);
}

static void range_beyond_the_head_is_empty(void **state) {
    struct world *w = *state;
    world_post_many(w, "v", 3);
    struct position head = world_head(w, "v").at;
    const struct position beyond[] = {head, {head.epoch, 4}, {head.epoch + 1, 0}, {INT64_MAX, INT64_MAX}};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        const struct world_range *r = world_range(w, "v", beyond[i], 10);
        assert_int_equal(r->status, ENGINE_OK);
        assert_int_equal(r->count, 0);
        assert_false(r->more);
        assert_int_equal(position_compare(r->head, head), 0);
    }
    assert_int_equal(world_range(w, "v", (struct position){1, 999}, 10)->count, 3); // an epoch long ago
}

struct ordered_range {
    struct world *world;
    const struct world_append *append;
    bool after_append;
};

static void on_ordered_range(void *arg, enum engine_status status, const struct engine_range *range) {
    struct ordered_range *r = arg;
    assert_int_equal(status, ENGINE_OK);
    assert_int_equal(range->count, 200);
    r->after_append = r->append->calls == 1;
    world_answered(r->world);
}

// Fewer than are handed over before the turn ends, so that the store gets them together.
static void a_comment_does_not_wait_for_ranges_asked_for_before_it(void **state) {
    enum { RANGES = 5 };
    struct world *w = *state;
    struct world_append append;
    struct ordered_range ranges[RANGES];
    if (strcmp(w->ops->name, "embedded") != 0) skip(); // others carry out what they are asked in turn
    world_post_many(w, "long", 200);
    for (int i = 0; i < RANGES; i++) {
        ranges[i] = (struct ordered_range){w, &append, false};
        w->awaited++;
        w->ops->range(w->engine, "long", (struct position){0}, 200, on_ordered_range, &ranges[i]);
    }
    world_begin_append(w, &append, "v", "{\"comment\":\"x\"}", NULL);
    world_wait(w);
    for (int i = 0; i < RANGES; i++) assert_true(ranges[i].after_append);
}

static void range_of_an_unknown_video_is_empty(void **state) {
    struct world *w = *state;
    const struct world_range *r = world_range(w, "unused", (struct position){5, 5}, 10);
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->count, 0);
    assert_false(r->more);
    assert_false(position_is_set(r->head));
    assert_int_equal(world_range(w, "unused", (struct position){0}, 10)->count, 0);
}

// Whether these are the entries `first` to `last` of an epoch.
static void assert_run(const struct world_range *r, uint64_t epoch, uint64_t first, uint64_t last,
                       bool more) {
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->count, last + 1 - first);
    assert_int_equal(r->more, more);
    for (size_t i = 0; i < r->count; i++) {
        assert_int_equal(r->at[i].epoch, epoch);
        assert_int_equal(r->at[i].seq, first + i);
    }
}

static void a_range_before_gives_the_newest_oldest_first(void **state) {
    struct world *w = *state;
    const struct position newest = {0};
    world_post_many(w, "v", 20);
    world_post_many(w, "other", 5);
    struct position head = world_head(w, "v").at;
    uint64_t epoch = head.epoch;
    assert_run(world_range_before(w, "v", newest, 4), epoch, 17, 20, true);
    assert_int_equal(position_compare(world_range_before(w, "v", newest, 4)->head, head), 0);
    assert_run(world_range_before(w, "v", (struct position){epoch, 17}, 4), epoch, 13, 16, true);
    assert_run(world_range_before(w, "v", (struct position){epoch, 5}, 4), epoch, 1, 4, false);
    assert_run(world_range_before(w, "v", (struct position){epoch, 5}, 10), epoch, 1, 4, false);
    assert_run(world_range_before(w, "v", (struct position){epoch, 5}, 3), epoch, 2, 4, true);
    assert_run(world_range_before(w, "v", (struct position){epoch, 2}, 9), epoch, 1, 1, false);
    assert_run(world_range_before(w, "v", newest, 20), epoch, 1, 20, false);
    assert_run(world_range_before(w, "v", newest, SIZE_MAX), epoch, 1, 20, false);
    assert_run(world_range_before(w, "v", newest, 0), epoch, 1, 0, true);
    char json[512];
    snprintf(json, sizeof json, "%s", world_range(w, "v", (struct position){epoch, 19}, 1)->json[0]);
    assert_string_equal(world_range_before(w, "v", newest, 1)->json[0], json);
}

static void a_range_before_ends_where_entries_have_expired(void **state) {
    struct world *w = *state;
    w->config.limits.log_age_ms = 100;
    world_reopen(w);
    const struct world_range *r;
    do { // the log itself stays, as it has newer entries
        world_let_pass(w, 5);
        struct position next = world_post(w, "v", 1);
        r = world_range_before(w, "v", (struct position){0}, 1000);
        assert_false(r->more);
        assert_in_range(r->count, 1, 500); // and is not yet cut to what is kept
        assert_int_equal(r->at[r->count - 1].seq, next.seq);
    } while (r->at[0].seq == 1);
    world_post(w, "clock", 1);
    while (world_range(w, "clock", (struct position){0}, 1)->count) world_let_pass(w, 5);
    struct position next =
        world_post(w, "v", 1); // what is older has expired, and is not noticed before the read
    assert_run(world_range_before(w, "v", (struct position){0}, 1), next.epoch, next.seq, next.seq, false);
    assert_run(world_range_before(w, "v", (struct position){0}, 9), next.epoch, next.seq, next.seq, false);
}

static void a_range_before_may_begin_anywhere(void **state) {
    struct world *w = *state;
    assert_run(world_range_before(w, "unused", (struct position){0}, 10), 0, 1, 0, false);
    world_post_many(w, "v", 5);
    uint64_t epoch = world_head(w, "v").at.epoch;
    const struct position beyond[] = {{epoch, 6}, {epoch + 1, 0}, {INT64_MAX, INT64_MAX}};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        assert_run(world_range_before(w, "v", beyond[i], 2), epoch, 4, 5, true);
    const struct position below[] = {{epoch, 1}, {epoch, 0}, {epoch - 1, 999}, {1, 0}};
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        assert_run(world_range_before(w, "v", below[i], 2), epoch, 1, 0, false);
}

static void a_range_before_includes_all_kinds_and_epochs(void **state) {
    struct world *w = *state;
    world_post_many(w, "v", 2);
    struct position old = world_head(w, "v").at;
    append_kind(w, 7, "{\"target\":\"x\"}");
    world_head_known(w, "v",
                     (struct position){old.epoch, 100}); // a loss: an epoch that begins with a tombstone
    world_post_many(w, "v", 2);
    const struct world_range *r = world_range_before(w, "v", (struct position){0}, 10);
    const enum entry_kind kinds[] = {ENTRY_COMMENT,   ENTRY_COMMENT, (enum entry_kind)7,
                                     ENTRY_TOMBSTONE, ENTRY_COMMENT, ENTRY_COMMENT};
    assert_int_equal(r->count, 6);
    for (size_t i = 0; i < 6; i++) assert_int_equal(r->kind[i], kinds[i]);
    struct position loss = r->at[3];
    assert_int_equal(loss.seq, 1);
    assert_run(world_range_before(w, "v", loss, 2), old.epoch, 2, 3, true);
    assert_run(world_range_before(w, "v", (struct position){loss.epoch, 0}, 2), old.epoch, 2, 3, true);
}

static void reads_what_was_written_in_the_same_moment(void **state) {
    struct world *w = *state;
    struct world_append a;
    struct world_head h = {.world = w};
    world_begin_append(w, &a, "v", "{\"comment\":\"x\"}", NULL);
    w->awaited++;
    w->ops->head(w->engine, "v", (struct position){0}, world_on_head, &h);
    const struct world_range *r = world_range(w, "v", (struct position){0}, 10);
    assert_int_equal(r->count, 1);
    assert_int_equal(position_compare(r->at[0], a.at), 0);
    assert_int_equal(position_compare(h.at, a.at), 0);
}

// Mappings

static void the_first_writer_wins(void **state) {
    struct world *w = *state;
    assert_int_equal(world_lookup(w, "v").status, ENGINE_NOT_FOUND);
    struct world_mapping m = world_assign(w, "v", reader_a);
    assert_int_equal(m.status, ENGINE_OK);
    assert_true(m.changed);
    assert_string_equal(m.reader, reader_a);
    m = world_assign(w, "v", reader_b);
    assert_int_equal(m.status, ENGINE_OK);
    assert_false(m.changed);
    assert_string_equal(m.reader, reader_a);
    m = world_lookup(w, "v");
    assert_int_equal(m.status, ENGINE_OK);
    assert_false(m.changed);
    assert_string_equal(m.reader, reader_a);
}

static void forty_concurrent_assignments_agree(void **state) {
    struct world *w = *state;
    struct world_mapping all[40];
    unsigned changed = 0;
    for (int i = 0; i < 40; i++) {
        char url[64];
        snprintf(url, sizeof url, "http://127.0.0.1:%d", 4001 + i);
        all[i] = (struct world_mapping){.world = w};
        w->awaited++;
        w->ops->assign(w->engine, "v", url, world_on_mapping, &all[i]);
    }
    world_wait(w);
    for (int i = 0; i < 40; i++) {
        changed += all[i].changed;
        assert_string_equal(all[i].reader, reader_a);
    }
    assert_int_equal(changed, 1);
}

static void reassigns_only_from_the_expected(void **state) {
    struct world *w = *state;
    assert_int_equal(world_reassign(w, "v", reader_a, reader_b).status, ENGINE_NOT_FOUND);
    world_post(w, "v", 1); // a position is not a mapping
    assert_int_equal(world_reassign(w, "v", reader_a, reader_b).status, ENGINE_NOT_FOUND);
    world_assign(w, "v", reader_a);
    struct world_mapping m = world_reassign(w, "v", "http://other", reader_b);
    assert_int_equal(m.status, ENGINE_OK);
    assert_false(m.changed);
    assert_string_equal(m.reader, reader_a);
    m = world_reassign(w, "v", reader_a, reader_b);
    assert_true(m.changed);
    assert_string_equal(m.reader, reader_b);
    m = world_reassign(w, "v", reader_a, "http://late"); // another process was faster
    assert_false(m.changed);
    assert_string_equal(m.reader, reader_b);
    m = world_reassign(w, "v", reader_b, reader_b);
    assert_false(m.changed);
    assert_string_equal(world_lookup(w, "v").reader, reader_b);
}

static void releases_only_the_expected(void **state) {
    struct world *w = *state;
    assert_int_equal(world_release(w, "v", reader_a), ENGINE_OK);
    world_assign(w, "v", reader_a);
    assert_int_equal(world_release(w, "v", reader_b), ENGINE_OK);
    assert_string_equal(world_lookup(w, "v").reader, reader_a);
    assert_int_equal(world_release(w, "v", reader_a), ENGINE_OK);
    assert_int_equal(world_lookup(w, "v").status, ENGINE_NOT_FOUND);
    assert_true(world_assign(w, "v", reader_b).changed);
    assert_int_equal(world_overview(w)->mappings, 1);
}

static void check_set(struct world_set s, uint64_t generation, const char *text) {
    assert_int_equal(s.status, ENGINE_OK);
    assert_int_equal(s.generation, generation);
    assert_string_equal(s.text, text);
}

static void a_set_is_replaced_only_if_it_has_the_generation(void **state) {
    struct world *w = *state;
    world_assign(w, "v", reader_a);
    check_set(world_read_set(w, "v"), 0, "");
    check_set(world_write_set(w, "v", 3, "early"), 0, "");
    check_set(world_write_set(w, "v", 0, reader_a), 1, reader_a);
    check_set(world_write_set(w, "v", 0, "another manager's"), 1, reader_a);
    check_set(world_write_set(w, "v", 1, reader_b), 2, reader_b);
    check_set(world_write_set(w, "v", 1, reader_a), 2, reader_b);
    check_set(world_read_set(w, "v"), 2, reader_b);
    check_set(world_read_set(w, "other"), 0, "");
    assert_string_equal(world_lookup(w, "v").reader, reader_a);
}

static void of_forty_concurrent_writers_of_a_set_one_wins(void **state) {
    struct world *w = *state;
    struct world_set all[40];
    unsigned won = 0;
    world_assign(w, "v", reader_a);
    for (int i = 0; i < 40; i++) {
        all[i] = (struct world_set){.world = w};
        w->awaited++;
        w->ops->set_write(w->engine, "v", 0, "the same", world_on_set, &all[i]);
    }
    world_wait(w);
    for (int i = 0; i < 40; i++) {
        won += all[i].written;
        check_set(all[i], 1, "the same");
    }
    assert_int_equal(won, 1);
}

static void a_set_outlives_the_engine(void **state) {
    struct world *w = *state;
    world_assign(w, "v", reader_a);
    world_write_set(w, "v", 0, reader_a);
    if (world_has_disk(w)) world_reopen(w);
    check_set(world_read_set(w, "v"), 1, reader_a);
    check_set(world_write_set(w, "v", 1, reader_b), 2, reader_b);
}

static void a_released_video_keeps_its_position(void **state) {
    struct world *w = *state;
    world_assign(w, "v", reader_a);
    world_post(w, "v", 1);
    world_release(w, "v", reader_a);
    assert_int_equal(world_post(w, "v", 2).seq, 2);
}

// Three videos at most

static int make_with_three_videos_at_most(void **state) {
    world_make(state);
    ((struct world *)*state)->config.limits.max_videos = 3;
    world_open(*state);
    return 0;
}

static int make_on_redis_with_three_videos_at_most(void **state) {
    assert_true(redis_server_tell(&server, "FLUSHALL"));
    world_make(state);
    struct world *w = *state;
    w->redis_port = server.port;
    w->config.limits.max_videos = 3;
    world_open(w);
    return 0;
}

static void watch_video(struct world *w, const char *video, bool watched) {
    w->ops->watch(w->engine, (const char *const[]){video}, 1, watched);
}

static bool is_mapped(struct world *w, const char *video) {
    return world_lookup(w, video).status == ENGINE_OK;
}

static void videos_in_use_are_not_evicted(void **state) {
    struct world *w = *state;
    world_post(w, "commented", 1);
    world_assign(w, "commented", reader_a);
    world_assign(w, "watched", reader_a);
    watch_video(w, "watched", true);
    world_head(w, "also watched");
    watch_video(w, "also watched", true);
    assert_int_equal(world_append(w, "d", "{\"comment\":\"x\"}", NULL).status, ENGINE_FULL);
    assert_int_equal(world_head(w, "d").status, ENGINE_FULL);
    assert_int_equal(world_assign(w, "d", reader_a).status, ENGINE_FULL);
    assert_int_equal(world_lookup(w, "d").status, ENGINE_NOT_FOUND);
    assert_int_equal(world_range(w, "d", (struct position){0}, 5)->status, ENGINE_OK);
    world_assign(w, "also watched", reader_a); // those there are go on
    world_post(w, "watched", 1);
    assert_true(is_mapped(w, "commented") && is_mapped(w, "watched"));
}

static void the_least_recently_used_is_evicted_for_a_new_one(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 50; i++) {
        char video[16], before[16];
        snprintf(video, sizeof video, "v%d", i);
        snprintf(before, sizeof before, "v%d", i - 3);
        assert_true(world_assign(w, video, reader_a).changed);
        world_let_pass(w, 2); // the order is one of milliseconds
        if (i >= 3) assert_false(is_mapped(w, before));
    }
    assert_int_equal(world_overview(w)->mappings, 3);
    assert_true(is_mapped(w, "v47") && is_mapped(w, "v48") && is_mapped(w, "v49"));
}

static void what_was_only_looked_at_makes_room_for_comments(void **state) {
    struct world *w = *state;
    world_assign(w, "mapped", reader_a);
    world_head(w, "looked at");
    world_assign(w, "left", reader_a);
    watch_video(w, "left", true);
    watch_video(w, "left", false);
    for (int i = 0; i < 3; i++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", i);
        world_post(w, video, 1);
        assert_true(world_assign(w, video, reader_a).changed);
    }
    assert_false(is_mapped(w, "mapped") || is_mapped(w, "left"));
    assert_int_equal(world_assign(w, "more", reader_a).status, ENGINE_FULL);
}

static void what_was_never_commented_does_not_push_out_what_was(void **state) {
    struct world *w = *state;
    w->config.limits.log_age_ms = 50;
    world_reopen(w);
    struct position real = world_post(w, "real", 1);
    world_assign(w, "real", reader_a);
    while (world_range(w, "real", (struct position){0}, 1)->count)
        world_let_pass(w, 5); // not in use any more
    world_let_pass(w, 100);
    for (int i = 0; i < 40; i++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", i);
        assert_true(world_assign(w, video, reader_a).changed);
        world_head(w, video);
    }
    assert_true(is_mapped(w, "real"));
    assert_int_equal(position_compare(world_head(w, "real").at, real), 0);
    for (int i = 0; i < 2; i++) { // videos in use do
        char video[16];
        snprintf(video, sizeof video, "w%d", i);
        world_assign(w, video, reader_a);
        watch_video(w, video, true);
    }
    assert_true(is_mapped(w, "real"));
    world_assign(w, "w2", reader_a);
    assert_false(is_mapped(w, "real"));
}

static void a_released_mapping_makes_room(void **state) {
    struct world *w = *state;
    world_assign(w, "a", reader_a);
    watch_video(w, "a", true);
    world_assign(w, "b", reader_a);
    watch_video(w, "b", true);
    world_post(w, "c", 1);
    assert_int_equal(world_assign(w, "d", reader_a).status, ENGINE_FULL);
    world_release(w, "b", reader_a);
    assert_true(world_assign(w, "d", reader_a).changed);
}

static void a_lowered_bound_is_reached_by_evicting(void **state) {
    struct world *w = *state;
    if (!world_has_disk(w)) skip();
    w->config.limits.max_videos = 100;
    world_reopen(w);
    for (int i = 0; i < 60; i++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", i);
        world_assign(w, video, reader_a);
    }
    w->config.limits.max_videos = 3;
    world_reopen(w);
    assert_true(world_assign(w, "new", reader_a).changed);
    assert_int_equal(world_overview(w)->mappings, 3);
}

static void lookups_create_nothing(void **state) {
    struct world *w = *state;
    for (int i = 0; i < 10; i++) {
        char video[16];
        snprintf(video, sizeof video, "v%d", i);
        assert_int_equal(world_lookup(w, video).status, ENGINE_NOT_FOUND);
        world_range(w, video, (struct position){0}, 5);
        watch_video(w, video, false);
    }
    assert_int_equal(world_overview(w)->mappings, 0);
    assert_true(world_assign(w, "real", reader_a).changed);
}

// Settings

static void settings_are_read_in_the_order_of_the_call(void **state) {
    struct world *w = *state;
    const char *const videos[] = {"b", "none", "a", "b"};
    assert_int_equal(world_write_settings(w, "a", "{\"state\":\"open\"}"), ENGINE_OK);
    assert_int_equal(world_write_settings(w, "b", "{\"state\":\"open\"}"), ENGINE_OK);
    assert_int_equal(world_write_settings(w, "b", "{\"state\":\"closed\"}"), ENGINE_OK);
    struct world_settings s = world_read_settings(w, videos, 4);
    assert_int_equal(s.status, ENGINE_OK);
    assert_string_equal(s.text[0], "{\"state\":\"closed\"}");
    assert_string_equal(s.text[1], "");
    assert_string_equal(s.text[2], "{\"state\":\"open\"}");
    assert_string_equal(s.text[3], s.text[0]);
}

static void settings_of_as_many_videos_as_allowed_are_read_at_once(void **state) {
    struct world *w = *state;
    char names[ENGINE_SETTINGS_BATCH][ENGINE_VIDEO_MAX + 1], longest[ENGINE_SETTINGS_MAX + 1];
    const char *videos[ENGINE_SETTINGS_BATCH];
    for (int i = 0; i < ENGINE_SETTINGS_BATCH; i++) {
        snprintf(names[i], sizeof names[i], "%0*d", ENGINE_VIDEO_MAX, i);
        videos[i] = names[i];
    }
    memset(longest, 'x', ENGINE_SETTINGS_MAX);
    longest[ENGINE_SETTINGS_MAX] = 0;
    assert_int_equal(world_write_settings(w, videos[ENGINE_SETTINGS_BATCH - 1], longest), ENGINE_OK);
    struct world_settings s = world_read_settings(w, videos, ENGINE_SETTINGS_BATCH);
    assert_int_equal(s.status, ENGINE_OK);
    assert_string_equal(s.text[0], "");
    assert_int_equal(strlen(s.text[ENGINE_SETTINGS_BATCH - 1]), sizeof s.text[0] - 1);
}

static void settings_outlive_the_engine(void **state) {
    struct world *w = *state;
    const char *const videos[] = {"a", "b"};
    world_write_settings(w, "a", "a");
    world_write_settings(w, "b", "b");
    assert_int_equal(world_write_settings(w, "b", NULL), ENGINE_OK);
    assert_int_equal(world_write_settings(w, "b", NULL), ENGINE_OK);
    if (world_has_disk(w)) world_reopen(w);
    struct world_settings s = world_read_settings(w, videos, 2);
    assert_string_equal(s.text[0], "a");
    assert_string_equal(s.text[1], "");
}

// Where three videos at most may exist.
static void settings_of_too_many_videos_are_refused(void **state) {
    struct world *w = *state;
    static const char *const videos[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 3; i++) assert_int_equal(world_write_settings(w, videos[i], "x"), ENGINE_OK);
    assert_int_equal(world_write_settings(w, "d", "x"), ENGINE_FULL);
    assert_int_equal(world_write_settings(w, "a", "y"), ENGINE_OK);
    assert_int_equal(world_write_settings(w, "none", NULL), ENGINE_OK);
    assert_int_equal(world_write_settings(w, "d", "x"), ENGINE_FULL);
    assert_int_equal(world_write_settings(w, "b", NULL), ENGINE_OK);
    assert_int_equal(world_write_settings(w, "d", "x"), ENGINE_OK);
    struct world_settings s = world_read_settings(w, videos, 5);
    for (int i = 0; i < 5; i++) assert_string_equal(s.text[i], i == 0 ? "y" : i == 2 || i == 3 ? "x" : "");
}

static void a_set_is_evicted_with_its_video(void **state) {
    struct world *w = *state;
    static const char *const videos[] = {"a", "b", "c"};
    world_assign(w, "v", reader_a);
    world_write_set(w, "v", 0, reader_a);
    for (int i = 0; i < 3; i++) world_post(w, videos[i], 1);
    check_set(world_read_set(w, "v"), 0, "");
}

static void settings_stay_when_a_video_is_evicted(void **state) {
    struct world *w = *state;
    static const char *const videos[] = {"a", "b", "c", "d"};
    world_write_settings(w, "a", "x");
    for (int i = 0; i < 4; i++) assert_int_equal(world_assign(w, videos[i], reader_a).status, ENGINE_OK);
    assert_int_equal(world_lookup(w, "a").status, ENGINE_NOT_FOUND);
    assert_string_equal(world_read_settings(w, videos, 1).text[0], "x");
}

// Taking comments out

static struct position say(struct world *w, const char *user, const char *text) {
    char json[128];
    snprintf(json, sizeof json, "{\"userid\":\"%s\",\"comment\":\"%s\"}", user, text);
    return world_append(w, "v", json, NULL).at;
}

// What a range has, as kinds: "c" for a comment, "." for what is left of one, "R" and "P" for what took it.
static const char *kinds_of(const struct world_range *r) {
    static char text[64];
    assert_true(r->count < sizeof text);
    for (size_t i = 0; i < r->count; i++) {
        if (i) assert_true(r->at[i].epoch != r->at[i - 1].epoch || r->at[i].seq == r->at[i - 1].seq + 1);
        text[i] = r->kind[i] == ENTRY_COMMENT   ? 'c'
                  : r->kind[i] == ENTRY_BLANK   ? '.'
                  : r->kind[i] == ENTRY_RETRACT ? 'R'
                  : r->kind[i] == ENTRY_PURGE   ? 'P'
                                                : '?';
    }
    text[r->count] = 0;
    return text;
}

static void a_comment_that_is_retracted_leaves_its_number(void **state) {
    struct world *w = *state;
    struct position before = world_head(w, "v").at, all[4];
    for (int i = 0; i < 4; i++) all[i] = say(w, "ann", "x");
    struct world_amend a = world_retract(w, "v", all[2]);
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.taken, 1);
    assert_int_equal(a.at.seq, all[3].seq + 1);
    assert_string_equal(kinds_of(world_range(w, "v", before, 10)), "cc.cR");
    assert_string_equal(kinds_of(world_range(w, "v", all[1], 10)), ".cR");
    assert_string_equal(kinds_of(world_range(w, "v", all[1], 1)), ".");
    assert_string_equal(kinds_of(world_range(w, "v", before, 3)), "cc.");
    assert_string_equal(kinds_of(world_range_before(w, "v", (struct position){0}, 10)), "cc.cR");
    assert_string_equal(kinds_of(world_range_before(w, "v", all[3], 2)), "c.");
    assert_int_equal(world_overview(w)->newest_count, 3);
    assert_int_equal(world_overview(w)->comments, 4);
}

static void the_oldest_one_leaves_its_number_too(void **state) {
    struct world *w = *state;
    struct position before = world_head(w, "v").at, first = say(w, "ann", "x");
    assert_int_equal(world_retract(w, "v", first).status, ENGINE_OK);
    assert_string_equal(kinds_of(world_range(w, "v", before, 10)), ".R");
    if (world_has_disk(w)) world_reopen(w);
    assert_string_equal(kinds_of(world_range(w, "v", before, 10)), ".R");
}

static void only_a_kept_comment_can_be_retracted_and_once(void **state) {
    struct world *w = *state;
    assert_int_equal(world_retract(w, "v", (struct position){1, 1}).status, ENGINE_NOT_FOUND);
    struct position one = say(w, "ann", "x");
    struct world_amend a = world_retract(w, "v", one), again = world_retract(w, "v", one);
    assert_int_equal(again.status, ENGINE_OK);
    assert_false(position_is_set(again.at));
    const struct position none[] = {a.at, {one.epoch, one.seq + 9}, {one.epoch - 1, 1}, {one.epoch, 0}};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(world_retract(w, "v", none[i]).status, ENGINE_NOT_FOUND);
    assert_int_equal(world_head(w, "v").at.seq, 2);
}

static void a_purge_takes_all_comments_of_a_user(void **state) {
    struct world *w = *state;
    struct position before = world_head(w, "v").at;
    say(w, "ann", "x");
    say(w, "anna", "x");
    say(w, "bob", "about \\\"userid\\\":\\\"ann\\\"");
    say(w, "ann", "x");
    static const char body[] = "\"userid\":\"ann\"";
    struct world_amend a = world_amend(
        w, &(struct engine_amend){
               .video = "v", .kind = ENTRY_PURGE, .body = body, .body_len = sizeof body - 1, .user = "ann"});
    assert_int_equal(a.taken, 2);
    say(w, "ann", "x");
    assert_string_equal(kinds_of(world_range(w, "v", before, 10)), ".cc.Pc");
    assert_int_equal(world_overview(w)->newest_count, 3);
}

// Leases, counters, overview

static void lists_leases_by_url(void **state) {
    struct world *w = *state;
    const struct engine_lease b = {
        .reader_url = reader_b, .instance_id = "reader-2", .generation = 7, .viewers = 3};
    const struct engine_lease a = {.reader_url = reader_a,
                                   .public_url = "https://public",
                                   .instance_id = "reader-1",
                                   .generation = 1,
                                   .viewers = 0};
    assert_string_equal(world_leases(w).text, "");
    world_renew(w, &b, 60000);
    world_renew(w, &a, 60000);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 https://public reader-1 1 0 live;"
                                              "http://127.0.0.1:4002 - reader-2 7 3 live;");
    const struct engine_lease changed = {.reader_url = reader_a,
                                         .instance_id = "reader-x",
                                         .generation = 2,
                                         .viewers = 9,
                                         .claim = LEASE_FIRST};
    world_renew(w, &changed, 60000);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 - reader-x 2 9 live;"
                                              "http://127.0.0.1:4002 - reader-2 7 3 live;");
}

static void a_lease_carries_the_load_of_its_process(void **state) {
    struct world *w = *state;
    struct engine_lease a = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .load = "{\"connects\":5000}"};
    world_renew(w, &a, 60000);
    assert_string_equal(world_leases(w).text,
                        "http://127.0.0.1:4001 - reader-1 1 0 live [{\"connects\":5000}];");
    a.load = "{}";
    a.claim = LEASE_HELD;
    world_renew(w, &a, 60000);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 - reader-1 1 0 live [{}];");
    // An older version took the URL over: what is left of the load is not its.
    a.claim = LEASE_FIRST;
    a.load = NULL;
    world_renew(w, &a, 60000);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 - reader-1 2 0 live;");
}

static void a_lease_ends_when_it_is_not_renewed(void **state) {
    struct world *w = *state;
    const struct engine_lease a = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    world_renew(w, &a, 30);
    while (strcmp(world_leases(w).text, "http://127.0.0.1:4001 - reader-1 1 0 expired;") != 0)
        world_let_pass(w, 5);
    world_renew(w, &a, 60000);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 - reader-1 1 0 live;");
}

static void a_renewal_returns_whether_the_lease_is_new(void **state) {
    struct world *w = *state;
    struct engine_lease a = {.reader_url = reader_a,
                             .instance_id = "reader-1",
                             .generation = 1,
                             .viewers = 0,
                             .claim = LEASE_FIRST};
    assert_true(world_renew(w, &a, 60000));
    a.claim = LEASE_HELD;
    assert_false(world_renew(w, &a, 60000));
    world_drop(w, reader_a, 1);
    assert_true(world_renew(w, &a, 60000));
    assert_false(world_renew(w, &a, 60000));
}

static void a_lease_is_not_ended_by_the_stores_clock(void **state) {
    struct world *w = *state;
    const struct engine_lease a = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    world_renew(w, &a, 1);
    while (!strstr(world_leases(w).text, "expired")) world_let_pass(w, 2);
    assert_false(world_renew(w, &a, 60000)); // no other process has had it
}

static void each_renewal_has_another_stamp(void **state) {
    struct world *w = *state;
    const struct engine_lease a = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    uint64_t before = 0;
    for (int i = 0; i < 50; i++) { // in the same millisecond, mostly
        struct world_lease l = world_claim(w, &a, 60000);
        assert_true(l.answer.stamp != before);
        before = l.answer.stamp;
    }
}

static void a_restarted_reader_takes_over_its_url_immediately(void **state) {
    struct world *w = *state;
    struct engine_lease a = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1000, .viewers = 0};
    world_renew(w, &a, 60000);
    a.claim = LEASE_FIRST;
    a.generation = 1; // its clock was set back
    struct world_lease l = world_claim(w, &a, 60000);
    assert_int_equal(l.answer.outcome, LEASE_GAINED);
    assert_int_equal(l.answer.generation, 1001);
    a.claim = LEASE_HELD;
    a.generation = 1001;
    assert_int_equal(world_claim(w, &a, 60000).answer.outcome, LEASE_KEPT);
}

static void of_two_readers_with_one_url_the_first_keeps_it(void **state) {
    struct world *w = *state;
    struct engine_lease a = {.reader_url = reader_a,
                             .instance_id = "reader-1",
                             .generation = 5,
                             .viewers = 0,
                             .claim = LEASE_FIRST};
    struct engine_lease b = {.reader_url = reader_a,
                             .instance_id = "reader-2",
                             .generation = 5,
                             .viewers = 0,
                             .claim = LEASE_FIRST};
    world_renew(w, &a, 60000);
    a.claim = LEASE_HELD;
    b.generation = world_claim(w, &b, 60000).answer.generation;
    b.claim = LEASE_HELD;
    assert_int_equal(b.generation, 6);
    assert_int_equal(world_claim(w, &b, 60000).answer.outcome, LEASE_KEPT); // the first has not come yet
    assert_int_equal(world_claim(w, &a, 60000).answer.outcome, LEASE_GAINED);
    struct world_lease taken = world_claim(w, &b, 60000);
    assert_int_equal(taken.answer.outcome, LEASE_TAKEN);
    assert_string_equal(taken.holder, "reader-1");
    assert_int_equal(world_claim(w, &a, 60000).answer.outcome, LEASE_KEPT);
    b.claim = LEASE_UNCHANGED;
    b.stamp = taken.answer.stamp; // which has changed since
    taken = world_claim(w, &b, 60000);
    assert_int_equal(taken.answer.outcome, LEASE_TAKEN);
    world_drop(w, reader_a, b.generation); // is not the second's to give up
    b.stamp = taken.answer.stamp;          // and now it has not: the first is dead
    struct world_lease gained = world_claim(w, &b, 60000);
    assert_int_equal(gained.answer.outcome, LEASE_GAINED);
    assert_true(gained.answer.generation > a.generation);
}

static void a_dropped_lease_stays_listed_as_expired(void **state) {
    struct world *w = *state;
    const struct engine_lease a = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    world_renew(w, &a, 60000);
    assert_int_equal(world_drop(w, reader_a, 1), ENGINE_OK);
    assert_int_equal(world_drop(w, "http://unused", 1), ENGINE_OK);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 - reader-1 1 0 expired;");
}

static void counts(void **state) {
    struct world *w = *state;
    assert_int_equal(world_counter_next(w, "n"), 0);
    assert_int_equal(world_counter_next(w, "n"), 1);
    assert_int_equal(world_counter_next(w, "n"), 2);
}

static void counts_by_name(void **state) {
    struct world *w = *state;
    if (!world_has_disk(w)) skip(); // the engine in memory has one counter
    assert_int_equal(world_counter_next(w, "n"), 0);
    assert_int_equal(world_counter_next(w, "other"), 0);
    assert_int_equal(world_counter_next(w, "n"), 1);
}

static void keeps_the_first_secret_of_a_name(void **state) {
    struct world *w = *state;
    assert_int_equal(world_secret(w, "a", 7, 60000), 7);
    assert_int_equal(world_secret(w, "a", 8, 60000), 7);
    assert_int_equal(world_secret(w, "b", 9, 60000), 9);
    if (!world_has_disk(w)) return;
    world_reopen(w);
    assert_int_equal(world_secret(w, "a", 8, 60000), 7);
}

static void gives_an_overview(void **state) {
    struct world *w = *state;
    const struct world_overview *o = world_overview(w);
    assert_int_equal(o->comments + o->mappings + o->newest_count + o->mapped_count, 0);
    world_post_many(w, "v", 9);
    world_post_many(w, "w", 6);
    for (int i = 0; i < ENGINE_MAPPED + 20; i++) {
        char video[16];
        snprintf(video, sizeof video, "m%d", i);
        world_assign(w, video, reader_a);
    }
    world_reassign(w, "m119", reader_a, reader_b);
    o = world_overview(w);
    assert_int_equal(o->comments, 15);
    assert_int_equal(o->mappings, ENGINE_MAPPED + 20);
    assert_int_equal(o->newest_count, ENGINE_NEWEST);
    assert_non_null(strstr(o->newest[0], "\"comment\":\"5\""));
    assert_non_null(strstr(o->newest[5], "\"comment\":\"0\""));
    assert_non_null(strstr(o->newest[6], "\"comment\":\"8\""));
    assert_int_equal(o->mapped_count, ENGINE_MAPPED);
    if (!world_has_disk(w)) return; // the engine in memory has mappings in no particular order
    assert_string_equal(o->mapped[0], "m119 http://127.0.0.1:4002");
    assert_string_equal(o->mapped[19], "m100 http://127.0.0.1:4001");
    assert_string_equal(o->mapped[99], "m20 http://127.0.0.1:4001");
}

static void counts_what_waits_and_what_was_done(void **state) {
    struct world *w = *state;
    static struct world_append all[20];
    struct engine_stats before = w->ops->stats(w->engine);
    assert_int_equal(before.waiting, 0);
    for (int i = 0; i < 20; i++) world_begin_append(w, &all[i], "v", "{\"comment\":\"x\"}", NULL);
    assert_int_equal(w->ops->stats(w->engine).waiting, 20);
    world_wait(w);
    struct engine_stats after = w->ops->stats(w->engine);
    assert_int_equal(after.waiting, 0);
    assert_in_range(after.trips - before.trips, 1, 20);
    assert_true(after.trip_us >= before.trip_us && after.longest_trip_us <= after.trip_us);
    assert_int_equal(after.failures, before.failures);
}

static void is_ready(void **state) {
    struct world *w = *state;
    const char *why = NULL;
    assert_true(w->ops->ready(w->engine, &why));
    assert_null(why);
    assert_int_equal(!strcmp(w->ops->name, "redis"), w->redis_port != 0);
}

// Closing, from inside each kind of callback

static void assert_closed(struct world *w, const struct world_append *all, size_t count) {
    world_wait(w);
    for (int i = 0; i < WORLD_LONG_MS && w->engine; i++) world_let_pass(w, 1); // appends may overtake a range
    assert_null(w->engine);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(all[i].calls, 1);
        assert_true(all[i].status == ENGINE_OK || all[i].status == ENGINE_CLOSED);
    }
    world_let_pass(w, 1); // what is left is freed
}

// Messages

struct ear {
    struct world *world;
    unsigned count;
    char last[64];
    bool closes;
};

static void ear_on_message(void *arg, const char *body, size_t len) {
    struct ear *e = arg;
    e->count++;
    snprintf(e->last, sizeof e->last, "%.*s", (int)len, body);
    if (!e->closes) return;
    e->world->ops->close(e->world->engine);
    e->world->engine = NULL;
}

static struct engine_listener *ear_listen(struct ear *e, struct world *w, const char *topic) {
    e->world = w;
    return w->ops->listen(w->engine, topic, ear_on_message, e);
}

// Until a message arrives: a listener of an engine with a distant store may not listen yet.
static void ear_await_first(struct ear *e, const char *topic) {
    struct world *w = e->world;
    for (int i = 0; i < WORLD_LONG_MS / 10 && !e->count; i++) {
        w->ops->notify(w->engine, topic, "first", 5);
        assert_int_equal(e->count, 0); // never from inside the call
        world_let_pass(w, 10);
    }
    w->ops->notify(w->engine, topic, "drained", 7);
    for (int i = 0; i < WORLD_LONG_MS && strcmp(e->last, "drained"); i++) world_let_pass(w, 1);
    e->count = 0;
}

static void a_message_reaches_every_listener_of_its_topic(void **state) {
    struct world *w = *state;
    struct ear a = {0}, b = {0}, other = {0};
    ear_listen(&a, w, "viewers:http://127.0.0.1:4001");
    ear_listen(&b, w, "viewers:http://127.0.0.1:4001");
    ear_listen(&other, w, "viewers:http://127.0.0.1:4002");
    ear_await_first(&a, "viewers:http://127.0.0.1:4001");
    b.count = 0;
    for (char n = 'a'; n <= 'z'; n++) w->ops->notify(w->engine, "viewers:http://127.0.0.1:4001", &n, 1);
    await(w, &b.count, 26);
    assert_int_equal(a.count, 26);
    assert_string_equal(a.last, "z");
    assert_string_equal(b.last, "z");
    assert_int_equal(other.count, 0);
}

static void nothing_arrives_after_unlistening(void **state) {
    struct world *w = *state;
    struct ear a = {0}, b = {0};
    struct engine_listener *l = ear_listen(&a, w, "t");
    struct engine_listener *m = ear_listen(&b, w, "t");
    ear_await_first(&a, "t");
    b.count = 0;
    w->ops->unlisten(w->engine, l);
    w->ops->notify(w->engine, "t", "x", 1);
    await(w, &b.count, 1);
    w->ops->unlisten(w->engine, m);
    w->ops->notify(w->engine, "t", "y", 1);
    struct ear c = {0};
    ear_listen(&c, w, "t");
    ear_await_first(&c, "t");
    assert_int_equal(a.count, 0);
    assert_int_equal(b.count, 1);
    w->ops->notify(w->engine, "t", "z", 1);
    await(w, &c.count, 1);
    assert_string_equal(c.last, "z");
}

static void a_message_beyond_the_limits_is_not_sent(void **state) {
    struct world *w = *state;
    static char body[ENGINE_MESSAGE_MAX + 1], topic[ENGINE_TOPIC_MAX + 2];
    memset(body, 'b', sizeof body);
    memset(topic, 't', ENGINE_TOPIC_MAX + 1);
    struct ear a = {0};
    ear_listen(&a, w, topic + 1);
    ear_await_first(&a, topic + 1);
    w->ops->notify(w->engine, topic, "x", 1);
    w->ops->notify(w->engine, topic + 1, body, sizeof body);
    w->ops->notify(w->engine, topic + 1, "", 0);
    w->ops->notify(w->engine, topic + 1, body, ENGINE_MESSAGE_MAX);
    w->ops->notify(w->engine, topic + 1, "last", 4);
    await(w, &a.count, 2);
    assert_string_equal(a.last, "last");
}

static void a_listener_may_close_the_engine(void **state) {
    struct world *w = *state;
    struct ear a = {0}, b = {.closes = true};
    ear_listen(&a, w, "t");
    ear_await_first(&a, "t");
    ear_listen(&b, w, "t");
    ear_listen(&(struct ear){0}, w, "t");
    w->ops->notify(w->engine, "t", "x", 1);
    w->ops->notify(w->engine, "t", "y", 1);
    await(w, &b.count, 1);
    world_let_pass(w, 10);
    assert_int_equal(a.count, 1);
    world_open(w);
}

static size_t count_kept(struct world *w, const char *video) {
    return world_range(w, video, (struct position){0}, 100)->count;
}

static void what_is_kept_can_change(void **state) {
    struct world *w = *state;
    struct engine_limits limits = w->config.limits;
    world_post_many(w, "v", 20);
    assert_int_equal(count_kept(w, "v"), 20);
    limits.log_entries = 5;
    w->ops->set_limits(w->engine, &limits);
    world_post(w, "v", 20);
    assert_int_equal(count_kept(w, "v"), 5);
    limits.log_entries = 10;
    w->ops->set_limits(w->engine, &limits);
    world_post_many(w, "v", 10);
    assert_int_equal(count_kept(w, "v"), 10);
    limits.log_age_ms = 1;
    w->ops->set_limits(w->engine, &limits);
    world_let_pass(w, 20);
    assert_int_equal(count_kept(w, "v"), 0);
}

static void close_now(struct world *w) {
    if (w->engine) w->ops->close(w->engine);
    w->engine = NULL;
}

static void close_on_append(void *arg, enum engine_status status, const struct engine_entry *e,
                            const struct engine_first *first) {
    (void)status, (void)e, (void)first;
    close_now(arg);
}

static void close_on_head(void *arg, enum engine_status status, const struct engine_head *head) {
    (void)status, (void)head;
    close_now(arg);
}

static void close_on_range(void *arg, enum engine_status status, const struct engine_range *range) {
    const struct engine_entry *e = status == ENGINE_OK && range->count ? &range->entries[0] : NULL;
    close_now(arg);
    if (e) assert_int_equal(e->kind, ENTRY_COMMENT); // what a callback is given stays valid until it returns
}

static void close_on_done(void *arg, enum engine_status status) {
    (void)status;
    close_now(arg);
}

static void close_on_leases(void *arg, enum engine_status status, const struct engine_lease *list, size_t n) {
    (void)status, (void)list, (void)n;
    close_now(arg);
}

static void can_be_closed_in_any_callback(void **state) {
    struct world *w = *state;
    static const struct engine_append what = {
        .video = "v", .kind = ENTRY_COMMENT, .body = "\"a\":1", .body_len = 5};
    static struct world_append all[20];
    for (int operation = 0; operation < 5; operation++) {
        for (int i = 0; i < 10; i++) world_begin_append(w, &all[i], "v", "{\"comment\":\"x\"}", NULL);
        switch (operation) {
        case 0: w->ops->append(w->engine, &what, close_on_append, w); break;
        case 1: w->ops->head(w->engine, "v", (struct position){0}, close_on_head, w); break;
        case 2: w->ops->range(w->engine, "v", (struct position){0}, 10, close_on_range, w); break;
        case 3: w->ops->release(w->engine, "v", reader_a, close_on_done, w); break;
        case 4: w->ops->leases(w->engine, close_on_leases, w); break;
        }
        for (int i = 10; i < 20; i++) world_begin_append(w, &all[i], "v", "{\"comment\":\"x\"}", NULL);
        assert_closed(w, all, 20);
        for (int i = 0; i < 10; i++) assert_int_equal(all[i].status, ENGINE_OK);
        world_open(w);
    }
    if (world_has_disk(w)) world_post(w, "v", 1);
}

static void close_on_entry(void *arg, const struct engine_entry *e) {
    (void)e;
    close_now(arg);
}

static void close_on_subscribed(void *arg) {
    close_now(arg);
}

static void not_after_closing(void *arg, const struct engine_entry *e) {
    (void)e;
    assert_non_null(((struct world *)arg)->engine);
}

static void can_be_closed_by_a_subscriber(void **state) {
    struct world *w = *state;
    static const struct engine_subscriber on_entry = {.on_entry = close_on_entry},
                                          after = {.on_entry = not_after_closing},
                                          on_subscribed = {.on_entry = close_on_entry,
                                                           .on_subscribed = close_on_subscribed};
    static struct world_append all[10];
    size_t begun = 0;
    w->ops->subscribe(w->engine, "v", &on_entry, w);
    w->ops->subscribe(w->engine, "v", &after, w);
    while (w->engine && begun < 10) {
        world_begin_append(w, &all[begun++], "v", "{\"comment\":\"x\"}", NULL);
        world_wait(w);
        world_let_pass(w, 1);
    }
    while (w->engine) world_let_pass(w, 1);
    assert_closed(w, all, begun);
    world_open(w);
    w->ops->subscribe(w->engine, "v", &on_subscribed, w);
    while (w->engine) world_let_pass(w, 1);
    assert_closed(w, NULL, 0);
    world_open(w);
    if (world_has_disk(w)) world_post(w, "v", 1);
}

struct last_append {
    struct world *world;
    struct world_append append;
};

static void append_again(void *arg, enum engine_status status, const struct engine_head *head) {
    struct last_append *last = arg;
    (void)status, (void)head;
    world_begin_append(last->world, &last->append, "v", "{\"comment\":\"x\"}", NULL);
}

static void what_is_called_while_closing_is_refused(void **state) {
    struct world *w = *state;
    struct last_append last = {.world = w};
    w->ops->head(w->engine, "v", (struct position){0}, append_again, &last);
    world_close(w);
    assert_int_equal(last.append.calls, 1);
    assert_int_equal(last.append.status, ENGINE_CLOSED);
}

struct leaver {
    struct world *world;
    struct engine_subscription *subscription;
};

static void unsubscribe_and_close_again(void *arg, enum engine_status status, const struct engine_entry *e,
                                        const struct engine_first *first) {
    struct leaver *l = arg;
    (void)status, (void)e, (void)first;
    if (l->subscription) l->world->ops->unsubscribe(l->world->engine, l->subscription);
    l->subscription = NULL;
    l->world->ops->close(l->world->engine); // does nothing
}

static void a_callback_of_closing_may_unsubscribe_and_close(void **state) {
    struct world *w = *state;
    static const struct engine_subscriber subscriber = {.on_entry = not_after_closing};
    static const struct engine_append what = {
        .video = "v", .kind = ENTRY_COMMENT, .body = "\"a\":1", .body_len = 5};
    struct leaver l = {.world = w, .subscription = w->ops->subscribe(w->engine, "v", &subscriber, w)};
    for (int i = 0; i < 3; i++) w->ops->append(w->engine, &what, unsubscribe_and_close_again, &l);
    world_close(w);
    assert_null(l.subscription);
}

#define CONTRACT(TEST)                                                                                       \
    TEST(a_comment_that_is_retracted_leaves_its_number), TEST(the_oldest_one_leaves_its_number_too),         \
        TEST(only_a_kept_comment_can_be_retracted_and_once), TEST(a_purge_takes_all_comments_of_a_user),     \
        TEST(numbers_from_one_and_puts_the_id_first), TEST(keeps_the_order_of_the_calls),                    \
        TEST(a_tombstone_takes_a_number_and_has_no_content), TEST(carries_any_json_unchanged),               \
        TEST(a_video_id_may_have_any_length_and_look_like_another), TEST(a_repeat_gets_the_first_answer),    \
        TEST(a_token_with_another_digest_stores_nothing), TEST(a_kind_is_kept_and_counts_as_no_comment),     \
        TEST(a_token_counts_within_its_video), TEST(repeats_at_the_same_moment_store_one),                   \
        TEST(entries_are_delivered_in_log_order), TEST(on_subscribed_is_called_once),                        \
        TEST(nothing_is_delivered_after_unsubscribing),                                                      \
        TEST(what_is_no_comment_is_published_with_its_fields_or_as_unread),                                  \
        TEST(kinds_are_there_when_the_engine_is_opened_again), TEST(a_repeat_is_not_published_again),        \
        TEST(head_of_an_unknown_video_starts_its_first_epoch), TEST(range_gives_what_comes_after),           \
        TEST(a_range_cut_by_the_limit_has_more), TEST(range_beyond_the_head_is_empty),                       \
        TEST(a_range_before_gives_the_newest_oldest_first), TEST(a_range_before_may_begin_anywhere),         \
        TEST(a_range_before_includes_all_kinds_and_epochs),                                                  \
        TEST(a_range_before_ends_where_entries_have_expired), TEST(range_of_an_unknown_video_is_empty),      \
        TEST(reads_what_was_written_in_the_same_moment), TEST(the_first_writer_wins),                        \
        TEST(forty_concurrent_assignments_agree), TEST(reassigns_only_from_the_expected),                    \
        TEST(releases_only_the_expected), TEST(a_set_is_replaced_only_if_it_has_the_generation),             \
        TEST(of_forty_concurrent_writers_of_a_set_one_wins), TEST(a_set_outlives_the_engine),                \
        TEST(a_released_video_keeps_its_position), TEST(settings_are_read_in_the_order_of_the_call),         \
        TEST(settings_of_as_many_videos_as_allowed_are_read_at_once), TEST(settings_outlive_the_engine),     \
        TEST(lists_leases_by_url), TEST(a_lease_carries_the_load_of_its_process),                            \
        TEST(a_lease_ends_when_it_is_not_renewed), TEST(a_renewal_returns_whether_the_lease_is_new),         \
        TEST(a_lease_is_not_ended_by_the_stores_clock), TEST(each_renewal_has_another_stamp),                \
        TEST(a_restarted_reader_takes_over_its_url_immediately),                                             \
        TEST(of_two_readers_with_one_url_the_first_keeps_it), TEST(a_dropped_lease_stays_listed_as_expired), \
        TEST(counts), TEST(counts_by_name), TEST(keeps_the_first_secret_of_a_name), TEST(gives_an_overview), \
        TEST(counts_what_waits_and_what_was_done), TEST(is_ready), TEST(can_be_closed_in_any_callback),      \
        TEST(can_be_closed_by_a_subscriber), TEST(what_is_called_while_closing_is_refused),                  \
        TEST(a_callback_of_closing_may_unsubscribe_and_close),                                               \
        TEST(a_message_reaches_every_listener_of_its_topic), TEST(nothing_arrives_after_unlistening),        \
        TEST(a_message_beyond_the_limits_is_not_sent), TEST(a_listener_may_close_the_engine),                \
        TEST(what_is_kept_can_change)

#define BOUNDED(TEST)                                                                                        \
    TEST(videos_in_use_are_not_evicted), TEST(the_least_recently_used_is_evicted_for_a_new_one),             \
        TEST(what_was_only_looked_at_makes_room_for_comments),                                               \
        TEST(what_was_never_commented_does_not_push_out_what_was), TEST(a_released_mapping_makes_room),      \
        TEST(a_lowered_bound_is_reached_by_evicting), TEST(lookups_create_nothing),                          \
        TEST(settings_of_too_many_videos_are_refused), TEST(settings_stay_when_a_video_is_evicted),          \
        TEST(a_set_is_evicted_with_its_video)

int main(void) {
#define FULL_REDIS(name)                                                                                     \
    cmocka_unit_test_setup_teardown(name, make_on_redis_with_three_videos_at_most, world_free)
#define EMBEDDED(name) cmocka_unit_test_setup_teardown(name, world_make_open, world_free)
#define FULL(name)     cmocka_unit_test_setup_teardown(name, make_with_three_videos_at_most, world_free)
#define ON_REDIS(name) cmocka_unit_test_setup_teardown(name, make_on_redis, world_free)
    const struct CMUnitTest embedded[] = {
        CONTRACT(EMBEDDED),
        ROOM_CONTRACT(EMBEDDED),
        EMBEDDED(a_comment_does_not_wait_for_ranges_asked_for_before_it),
        EMBEDDED(answers_the_poster_before_the_viewers),
        BOUNDED(FULL),
        FULL(a_room_is_evicted_with_its_video),
    };
    const struct CMUnitTest redis[] = {CONTRACT(ON_REDIS), ROOM_CONTRACT(ON_REDIS), BOUNDED(FULL_REDIS),
                                       FULL_REDIS(a_room_is_evicted_with_its_video)};
    redis_server_start(&server);
    int failed = cmocka_run_group_tests(embedded, NULL, NULL);
    failed += cmocka_run_group_tests(redis, NULL, NULL);
    redis_server_stop(&server);
    return failed;
}
