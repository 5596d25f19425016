// Static files: which bytes a client gets, and when it has them already.
#include "fake_exchange.h"

#include "http/asset.h"

static const char page[] = "a page that would be shorter compressed", packed[] = "packed", raw[] = "raw";
static const struct http_asset assets[] = {
    {"/", "text/html; charset=utf-8", "W/\"1\"", page, sizeof page - 1, packed, sizeof packed - 1},
    {"/both", "text/html", "W/\"3\"", page, sizeof page - 1, NULL, 0},
    {"/raw.png", "image/png", "W/\"2\"", raw, sizeof raw - 1, NULL, 0},
    {0},
};

static void handle_none(struct http_exchange *x, void *arg) {
    (void)arg;
    http_reply(x, &(struct http_reply){.status = 200, .body = "route", .body_len = 5});
}

static const struct http_route routes[] = {{"GET", "/both", .handle = handle_none},
                                           {"GET", "/other", .handle = handle_none},
                                           {"POST", "/raw.png", .handle = handle_none},
                                           {0}};
static const struct http_route *const tables[] = {routes, NULL};
static const struct http_site site = {
    .mounts = (const struct http_mount[]){{.assets = assets, .tables = tables}, {0}}};

static void test_a_file_goes_before_a_route_and_is_not_copied(void **state) {
    (void)state;
    struct fake_exchange f;
    fake_handle(&f, &site, "GET /", "", NULL);
    assert_int_equal(f.status, 200);
    assert_true(f.is_static);
    assert_ptr_equal(f.shown, page);
    assert_string_equal(buf_string(&f.body), page);
    assert_true(fake_has_header(&f, "Content-Type: text/html; charset=utf-8"));
    assert_true(fake_has_header(&f, "ETag: W/\"1\""));
    assert_true(fake_has_header(&f, "Cache-Control: no-cache"));
    assert_true(fake_has_header(&f, "Vary: Accept-Encoding"));
    assert_null(strstr(buf_string(&f.head), "Content-Encoding"));
    fake_exchange_release(&f);
    fake_handle(&f, &site, "GET /other", "", NULL);
    assert_string_equal(buf_string(&f.body), "route");
    fake_exchange_release(&f);
    fake_handle(&f, &site, "POST /raw.png", "", NULL);
    assert_string_equal(buf_string(&f.body), "route");
    fake_exchange_release(&f);
}

// A client that wants JSON gets the route's answer, and caches can tell the two apart.
static void test_accept_chooses(void **state) {
    (void)state;
    struct fake_exchange f;
    fake_handle(&f, &site, "GET /both", "Accept: application/json\r\n", NULL);
    assert_string_equal(buf_string(&f.body), "route");
    fake_exchange_release(&f);
    fake_handle(&f, &site, "GET /both", "Accept: text/html\r\n", NULL);
    assert_string_equal(buf_string(&f.body), page);
    assert_true(fake_has_header(&f, "Vary: Accept"));
    fake_exchange_release(&f);
    fake_handle(&f, &site, "GET /raw.png", "Accept: application/json\r\n", NULL);
    assert_string_equal(buf_string(&f.body), raw);
    fake_exchange_release(&f);
}

static void test_every_file_has_the_security_headers(void **state) {
    (void)state;
    static const char *const fields[] = {"", "If-None-Match: *\r\n", "Accept-Encoding: gzip\r\n"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct fake_exchange f;
        fake_handle(&f, &site, i ? "GET /" : "GET /raw.png", fields[i], NULL);
        assert_non_null(strstr(buf_string(&f.head), "\r\nContent-Security-Policy: default-src 'self'; "));
        assert_true(fake_has_header(&f, "Referrer-Policy: no-referrer"));
        assert_null(strstr(buf_string(&f.head), "Cross-Origin-Resource-Policy")); // pages of others use them
        fake_exchange_release(&f);
    }
}

static void test_head_has_the_length_and_no_body(void **state) {
    (void)state;
    struct fake_exchange f;
    fake_handle(&f, &site, "HEAD /", "Accept-Encoding: gzip\r\n", NULL);
    assert_true(fake_has_header(&f, "Content-Length: 6"));
    assert_int_equal(f.body.len, 0);
    fake_exchange_release(&f);
}

// RFC 9110, 12.5.3.
static void test_gzip_is_sent_to_clients_that_accept_it(void **state) {
    (void)state;
    static const struct {
        const char *field;
        bool gzip;
    } cases[] = {
        {"", false},
        {"Accept-Encoding:  \r\n", false},
        {"Accept-Encoding: gzip\r\n", true},
        {"Accept-Encoding: deflate, GZIP;q=0.5, br\r\n", true},
        {"Accept-Encoding: br,x-gzip\r\n", true},
        {"Accept-Encoding: *\r\n", true},
        {"Accept-Encoding: gzip;q=0\r\n", false},
        {"Accept-Encoding: gzip; q=0.000, *\r\n", false},
        {"Accept-Encoding: *;q=0\r\n", false},
        {"Accept-Encoding: identity;q=1, *;q=0.1\r\n", true},
        {"Accept-Encoding: gzipped\r\n", false},
        {"Accept-Encoding: deflate\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_exchange f;
        fake_handle(&f, &site, "GET /", cases[i].field, NULL);
        if (fake_has_header(&f, "Content-Encoding: gzip") != cases[i].gzip) fail_msg("%s", cases[i].field);
        assert_string_equal(buf_string(&f.body), cases[i].gzip ? packed : page);
        assert_true(fake_has_header(&f, "Vary: Accept-Encoding"));
        fake_exchange_release(&f);
    }
}

static void test_what_does_not_shrink_is_sent_as_it_is(void **state) {
    (void)state;
    struct fake_exchange f;
    fake_handle(&f, &site, "GET /raw.png", "Accept-Encoding: gzip\r\n", NULL);
    assert_string_equal(buf_string(&f.body), raw);
    assert_null(strstr(buf_string(&f.head), "Vary"));
    fake_exchange_release(&f);
}

// RFC 9110, 13.1.2: compared weakly.
static void test_a_client_that_has_the_file_gets_304(void **state) {
    (void)state;
    static const struct {
        const char *field;
        int status;
    } cases[] = {
        {"If-None-Match: W/\"1\"\r\n", 304},
        {"If-None-Match: \"1\"\r\n", 304},
        {"If-None-Match: \"0\", W/\"1\"\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: W/\"2\"\r\n", 200},
        {"If-None-Match: W/\"11\"\r\n", 200},
        {"If-None-Match: 1\r\n", 200},
        {"If-None-Match:  \r\n", 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_exchange f;
        char fields[200];
        snprintf(fields, sizeof fields, "%sAccept-Encoding: gzip\r\n", cases[i].field);
        fake_handle(&f, &site, "GET /", fields, NULL);
        if (f.status != cases[i].status) fail_msg("%d for %s", f.status, cases[i].field);
        assert_true(fake_has_header(&f, "ETag: W/\"1\""));
        if (f.status == 304) {
            assert_int_equal(f.body.len, 0);
            assert_null(strstr(buf_string(&f.head), "\nContent-Type"));
            assert_null(strstr(buf_string(&f.head), "\nContent-Length"));
            assert_null(strstr(buf_string(&f.head), "\nContent-Encoding"));
        }
        fake_exchange_release(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_goes_before_a_route_and_is_not_copied),
        cmocka_unit_test(test_accept_chooses),
        cmocka_unit_test(test_every_file_has_the_security_headers),
        cmocka_unit_test(test_head_has_the_length_and_no_body),
        cmocka_unit_test(test_gzip_is_sent_to_clients_that_accept_it),
        cmocka_unit_test(test_what_does_not_shrink_is_sent_as_it_is),
        cmocka_unit_test(test_a_client_that_has_the_file_gets_304),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
