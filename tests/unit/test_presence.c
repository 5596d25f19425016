// Requests to the addresses of readers, against a server that is closed. The clock stands: none times out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_server.h"
#include "run_loop.h"

#include "engine/engine.h"
#include "placement/presence.h"
#include "placement/readers.h"

enum { MANY = 20, AT_ONCE = 8 };
static unsigned times_asked[MANY]; // by the number that the path begins with

static void on_request(struct fake_conn *c, const char *request) {
    unsigned number = 0;
    assert_non_null(strstr(request, "/health "));
    if (sscanf(request, "GET /%u/", &number) == 1) times_asked[number]++;
    fake_sends(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
}

static bool are_answered(void *arg) {
    struct readers *r = arg;
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i].asked) return false;
    return true;
}

static void check(struct presence *p, struct readers *r, struct loop *loop) {
    presence_check(p);
    run_until(loop, are_answered, r);
}

static void test_a_reader_is_asked_once_and_again_when_it_is_silent_after_an_outage(void **state) {
    (void)state;
    struct loop *loop = loop_new();
    struct fake_server server;
    fake_server_start(&server, loop, false, on_request, NULL);
    struct engine_lease lease = {.reader_url = server.url, .left_ms = 3000, .generation = 7, .stamp = 1};
    struct readers r;
    readers_init(&r, NULL, 0);
    struct presence *p = presence_new(loop, &r);
    const struct reader_row *row = NULL;

    readers_update(&r, &lease, 1, 1000, 0);
    check(p, &r, loop);
    row = readers_find(&r, lease.reader_url);
    assert_true(row->answers); // whatever the answer
    readers_update(&r, &lease, 1, 1500, 0);
    check(p, &r, loop);
    assert_int_equal(server.requests, 1);

    readers_update(&r, &lease, 1, 5000, 3500);
    check(p, &r, loop);
    assert_int_equal(server.requests, 2);
    assert_false(row->refuses); // it lives, and is only silent
    fake_server_stop(&server);
    check(p, &r, loop); // perhaps by a connection that is no longer there
    if (!row->refuses) check(p, &r, loop);
    assert_true(row->refuses);
    readers_update(&r, &lease, 1, 6500, 0);
    assert_int_equal(readers_state(&r, lease.reader_url), READER_GONE);

    presence_free(p);
    readers_release(&r);
    loop_drain(loop);
    loop_free(loop);
}

static size_t count_asked(const struct readers *r) {
    size_t sum = 0;
    for (size_t i = 0; i < r->count; i++) sum += r->rows[i].asked;
    return sum;
}

static size_t count_answering(const struct readers *r) {
    size_t sum = 0;
    for (size_t i = 0; i < r->count; i++) sum += r->rows[i].answers;
    return sum;
}

static void test_of_many_readers_a_few_at_a_time_are_asked_and_each_has_its_turn(void **state) {
    (void)state;
    struct loop *loop = loop_new();
    struct fake_server server;
    fake_server_start(&server, loop, false, on_request, NULL);
    char urls[MANY][sizeof server.url + 16];
    struct engine_lease leases[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(urls[i], sizeof urls[i], "%s/%02u", server.url, i);
        leases[i] =
            (struct engine_lease){.reader_url = urls[i], .left_ms = 3000, .generation = 7, .stamp = 1};
    }
    struct readers r;
    readers_init(&r, NULL, 0);
    struct presence *p = presence_new(loop, &r);
    readers_update(&r, leases, MANY, 1000, 0);
    for (size_t asked; count_answering(&r) < MANY; assert_true(asked)) {
        presence_check(p);
        asked = count_asked(&r);
        presence_check(p); // the next listing, before an answer
        assert_true(asked <= AT_ONCE && count_asked(&r) == asked);
        run_until(loop, are_answered, &r);
    }
    assert_int_equal(server.requests, MANY);

    // The silent ones are all asked, not the first ones again and again.
    readers_update(&r, leases, MANY, 5000, 4000);
    for (unsigned round = 0; round < (MANY + AT_ONCE - 1) / AT_ONCE; round++) check(p, &r, loop);
    for (unsigned i = 0; i < MANY; i++) assert_true(times_asked[i] >= 2);

    presence_free(p);
    readers_release(&r);
    fake_server_stop(&server);
    loop_drain(loop);
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader_is_asked_once_and_again_when_it_is_silent_after_an_outage),
        cmocka_unit_test(test_of_many_readers_a_few_at_a_time_are_asked_and_each_has_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
