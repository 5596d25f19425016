// A server that several roles share: each has its own argument and guard.
#include "fake_exchange.h"

#include "http/asset.h"

static const char page[] = "page";
static const struct http_asset assets[] = {{"/page", "text/html", "W/\"1\"", page, sizeof page - 1, NULL, 0},
                                           {0}};

static void handle_name(struct http_exchange *x, void *arg) {
    http_reply(x, &(struct http_reply){.status = 200, .body = arg, .body_len = strlen(arg)});
}

// Refuses whoever does not accept what the mount is for.
static bool guard_accept(struct http_request *r, void *arg, struct http_refusal *refusal) {
    const char *accept = http_request_header(r, "accept");
    return (accept && !strcmp(accept, arg)) || http_refuse(refusal, 403, "mount", "Not here.");
}

static bool guard_route(struct http_request *r, void *arg, struct http_refusal *refusal) {
    (void)arg;
    return http_request_header(r, "origin") || http_refuse(refusal, 403, "route", "Nor here.");
}

static const struct http_route open_routes[] = {{"GET", "/open", .handle = handle_name}, {0}};
static const struct http_route inner_routes[] = {
    {"GET", "/inner", .handle = handle_name},
    {"GET", "/both", .handle = handle_name, .guard = guard_route},
    {0}};
static const struct http_route *const open_tables[] = {open_routes, NULL}, *const inner_tables[] = {
                                                                               inner_routes, NULL};
static struct http_mount mounts[] = {
    {.tables = open_tables, .arg = "open"},
    {.tables = inner_tables, .assets = assets, .arg = "inner", .guard = guard_accept},
    {.tables = open_tables, .arg = "one", .prefix = "/one"},
    {0}};
static const struct http_site site = {.mounts = mounts};

static void test_each_mount_has_its_argument_and_guard(void **state) {
    (void)state;
    static const struct {
        const char *line, *fields;
        int status;
        const char *body;
    } cases[] = {
        {"GET /open", "", 200, "open"},
        {"GET /one/open", "", 200, "one"},
        {"GET /one//open/", "", 200, "one"},
        {"GET /inner", "Accept: inner\r\n", 200, "inner"},
        {"GET /inner", "Accept: open\r\n", 403, "{\"error\":\"Not here.\",\"code\":\"mount\"}"},
        {"GET /page", "Accept: inner\r\n", 200, page},
        {"GET /page", "", 403, "{\"error\":\"Not here.\",\"code\":\"mount\"}"},
        {"HEAD /page", "", 403, ""},
        {"GET /both", "Accept: inner\r\nOrigin: http://a\r\n", 200, "inner"},
        {"GET /both", "Accept: inner\r\n", 403, "{\"error\":\"Nor here.\",\"code\":\"route\"}"},
        {"GET /both", "Origin: http://a\r\n", 403, "{\"error\":\"Not here.\",\"code\":\"mount\"}"},
        {"OPTIONS /inner", "", 204, ""},
        {"POST /inner", "", 405, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_exchange f;
        fake_handle(&f, &site, cases[i].line, cases[i].fields, NULL);
        bool same = !cases[i].body || !strcmp(buf_string(&f.body), cases[i].body);
        if (f.status != cases[i].status || !same)
            fail_msg("%s: %d %s", cases[i].line, f.status, buf_string(&f.body));
        fake_exchange_release(&f);
    }
}

// A request whose body was still on its way when its role ended.
static void test_a_request_of_a_closed_mount_is_cut_off(void **state) {
    (void)state;
    struct fake_exchange f;
    assert_null(fake_request(&f, "GET /one/open", "", NULL));
    http_site_admit(&site, &f.exchange);
    mounts[2].closed = true;
    http_site_handle(&f.exchange);
    assert_int_equal(f.end, FAKE_ABORTED);
    fake_exchange_release(&f);
    fake_handle(&f, &site, "GET /one/open", "", NULL);
    assert_int_equal(f.status, 404);
    fake_exchange_release(&f);
    mounts[2].closed = false;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_mount_has_its_argument_and_guard),
        cmocka_unit_test(test_a_request_of_a_closed_mount_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
