// What callbacks may do, and what is lost; test_engine has what the engines make of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/messages.h"

struct ear {
    struct messages *messages;
    struct engine_listener *listener;
    unsigned count;
    size_t last_len;
    char last[64];
    void (*react)(struct ear *);
    struct ear *other;
};

static void on_message(void *arg, const char *body, size_t len) {
    struct ear *e = arg;
    e->count++;
    e->last_len = len;
    snprintf(e->last, sizeof e->last, "%.*s", (int)len, body);
    if (e->react) e->react(e);
}

static void listen_to(struct ear *e, struct messages *m, const char *topic) {
    e->messages = m;
    e->listener = messages_listen(m, topic, on_message, e);
}

static void post(struct messages *m, const char *topic, const char *body) {
    assert_true(messages_post(m, topic, body, strlen(body)));
}

static int make(void **state) {
    *state = messages_new();
    return 0;
}

static int clean(void **state) {
    messages_free(*state);
    return 0;
}

static void wait_for_the_flush(void **state) {
    struct messages *m = *state;
    struct ear a = {0}, b = {0}, other = {0};
    char topic[] = "t";
    listen_to(&a, m, topic);
    topic[0] = 'x'; // it is copied
    listen_to(&b, m, "t");
    listen_to(&other, m, "u");
    post(m, "t", "one");
    post(m, "t", "two");
    post(m, "unheard", "three");
    assert_int_equal(a.count + b.count, 0);
    messages_flush(m);
    assert_int_equal(a.count, 2);
    assert_int_equal(b.count, 2);
    assert_string_equal(a.last, "two");
    assert_int_equal(other.count, 0);
    messages_flush(m);
    assert_int_equal(a.count, 2);
}

static void a_body_may_hold_any_bytes(void **state) {
    struct messages *m = *state;
    struct ear a = {0};
    listen_to(&a, m, "t");
    assert_true(messages_post(m, "t", "\0a\0", 3));
    messages_flush(m);
    assert_int_equal(a.last_len, 3);
}

static void what_is_too_long_is_not_sent(void **state) {
    struct messages *m = *state;
    static char body[ENGINE_MESSAGE_MAX + 1], topic[ENGINE_TOPIC_MAX + 2];
    memset(topic, 't', sizeof topic - 1);
    struct ear a = {0};
    assert_false(messages_post(m, "t", body, sizeof body));
    assert_false(messages_post(m, "t", body, 0));
    assert_false(messages_post(m, topic, body, 1));
    assert_false(messages_post(m, "", body, 1));
    listen_to(&a, m, topic + 1);
    assert_true(messages_post(m, topic + 1, body, ENGINE_MESSAGE_MAX));
    messages_flush(m);
    assert_int_equal(a.last_len, ENGINE_MESSAGE_MAX);
}

static void what_waits_is_bounded(void **state) {
    struct messages *m = *state;
    static char body[1000];
    struct ear a = {0};
    unsigned posted = 0;
    listen_to(&a, m, "t");
    while (posted < 2000 && messages_post(m, "t", body, sizeof body)) posted++;
    assert_in_range(posted, ENGINE_MESSAGES_WAITING / 1002 - 1, ENGINE_MESSAGES_WAITING / 1000);
    messages_flush(m);
    assert_int_equal(a.count, posted);
    assert_true(messages_post(m, "t", body, sizeof body));
}

static void post_again(struct ear *e) {
    post(e->messages, "t", "again");
}

static void what_is_posted_meanwhile_waits_for_the_next(void **state) {
    struct messages *m = *state;
    struct ear a = {.react = post_again};
    listen_to(&a, m, "t");
    post(m, "t", "first");
    messages_flush(m);
    assert_int_equal(a.count, 1);
    messages_flush(m);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.last, "again");
}

static void end_both(struct ear *e) {
    messages_unlisten(e->messages, e->listener);
    messages_unlisten(e->messages, e->other->listener);
}

static void a_callback_may_end_listeners(void **state) {
    struct messages *m = *state;
    struct ear b = {0}, a = {.react = end_both, .other = &b};
    listen_to(&a, m, "t");
    listen_to(&b, m, "t");
    post(m, "t", "one");
    post(m, "t", "two");
    messages_flush(m);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 0);
}

static void says_which_is_the_last(void **state) {
    struct messages *m = *state;
    struct ear a = {0}, b = {0}, c = {0};
    listen_to(&a, m, "t");
    listen_to(&b, m, "t");
    listen_to(&c, m, "u");
    assert_string_equal(messages_topic_of(c.listener), "u");
    assert_false(messages_unlisten(m, a.listener));
    assert_true(messages_unlisten(m, b.listener));
    assert_true(messages_unlisten(m, c.listener));
}

static void free_all(struct ear *e) {
    messages_free(e->messages);
}

static void a_callback_may_free_all(void **state) {
    struct messages *m = *state;
    struct ear b = {0}, a = {.react = free_all};
    *state = NULL;
    listen_to(&a, m, "t");
    listen_to(&b, m, "t");
    post(m, "t", "one");
    post(m, "t", "two");
    messages_flush(m);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)
    const struct CMUnitTest tests[] = {
        TEST(wait_for_the_flush),           TEST(a_body_may_hold_any_bytes),
        TEST(what_is_too_long_is_not_sent), TEST(what_waits_is_bounded),
        TEST(a_callback_may_end_listeners), TEST(what_is_posted_meanwhile_waits_for_the_next),
        TEST(says_which_is_the_last),       TEST(a_callback_may_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
