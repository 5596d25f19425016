// A request without a connection. What a peer can send is in test_http_server.c.
#include "fake_exchange.h"

#include "net/networks.h"

static struct fake_exchange f;

static int tear_down(void **state) {
    (void)state;
    fake_exchange_release(&f);
    return 0;
}

static void test_what_a_handler_may_ask(void **state) {
    (void)state;
    assert_null(fake_request(&f, "POST /a/b?x=1&y=two%20words+more&x=2&e",
                             "Content-Type: application/json; charset=utf-8\r\nLast-Event-ID: 7-1 \r\n"
                             "last-event-id: 8-1\r\nX-Unknown: z\r\n",
                             "{}"));
    size_t len;
    char peer[64];
    struct http_request *r = &f.request;
    assert_false(http_request_is_head(r));
    assert_string_equal(http_request_target(r), "/a/b?x=1&y=two%20words+more&x=2&e");
    assert_string_equal(http_request_query(r, "x"), "2");
    assert_string_equal(http_request_query(r, "y"), "two words more");
    assert_string_equal(http_request_query(r, "e"), "");
    assert_null(http_request_query(r, "z"));
    assert_string_equal(http_request_header(r, "last-event-id"), "7-1");
    assert_string_equal(http_request_header(r, "host"), "a");
    assert_null(http_request_header(r, "origin"));
    assert_true(http_request_is_json(r));
    assert_false(http_request_is_forwarded(r));
    assert_null(http_request_param(r, 0));
    assert_memory_equal(http_request_body(r, &len), "{}", 2);
    assert_int_equal(len, 2);
    http_request_peer(r, peer, sizeof peer);
    assert_string_equal(peer, "127.0.0.1");
}

static void test_headers_of_proxies_are_noticed(void **state) {
    (void)state;
    static const char *const fields[] = {"Via: 1.1 p\r\n", "X-Forwarded-Proto: https\r\n",
                                         "Forwarded: for=x\r\n", "cf-connecting-ip: 1.2.3.4\r\n",
                                         "x-forwarded-for: 1.2.3.4\r\n"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        assert_null(fake_request(&f, "GET /", fields[i], NULL));
        assert_true(http_request_is_forwarded(&f.request));
        fake_exchange_release(&f);
    }
}

static void test_lines_of_forwarded_for_are_one_list(void **state) {
    (void)state;
    struct networks *trusted = networks_new("127.0.0.1,10.0.0.0/8");
    char client[HTTP_ADDRESS_SIZE];
    assert_null(fake_request(&f, "GET /a",
                             "X-Forwarded-For: 6.6.6.6, 192.0.2.7 \r\nLast-Event-ID: 7-1\r\n"
                             "x-forwarded-for: 10.0.0.2\r\nX-Forwarded-For: 10.0.0.3\r\n",
                             NULL));
    http_request_client(&f.request, client, sizeof client);
    assert_string_equal(client, "127.0.0.1"); // no proxy is trusted yet
    http_request_set_client(&f.request, trusted);
    http_request_client(&f.request, client, sizeof client);
    assert_string_equal(client, "192.0.2.7");
    http_request_peer(&f.request, client, sizeof client);
    assert_string_equal(client, "127.0.0.1");
    assert_string_equal(http_request_header(&f.request, "x-forwarded-for"),
                        "6.6.6.6, 192.0.2.7,10.0.0.2,10.0.0.3");
    assert_string_equal(http_request_header(&f.request, "last-event-id"), "7-1");
    networks_free(trusted);
}

static void test_bad_heads_say_why(void **state) {
    (void)state;
    static const char *const heads[][2] = {
        {"GET /", "Host: b\r\n"},
        {"GET a", ""},
        {"GET *", ""},
        {"GET /#x", ""},
        {"GET http://u@b/", ""},
        {"GET http://", ""},
        {"GET ", ""},
        {"POST /", "Transfer-Encoding: gzip, chunked\r\n"},
        {"POST /", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        if (!fake_request(&f, heads[i][0], heads[i][1], NULL)) fail_msg("%s %s", heads[i][0], heads[i][1]);
        fake_exchange_release(&f);
    }
    assert_null(fake_request(&f, "OPTIONS *", "", NULL));
}

static void test_a_path_is_tidied_before_its_query(void **state) {
    (void)state;
    static const char *const targets[][2] = {
        {"//a///b/?q=//", "/a/b?q=//"}, {"//", "/"}, {"/a", NULL}, {"/", NULL}, {"/a/", "/a"}};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char line[64];
        snprintf(line, sizeof line, "GET %s", targets[i][0]);
        assert_null(fake_request(&f, line, "", NULL));
        assert_int_equal(http_request_normalize_path(&f.request), targets[i][1] != NULL);
        assert_string_equal(http_request_target(&f.request), targets[i][targets[i][1] != NULL]);
        fake_exchange_release(&f);
    }
}

static void test_a_parameter_is_decoded(void **state) {
    (void)state;
    static const char text[] = "a%20b+%zz%00";
    assert_null(fake_request(&f, "GET /", "", NULL));
    http_request_set_params(&f.request,
                            (const struct http_path_part[HTTP_PARAMS]){{text, sizeof text - 1}, {"%41", 3}});
    assert_string_equal(http_request_param(&f.request, 0), "a b+%zz%00");
    assert_string_equal(http_request_param(&f.request, 1), "A");
}

static void test_the_next_request_knows_nothing_of_the_last(void **state) {
    (void)state;
    struct http_request *r = &f.request;
    assert_null(fake_request(&f, "POST /a?x=1", "Origin: b\r\nVia: p\r\n", "body"));
    assert_string_equal(http_request_query(r, "x"), "1");
    http_request_set_params(r, (const struct http_path_part[HTTP_PARAMS]){{"p", 1}});
    http_request_reset(r);
    size_t len;
    char peer[64];
    http_request_body(r, &len);
    assert_int_equal(len, 0);
    assert_null(http_request_header(r, "origin"));
    assert_null(http_request_param(r, 0));
    assert_false(http_request_is_forwarded(r));
    http_request_peer(r, peer, sizeof peer);
    assert_string_equal(peer, "127.0.0.1"); // it is the same client's
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_a_handler_may_ask, tear_down),
        cmocka_unit_test_teardown(test_headers_of_proxies_are_noticed, tear_down),
        cmocka_unit_test_teardown(test_lines_of_forwarded_for_are_one_list, tear_down),
        cmocka_unit_test_teardown(test_bad_heads_say_why, tear_down),
        cmocka_unit_test_teardown(test_a_path_is_tidied_before_its_query, tear_down),
        cmocka_unit_test_teardown(test_a_parameter_is_decoded, tear_down),
        cmocka_unit_test_teardown(test_the_next_request_knows_nothing_of_the_last, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
