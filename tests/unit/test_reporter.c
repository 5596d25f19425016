#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "fake_server.h"
#include "http/client.h"
#include "service/reporter.h"

// A statistics service that answers `status` (0: not at all), and what the reporter wrote to the log.
struct world {
    struct loop *loop;
    struct http_client *client;
    struct fake_server server;
    struct reporter *reporter;
    int status;
    unsigned built, stop_after; // reports asked for; requests after which the loop stops
    bool skip;
    int log, log_before;
    char text[4096];
};

static json_t *build(void *arg) {
    struct world *w = arg;
    w->built++;
    return w->skip ? NULL : json_pack("{s:s, s:i}", "instanceId", "r-1", "messagesSent", (int)w->built);
}

static void on_request(struct fake_conn *c, const char *request) {
    (void)request;
    struct world *w = c->server->arg;
    char reply[128];
    snprintf(reply, sizeof reply, "HTTP/1.1 %d Any\r\nContent-Length: 2\r\n\r\n{}", w->status);
    if (w->status) fake_sends(c, reply);
    if (c->server->requests == w->stop_after) loop_stop(w->loop);
}

static int set_up(void **state) {
    struct world *w = mem_zalloc(sizeof *w);
    w->loop = loop_new();
    w->client = http_client_new(w->loop);
    fake_server_start(&w->server, w->loop, false, on_request, w);
    w->status = 200;
    FILE *log = tmpfile();
    w->log = dup(fileno(log));
    fclose(log);
    w->log_before = dup(STDERR_FILENO);
    dup2(w->log, STDERR_FILENO);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    reporter_free(w->reporter);
    http_client_free(w->client);
    fake_server_stop(&w->server);
    loop_free(w->loop);
    dup2(w->log_before, STDERR_FILENO);
    close(w->log_before);
    close(w->log);
    free(w);
    return 0;
}

static void start(struct world *w, int interval_ms, const char *token) {
    char url[80];
    snprintf(url, sizeof url, "%s/", w->server.url); // with the slash that people add
    w->reporter = reporter_new(w->loop, w->client,
                               &(struct reporter_config){.role = "reader",
                                                         .statistics_url = url,
                                                         .path = "/reader-api-statistics",
                                                         .interval_ms = interval_ms,
                                                         .token = token,
                                                         .build = build,
                                                         .arg = w});
    memset(url, 'x', sizeof url);
}

static void run_until_request(struct world *w, unsigned count) {
    w->stop_after = w->server.requests + count;
    loop_run(w->loop);
}

static unsigned logged(struct world *w, const char *what) {
    ssize_t len = pread(w->log, w->text, sizeof w->text - 1, 0);
    w->text[len > 0 ? len : 0] = 0;
    unsigned count = 0;
    for (const char *at = w->text; (at = strstr(at, what)); at++) count++;
    return count;
}

static void test_reports_are_periodic(void **state) {
    struct world *w = *state;
    start(w, 20, "secret");
    run_until_request(w, 5);
    assert_int_equal(w->built, 5);
    assert_int_equal(w->server.accepted, 1);
    const char *request = buf_string(&w->server.last);
    static const char head[] = "POST /reader-api-statistics HTTP/1.1\r\n";
    assert_int_equal(strncmp(request, head, strlen(head)), 0);
    assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(request, "\r\nAuthorization: Bearer secret\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"instanceId\":\"r-1\",\"messagesSent\":5}"));
    assert_int_equal(logged(w, "\n"), 0);
}

static void test_first_report_within_a_second(void **state) {
    struct world *w = *state;
    int64_t began = loop_now_ms(w->loop);
    start(w, 60000, NULL);
    run_until_request(w, 1);
    int64_t took = loop_now_ms(w->loop) - began;
    assert_in_range(took, 400, 1500);
    assert_null(strstr(buf_string(&w->server.last), "Authorization"));
}

static void test_reports_immediately_when_it_is_asked(void **state) {
    struct world *w = *state;
    start(w, 60000, NULL);
    reporter_report_now(w->reporter);
    assert_int_equal(w->built, 1);
}

static void test_asked_while_a_report_is_on_its_way_it_sends_one_more(void **state) {
    struct world *w = *state;
    start(w, 60000, NULL);
    run_until_request(w, 1); // the next one of its own accord comes in a minute
    int64_t began = loop_now_ms(w->loop);
    reporter_report_now(w->reporter); // its figures may be older than the question
    reporter_report_now(w->reporter);
    assert_int_equal(w->built, 1);
    run_until_request(w, 1);
    assert_int_equal(w->built, 2);
    assert_true(loop_now_ms(w->loop) - began < 30000);
}

static void test_failures_are_logged_once(void **state) {
    struct world *w = *state;
    w->status = 403;
    start(w, 20, NULL);
    run_until_request(w, 4);
    assert_int_equal(logged(w, "level=warn role=reader event=reports_failing"), 1);
    assert_int_equal(logged(w, "status=403"), 1);
    w->status = 200;
    run_until_request(w, 3);
    assert_int_equal(logged(w, "level=info role=reader event=reports_accepted"), 1);
    w->status = 503;
    run_until_request(w, 3);
    assert_int_equal(logged(w, "level=warn role=reader event=reports_failing"), 2);
    assert_int_equal(logged(w, "\n"), 3);
}

static void on_stop(struct loop_timer *t) {
    struct world *w = *(struct world **)(t + 1);
    loop_stop(w->loop);
}

static void run_for(struct world *w, int ms) {
    struct {
        struct loop_timer timer;
        struct world *world;
    } end = {.timer.on_due = on_stop, .world = w};
    loop_timer_start(w->loop, &end.timer, ms);
    loop_run(w->loop);
}

static void test_only_one_request_at_a_time(void **state) {
    struct world *w = *state;
    w->status = 0;
    start(w, 10, NULL);
    run_until_request(w, 1);
    run_for(w, 150); // which no answer comes in
    assert_int_equal(w->server.requests, 1);
    assert_int_equal(w->built, 1);
}

static void test_a_refusal_is_logged_once(void **state) {
    struct world *w = *state;
    int port, fd = fake_listen(false, &port);
    close(fd);
    snprintf(w->server.url, sizeof w->server.url, "http://127.0.0.1:%d", port);
    start(w, 10, NULL);
    while (w->built < 4) run_for(w, 10);
    assert_int_equal(logged(w, "reports_failing"), 1);
    assert_int_equal(logged(w, "error=\"Connection refused\""), 1);
}

static void test_a_report_may_be_skipped(void **state) {
    struct world *w = *state;
    w->skip = true;
    start(w, 10, NULL);
    while (w->built < 2) run_for(w, 10);
    assert_int_equal(w->server.requests, 0);
    w->skip = false;
    run_until_request(w, 1);
}

static void test_free_while_a_request_runs(void **state) {
    struct world *w = *state;
    w->status = 0;
    start(w, 10, NULL);
    run_until_request(w, 1);
    reporter_free(w->reporter); // before the client: its callback still comes
    w->reporter = NULL;
    http_client_free(w->client);
    w->client = NULL;
    assert_int_equal(logged(w, "\n"), 0);
}

static void test_no_address_no_reporter(void **state) {
    struct world *w = *state;
    struct reporter_config config = {.role = "reader", .path = "/", .build = build};
    assert_null(reporter_new(w->loop, w->client, &config));
    reporter_free(NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_reports_are_periodic),
        TEST(test_first_report_within_a_second),
        TEST(test_reports_immediately_when_it_is_asked),
        TEST(test_asked_while_a_report_is_on_its_way_it_sends_one_more),
        TEST(test_failures_are_logged_once),
        TEST(test_only_one_request_at_a_time),
        TEST(test_a_refusal_is_logged_once),
        TEST(test_a_report_may_be_skipped),
        TEST(test_free_while_a_request_runs),
        TEST(test_no_address_no_reporter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
