// A callback of a connection runs exactly once, and never inside the call that it belongs to.
#include "engine/redis/redis_conn.h"

#include "engine/redis/redis_replies.h"
#include "engine/redis/redis_reply.h"
#include "engine/redis/redis_url.h"
#include "fake_redis.h"
#include "net/resolver.h"
#include "run_loop.h"
#include "unit.h"

enum { COMMANDS = 5 };

struct desk {
    struct loop *loop;
    struct fake_redis server;
    struct redis_url url;
    struct resolver *resolver;
    struct redis_conn *conn;
    bool inside; // a call of the connection, from which nothing may call back
    unsigned ups, downs, replies, lost;
    unsigned cut_after, free_after; // replies
};

static void on_up(void *arg, const struct redis_server *server) {
    struct desk *d = arg;
    (void)server;
    assert_false(d->inside);
    d->ups++;
}

static void on_down(void *arg, const char *why) {
    struct desk *d = arg;
    assert_false(d->inside);
    assert_true(*why);
    d->downs++;
}

static void on_resolved(void *arg) {
    redis_conn_resolved(((struct desk *)arg)->conn);
}

static void desk_cut(struct desk *d) {
    d->inside = true;
    redis_conn_cut(d->conn, "is of no use");
    d->inside = false;
}

static void on_reply(void *arg, const struct redisReply *reply) {
    struct desk *d = arg;
    assert_false(d->inside);
    if (!reply) d->lost++;
    if (reply) d->replies++;
    if (reply && d->replies == d->cut_after) desk_cut(d);
    if (reply && d->replies == d->free_after) {
        redis_conn_free(d->conn);
        d->conn = NULL;
    }
}

static bool is_up(void *arg) {
    return redis_conn_is_up(((struct desk *)arg)->conn);
}

static bool all_ended(void *arg) {
    const struct desk *d = arg;
    return d->replies + d->lost == COMMANDS;
}

static bool is_down(void *arg) {
    return ((struct desk *)arg)->downs > 0;
}

static int set_up(void **state) {
    struct desk *d = calloc(1, sizeof *d);
    moved_clock_run();
    d->loop = loop_new();
    fake_redis_start(&d->server, d->loop);
    struct redis_place place = {.host = "127.0.0.1", .port = d->server.port};
    d->resolver = resolver_new(d->loop, on_resolved, d);
    d->inside = true;
    d->conn =
        redis_conn_new(d->loop, d->resolver, &d->url,
                       &(struct redis_conn_config){
                           .name = "desk", .place = place, .on_up = on_up, .on_down = on_down, .arg = d});
    d->inside = false;
    run_until(d->loop, is_up, d);
    assert_int_equal(d->ups, 1);
    *state = d;
    return 0;
}

static int tear_down(void **state) {
    struct desk *d = *state;
    redis_conn_free(d->conn);
    loop_drain(d->loop);
    resolver_free(d->resolver);
    fake_redis_stop(&d->server);
    loop_free(d->loop);
    free(d);
    moved_clock_stand();
    return 0;
}

static void send_all(struct desk *d) {
    d->inside = true;
    for (int i = 0; i < COMMANDS; i++)
        redis_conn_send(d->conn, 1, (const char *const[]){"PING"}, NULL, on_reply, d);
    d->inside = false;
}

static void each_command_gets_its_reply(void **state) {
    struct desk *d = *state;
    send_all(d);
    run_until(d->loop, all_ended, d);
    assert_int_equal(d->replies, COMMANDS);
    assert_int_equal(d->lost, 0);
}

static void a_cut_calls_back_at_the_end_of_the_turn(void **state) {
    struct desk *d = *state;
    send_all(d);
    desk_cut(d);
    assert_false(redis_conn_is_up(d->conn));
    desk_cut(d); // twice is once
    assert_int_equal(d->lost + d->downs, 0);
    run_until(d->loop, is_down, d);
    assert_int_equal(d->lost, COMMANDS);
    run_until(d->loop, is_up, d);
    assert_int_equal(d->ups, 2);
    assert_int_equal(d->downs, 1);
    assert_int_equal(d->lost + d->replies, COMMANDS);
}

static void after_a_cut_in_a_reply_no_further_reply_is_handed_out(void **state) {
    struct desk *d = *state;
    d->cut_after = 2;
    send_all(d);
    run_until(d->loop, is_down, d);
    assert_int_equal(d->replies, 2);
    assert_int_equal(d->lost, COMMANDS - 2);
    assert_int_equal(d->downs, 1);
}

static void may_be_freed_in_a_reply(void **state) {
    struct desk *d = *state;
    d->free_after = 2;
    send_all(d);
    run_until(d->loop, all_ended, d);
    assert_int_equal(d->replies, 2);
    assert_int_equal(d->lost, COMMANDS - 2);
    assert_int_equal(d->downs, 0); // its owner knows
}

static void a_server_that_closes_ends_each_command_once(void **state) {
    struct desk *d = *state;
    d->server.other = "";
    send_all(d);
    while (d->server.asked < COMMANDS) run_turns(d->loop, 1);
    fake_redis_close(d->server.conns);
    run_until(d->loop, is_down, d);
    assert_int_equal(d->lost, COMMANDS);
    assert_int_equal(d->downs, 1);
}

static void can_be_drained_before_the_end(void **state) {
    struct desk *d = *state;
    redis_conn_drain(d->conn, 1000);
    d->server.other = "+OK\r\n";
    send_all(d);
    redis_conn_drain(d->conn, 0); // sends; the server on this thread cannot answer
    assert_int_equal(d->replies + d->lost, 0);
    run_until(d->loop, all_ended, d);
    assert_int_equal(d->replies, COMMANDS);
}

// Replies alone

struct inbox {
    struct redis_replies replies;
    char got[64];
    unsigned lost;
    bool forgets;
};

static void note_text(struct inbox *b, const char *mark, const struct redisReply *reply) {
    size_t len = strlen(b->got);
    const char *text = reply ? redis_reply_text(reply, NULL) : "-";
    snprintf(b->got + len, sizeof b->got - len, "%s%s ", mark, text);
    if (b->forgets) redis_replies_forget(&b->replies);
}

static void on_text(void *arg, const struct redisReply *reply) {
    note_text(arg, "", reply);
}

static void on_push(void *arg, const struct redisReply *reply) {
    note_text(arg, "push:", reply);
}

static void replies_come_in_the_order_of_the_commands_however_they_are_cut(void **state) {
    (void)state;
    static const char bytes[] = "$3\r\none\r\n$3\r\ntwo\r\n$5\r\nthree\r\n$4\r\nmore\r\n";
    for (size_t piece = 1; piece < sizeof bytes; piece++) {
        struct inbox b = {.lost = 0};
        redis_replies_init(&b.replies, on_push, &b);
        for (int i = 0; i < 3; i++) redis_replies_expect(&b.replies, on_text, &b);
        for (size_t at = 0; at < sizeof bytes - 1; at += piece) {
            size_t left = sizeof bytes - 1 - at;
            assert_int_equal(redis_replies_feed(&b.replies, bytes + at, left < piece ? left : piece),
                             REDIS_REPLIES_OK);
        }
        assert_string_equal(b.got, "one two three push:more ");
        redis_replies_release(&b.replies);
    }
}

static void unexpected_and_malformed_replies_are_distinguished(void **state) {
    (void)state;
    struct inbox b = {.lost = 0};
    redis_replies_init(&b.replies, NULL, &b);
    assert_int_equal(redis_replies_feed(&b.replies, "+one\r\n", 6), REDIS_REPLIES_UNASKED);
    redis_replies_forget(&b.replies);
    assert_int_equal(redis_replies_feed(&b.replies, "HTTP/1.1 400\r\n", 14), REDIS_REPLIES_MALFORMED);
    redis_replies_release(&b.replies);
}

static void a_callback_that_forgets_is_the_last(void **state) {
    (void)state;
    struct inbox b = {.forgets = true};
    redis_replies_init(&b.replies, NULL, &b);
    for (int i = 0; i < 3; i++) redis_replies_expect(&b.replies, on_text, &b);
    assert_int_equal(redis_replies_feed(&b.replies, "$3\r\none\r\n$3\r\ntwo\r\n", 18), REDIS_REPLIES_OK);
    assert_string_equal(b.got, "one ");
    redis_replies_fail(&b.replies);
    redis_replies_fail(&b.replies);
    assert_string_equal(b.got, "one - - ");
    redis_replies_release(&b.replies);
}

static void many_may_be_expected(void **state) {
    (void)state;
    struct redis_replies q;
    redis_replies_init(&q, NULL, NULL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++) redis_replies_expect(&q, NULL, NULL);
        for (int i = 0; i < 400; i++) assert_int_equal(redis_replies_feed(&q, "+x\r\n", 4), REDIS_REPLIES_OK);
    }
    assert_int_equal(q.count, 300);
    redis_replies_fail(&q);
    redis_replies_release(&q);
}

int main(void) {
#define CONN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CONN_TEST(each_command_gets_its_reply),
        CONN_TEST(a_cut_calls_back_at_the_end_of_the_turn),
        CONN_TEST(after_a_cut_in_a_reply_no_further_reply_is_handed_out),
        CONN_TEST(may_be_freed_in_a_reply),
        CONN_TEST(a_server_that_closes_ends_each_command_once),
        CONN_TEST(can_be_drained_before_the_end),
        cmocka_unit_test(replies_come_in_the_order_of_the_commands_however_they_are_cut),
        cmocka_unit_test(unexpected_and_malformed_replies_are_distinguished),
        cmocka_unit_test(a_callback_that_forgets_is_the_last),
        cmocka_unit_test(many_may_be_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
