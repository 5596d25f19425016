// The cache of known videos, in front of a store that answers when the test says so. The clock stands.
#include "unit.h"
#include "moved_clock.h"

#include "engine/engine.h"
#include "net/loop.h"
#include "service/known_videos.h"

enum { ASKERS = 20000 };

static struct {
    struct engine engine;
    struct loop *loop;
    struct known_videos *known;
    engine_message_cb *on_change;
    void *change_arg;
    // The query that is running; cb NULL: none.
    engine_settings_cb *cb;
    void *cb_arg;
    char asked[ENGINE_SETTINGS_BATCH][32];
    size_t asked_count;
    unsigned queries;
    enum video_state answers[ASKERS];
    unsigned answered;
} w;

static void settings_read(struct engine *e, const char *const *videos, size_t count, engine_settings_cb *cb,
                          void *arg) {
    (void)e;
    assert_null(w.cb); // one query at a time
    for (size_t i = 0; i < count; i++) snprintf(w.asked[i], sizeof w.asked[i], "%s", videos[i]);
    w.asked_count = count;
    w.cb = cb;
    w.cb_arg = arg;
    w.queries++;
}

static struct engine_listener *listen(struct engine *e, const char *topic, engine_message_cb *cb, void *arg) {
    (void)e;
    assert_string_equal(topic, KNOWN_VIDEOS_TOPIC);
    w.on_change = cb;
    w.change_arg = arg;
    return NULL;
}

static const struct engine_ops ops = {.settings_read = settings_read, .listen = listen};

static int set_up(void **state) {
    (void)state;
    memset(&w, 0, sizeof w);
    w.engine.ops = &ops;
    w.loop = loop_new();
    w.known = known_videos_new(w.loop, &w.engine);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    known_videos_free(w.known);
    loop_free(w.loop);
    return 0;
}

static void on_stop(struct loop_timer *t) {
    (void)t;
    loop_stop(w.loop);
}

static void let_pass(int64_t ms) {
    struct loop_timer stop = {.on_due = on_stop};
    moved_clock.now_ms += ms;
    loop_timer_start(w.loop, &stop, 0);
    assert_int_equal(loop_run(w.loop), 0);
}

static void on_answer(void *arg, enum video_state state) {
    w.answers[(enum video_state *)arg - w.answers] = state;
    w.answered++;
}

static void ask(const char *video, int who) {
    known_videos_ask(w.known, video, 0, on_answer, &w.answers[who]);
}

// Answers the running query: each video has these settings.
static void answer(enum engine_status status, const char *settings) {
    const char *all[ENGINE_SETTINGS_BATCH];
    engine_settings_cb *cb = w.cb;
    for (size_t i = 0; i < ENGINE_SETTINGS_BATCH; i++) all[i] = settings;
    w.cb = NULL;
    cb(w.cb_arg, status, status == ENGINE_OK ? all : NULL);
}

static void change(const char *video) {
    w.on_change(w.change_arg, video, strlen(video));
}

static const char open[] = "{\"later\":[1,{\"state\":\"closed\"}],\"state\":\"open\"}",
                  closed[] = "{\"state\":\"closed\"}";

static void what_is_known_is_not_asked_for_again(void **state) {
    (void)state;
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_UNSURE);
    ask("v", 0);
    ask("v", 1);
    assert_int_equal(w.answered, 0);
    answer(ENGINE_OK, open);
    assert_int_equal(w.answers[0], VIDEO_OPEN);
    assert_int_equal(w.answers[1], VIDEO_OPEN);
    let_pass(1000);
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_OPEN);
    assert_int_equal(w.queries, 1);
}

static void what_does_not_exist_is_not_remembered(void **state) {
    (void)state;
    ask("v", 0);
    answer(ENGINE_OK, NULL);
    assert_int_equal(w.answers[0], VIDEO_UNKNOWN);
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_UNSURE);
    ask("v", 0);
    let_pass(10);
    answer(ENGINE_OK, closed);
    assert_int_equal(w.answers[0], VIDEO_CLOSED);
}

static void a_flood_of_invented_videos_is_asked_for_in_batches_at_a_pace(void **state) {
    (void)state;
    enum { MANY = 1000 };
    for (int i = 0; i < MANY; i++) {
        char video[32];
        snprintf(video, sizeof video, "invented-%d", i);
        ask(video, i);
    }
    while (w.answered < MANY) {
        unsigned queries = w.queries;
        answer(ENGINE_OK, NULL);
        let_pass(0);
        assert_int_equal(w.queries, queries); // not at once
        if (w.answered < MANY) let_pass(2);
    }
    // The first one was alone.
    assert_int_equal(w.queries, 1 + (MANY - 1 + ENGINE_SETTINGS_BATCH - 1) / ENGINE_SETTINGS_BATCH);
    assert_string_equal(w.asked[(MANY - 2) % ENGINE_SETTINGS_BATCH], "invented-999");
}

static void what_no_queue_can_hold_is_refused(void **state) {
    (void)state;
    for (int i = 0; i < ASKERS; i++) {
        char video[32];
        snprintf(video, sizeof video, "invented-%d", i);
        ask(video, i);
    }
    answer(ENGINE_OK, open);
    assert_int_equal(w.answered, 1);
    let_pass(2);
    assert_int_equal(w.answered, 1 + ASKERS - 16384 - 1);
    assert_int_equal(w.answers[ASKERS - 1], VIDEO_UNSURE);
    answer(ENGINE_OK, open);
    assert_int_equal(w.answers[1], VIDEO_OPEN);
}

static void a_known_video_is_refreshed_while_it_counts(void **state) {
    (void)state;
    ask("v", 0);
    answer(ENGINE_OK, open);
    let_pass(6000);
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_OPEN);
    assert_int_equal(w.queries, 2);
    answer(ENGINE_OK, closed);
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_CLOSED);
    let_pass(40000);
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_UNSURE);
    ask("v", 0);
    answer(ENGINE_UNAVAILABLE, NULL); // then the last that is known counts
    assert_int_equal(w.answers[0], VIDEO_CLOSED);
    ask("other", 1);
    let_pass(2);
    answer(ENGINE_UNAVAILABLE, NULL);
    assert_int_equal(w.answers[1], VIDEO_UNSURE);
}

static void on_answer_find(void *arg, enum video_state state) {
    assert_int_equal(state, VIDEO_OPEN);
    *(enum video_state *)arg = known_videos_find(w.known, "v");
}

// A handler is called again, and looks it up again.
static void what_counts_while_the_store_is_away_need_not_be_asked_for_again(void **state) {
    (void)state;
    enum video_state found = VIDEO_UNSURE;
    ask("v", 0);
    answer(ENGINE_OK, open);
    change("v");
    let_pass(2);
    known_videos_ask(w.known, "v", 0, on_answer_find, &found);
    answer(ENGINE_UNAVAILABLE, NULL);
    assert_int_equal(found, VIDEO_OPEN);
    let_pass(2);
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_UNSURE); // the store may answer now
}

static void a_change_counts_at_once_also_during_a_query(void **state) {
    (void)state;
    ask("v", 0);
    answer(ENGINE_OK, open);
    change("v");
    change("unheard-of");
    assert_int_equal(known_videos_find(w.known, "v"), VIDEO_UNSURE);
    let_pass(2);
    ask("v", 0);
    change("v"); // the query may have read what was before
    answer(ENGINE_OK, open);
    assert_int_equal(w.answered, 1);
    let_pass(2);
    answer(ENGINE_OK, closed);
    assert_int_equal(w.answered, 2);
    assert_int_equal(w.answers[0], VIDEO_CLOSED);
}

static void no_address_takes_more_than_its_share_of_the_places(void **state) {
    (void)state;
    for (int i = 0; i < KNOWN_WAITING_OF_ADDRESS; i++)
        known_videos_ask(w.known, "v", 1, on_answer, &w.answers[i]);
    known_videos_ask(w.known, "v", 1, on_answer, &w.answers[ASKERS - 1]);
    known_videos_ask(w.known, "v", 2, on_answer, &w.answers[ASKERS - 2]);
    answer(ENGINE_OK, open);
    assert_int_equal(w.answered, KNOWN_WAITING_OF_ADDRESS + 1);
    assert_int_equal(w.answers[ASKERS - 2], VIDEO_OPEN);
    let_pass(2);
    assert_int_equal(w.answered, KNOWN_WAITING_OF_ADDRESS + 2);
    assert_int_equal(w.answers[ASKERS - 1], VIDEO_UNSURE);
    known_videos_ask(w.known, "other", 1, on_answer, &w.answers[0]); // its places were given back
    answer(ENGINE_OK, closed);
    assert_int_equal(w.answers[0], VIDEO_CLOSED);
}

static void on_prepared(void *arg) {
    (*(int *)arg)++;
}

static void a_list_is_prepared_with_one_query(void **state) {
    (void)state;
    int done = 0;
    ask("a", 0);
    answer(ENGINE_OK, open);
    let_pass(2);
    json_t *list =
        json_pack("{s:[{s:s},{s:s},{s:s},{}]}", "videos", "videoid", "a", "videoid", "b", "videoid", "c");
    assert_false(known_videos_prepare(w.known, list, on_prepared, &done));
    answer(ENGINE_OK, NULL);
    let_pass(2);
    answer(ENGINE_OK, open);
    assert_int_equal(done, 1);
    assert_int_equal(known_videos_find(w.known, "b"), VIDEO_UNSURE);
    assert_int_equal(known_videos_find(w.known, "c"), VIDEO_OPEN);
    json_decref(list);
}

static void what_waits_is_answered_at_the_end(void **state) {
    (void)state;
    ask("v", 0);
    ask("w", 1);
    answer(ENGINE_CLOSED, NULL);
    assert_int_equal(w.answered, 1);
    known_videos_free(w.known);
    w.known = NULL;
    assert_int_equal(w.answered, 2);
    assert_int_equal(w.answers[1], VIDEO_UNSURE);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(what_is_known_is_not_asked_for_again),
                                       TEST(what_does_not_exist_is_not_remembered),
                                       TEST(a_flood_of_invented_videos_is_asked_for_in_batches_at_a_pace),
                                       TEST(what_no_queue_can_hold_is_refused),
                                       TEST(a_known_video_is_refreshed_while_it_counts),
                                       TEST(what_counts_while_the_store_is_away_need_not_be_asked_for_again),
                                       TEST(a_change_counts_at_once_also_during_a_query),
                                       TEST(no_address_takes_more_than_its_share_of_the_places),
                                       TEST(a_list_is_prepared_with_one_query),
                                       TEST(what_waits_is_answered_at_the_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
