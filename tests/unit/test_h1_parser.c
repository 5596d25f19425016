// Requests from bytes in any pieces, without a socket. What becomes of them on a connection is in
// test_http_server.c.
#include "fake_exchange.h"

#include "http/h1_parser.h"

static void handle_none(struct http_exchange *x, void *arg) {
    (void)x;
    (void)arg;
    fail_msg("a parser calls no handler");
}

static bool guard_origin(struct http_request *r, void *arg, struct http_refusal *refusal) {
    ++*(unsigned *)arg;
    assert_int_equal(r->body.len, 0);
    return !http_request_header(r, "origin") || http_refuse(refusal, 403, "forbidden", "No pages.");
}

static unsigned guarded;
static const struct http_route routes[] = {
    {"GET", "/get", .handle = handle_none},
    {"POST", "/post", .handle = handle_none, .body_max = 10, .guard = guard_origin},
    {0}};
static const struct http_route *const tables[] = {routes, NULL};
static const struct http_site site = {
    .mounts = (const struct http_mount[]){{.tables = tables, .arg = &guarded}, {0}}};

static struct fake_exchange f;
static struct h1_parser parser;

static void start(void) {
    fake_exchange_release(&f);
    f.exchange = (struct http_exchange){.ops = &fake_exchange_ops, .request = &f.request};
    h1_parser_start(&parser, &site, &f.exchange);
}

#define HEAD(line) line " HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED    "Transfer-Encoding: chunked\r\n\r\n"

static const struct {
    const char *bytes;
    enum h1_parsed parsed;
    int status; // of the refusal; 0: none
    const char *body;
    bool last;
} cases[] = {
    {HEAD("GET /get?x") "\r\n", H1_PARSED_REQUEST, 0, "", false},
    {HEAD("GET /get") "Connection: close\r\n\r\n", H1_PARSED_REQUEST, 0, "", true},
    {"GET /get HTTP/1.0\r\n\r\n", H1_PARSED_REQUEST, 0, "", true},
    {HEAD("POST /post") "Content-Length: 5\r\n\r\nhello", H1_PARSED_REQUEST, 0, "hello", false},
    {HEAD("POST /post") CHUNKED "2\r\nhe\r\n3;x\r\nllo\r\n0\r\nHost: b\r\n\r\n", H1_PARSED_REQUEST, 0,
     "hello", false},
    {HEAD("POST /none") "Content-Length: 5\r\n\r\nhello", H1_PARSED_REQUEST, 404, "", false},
    {HEAD("POST /post") "Origin: x\r\nContent-Length: 5\r\n\r\nhello", H1_PARSED_REQUEST, 403, "", false},
    {HEAD("OPTIONS /post") "\r\n", H1_PARSED_REQUEST, 0, "", false},
    {HEAD("GET /get") "Host: b\r\n\r\n", H1_PARSED_REFUSED, 400, NULL, false},
    {HEAD("GET /get") "a : b\r\n\r\n", H1_PARSED_REFUSED, 400, NULL, false},
    {"GET /get HTTP/2.0\r\n\r\n", H1_PARSED_REFUSED, 400, NULL, false},
    {HEAD("CONNECT /get") "\r\n", H1_PARSED_REFUSED, 405, NULL, false},
    {HEAD("POST /post") "Content-Length: 11\r\n\r\n", H1_PARSED_REFUSED, 413, NULL, false},
    {HEAD("POST /post") CHUNKED "b\r\n", H1_PARSED_REFUSED, 413, NULL, false},
    {HEAD("POST /none") "Content-Length: 70000\r\n\r\n", H1_PARSED_REFUSED, 404, NULL, false},
    {HEAD("POST /post") "Expect: more\r\n\r\n", H1_PARSED_REFUSED, 417, NULL, false},
};

static void expect(size_t i, enum h1_parsed parsed) {
    if (parsed != cases[i].parsed) fail_msg("%d for %s", (int)parsed, cases[i].bytes);
    if (f.exchange.refusal.status != cases[i].status)
        fail_msg("%d for %s", f.exchange.refusal.status, cases[i].bytes);
    if (parsed != H1_PARSED_REQUEST) return;
    size_t len;
    const char *body = http_request_body(&f.request, &len);
    assert_int_equal(len, strlen(cases[i].body));
    assert_memory_equal(body, cases[i].body, len);
    assert_int_equal(parser.last, cases[i].last);
}

static void test_requests_cut_anywhere(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].bytes), used;
        for (size_t cut = 0; cut < len; cut++) {
            start();
            enum h1_parsed parsed = h1_parser_feed(&parser, cases[i].bytes, cut, &used);
            if (parsed == H1_PARSED_PART) {
                assert_int_equal(used, cut);
                parsed = h1_parser_feed(&parser, cases[i].bytes + cut, len - cut, &used);
            }
            expect(i, parsed);
        }
    }
}

static void test_what_follows_a_request_is_not_used(void **state) {
    (void)state;
    static const char one[] = HEAD("POST /post") "Content-Length: 5\r\n\r\nhello",
                      two[] = HEAD("GET /get") "\r\n";
    char both[200];
    size_t used;
    snprintf(both, sizeof both, "%s%s", one, two);
    start();
    assert_int_equal(h1_parser_feed(&parser, both, strlen(both), &used), H1_PARSED_REQUEST);
    assert_int_equal(used, sizeof one - 1);
    start();
    assert_int_equal(h1_parser_feed(&parser, both + used, strlen(both) - used, &used), H1_PARSED_REQUEST);
    assert_string_equal(http_request_target(&f.request), "/get");
}

static void test_a_guard_is_asked_once_the_head_is_there(void **state) {
    (void)state;
    static const char head[] = HEAD("POST /post") "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    size_t used;
    guarded = 0;
    start();
    h1_parser_feed(&parser, head, sizeof head - 3, &used);
    assert_int_equal(guarded, 0);
    assert_false(parser.in_body || parser.asks_continue);
    assert_int_equal(h1_parser_feed(&parser, head + used, sizeof head - 1 - used, &used), H1_PARSED_PART);
    assert_int_equal(guarded, 1);
    assert_true(parser.in_body && parser.asks_continue);
    assert_int_equal(h1_parser_feed(&parser, "hello", 5, &used), H1_PARSED_REQUEST);
    assert_int_equal(guarded, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_cut_anywhere),
        cmocka_unit_test(test_what_follows_a_request_is_not_used),
        cmocka_unit_test(test_a_guard_is_asked_once_the_head_is_there),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fake_exchange_release(&f);
    return failed;
}
