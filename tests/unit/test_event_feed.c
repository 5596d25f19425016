#include "unit.h"

#include "engine/engine.h"
#include "service/event_feed.h"

static struct {
    struct engine engine;
    struct event_feed feed;
    char sent[1024];
} w;

static void notify(struct engine *e, const char *topic, const void *body, size_t len) {
    (void)e;
    assert_string_equal(topic, "events");
    strncat(w.sent, body, len);
}

static const struct engine_ops ops = {.notify = notify};

static int set_up(void **state) {
    (void)state;
    memset(&w, 0, sizeof w);
    w.engine.ops = &ops;
    return 0;
}

static bool send(int64_t now_ms) {
    if (!event_feed_has_room(&w.feed, now_ms)) return false;
    event_feed_send(&w.feed, &w.engine, json_pack("{s:s}", "kind", "k"));
    return true;
}

static void an_event_goes_to_the_topic(void **state) {
    (void)state;
    assert_true(send(5000));
    assert_string_equal(w.sent, "{\"kind\":\"k\"}");
}

static void a_flood_is_cut_to_a_few_a_second_and_counted(void **state) {
    (void)state;
    for (int i = 0; i < EVENT_FEED_PER_S; i++) assert_true(send(5000 + i));
    for (int i = 0; i < 1000; i++) assert_false(send(5100));
    w.sent[0] = 0;
    assert_true(send(6000));
    assert_string_equal(w.sent, "{\"kind\":\"k\",\"more\":1000}");
    w.sent[0] = 0;
    assert_true(send(6001));
    assert_string_equal(w.sent, "{\"kind\":\"k\"}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_event_goes_to_the_topic, set_up),
        cmocka_unit_test_setup(a_flood_is_cut_to_a_few_a_second_and_counted, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
