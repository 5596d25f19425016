#include "unit.h"

#include <string.h>

#include "http/asset.h"
#include "http/router.h"

static const struct http_route first[] = {{.method = "GET", .pattern = "/"},
                                          {.method = "GET", .pattern = "/a/:id"},
                                          {.method = "POST", .pattern = "/a/:id"},
                                          {.method = "GET", .pattern = "/inside", .exact_path = true},
                                          {.method = "POST", .pattern = "/post"},
                                          {.method = "POST", .pattern = "/a/:id/end"},
                                          {.method = "DELETE", .pattern = "/a/:id/b/:other"},
                                          {0}};
static const struct http_route second[] = {
    {.method = "GET", .pattern = "/"}, {.method = "GET", .pattern = "/post"}, {0}};
static const struct http_route *const tables[] = {first, second, NULL};
static const struct http_asset assets[] = {{.path = "/file.js"}, {0}};
static const struct http_site site = {
    .mounts = (const struct http_mount[]){{.assets = assets, .tables = tables}, {0}}};

#define GET     HTTP_METHOD_GET
#define HEAD    HTTP_METHOD_HEAD
#define POST    HTTP_METHOD_POST
#define OPTIONS HTTP_METHOD_OPTIONS

static struct http_match find(enum http_method method, const char *path) {
    return http_route_find(&site, method, path, strlen(path), false, NULL);
}

static void test_a_path_and_its_method_find_a_row(void **state) {
    (void)state;
    static const struct {
        enum http_method method;
        const char *path;
        const struct http_route *row;
        unsigned methods;
    } cases[] = {
        {GET, "/", &first[0], GET | HEAD},
        {HEAD, "/", &first[0], GET | HEAD},
        {POST, "/", NULL, GET | HEAD},
        {OPTIONS, "/", NULL, GET | HEAD},
        {GET, "/a/x", &first[1], GET | HEAD | POST},
        {POST, "/a/x", &first[2], GET | HEAD | POST},
        {GET, "/a/", NULL, 0},
        {GET, "/a", NULL, 0},
        {GET, "/a/x/y", NULL, 0},
        {POST, "/a/x/end", &first[5], POST},
        {GET, "/a/x/end", NULL, POST},
        {POST, "/a//end", NULL, 0},
        {POST, "/a/x/y/end", NULL, 0},
        {POST, "/a/x/ends", NULL, 0},
        {HTTP_METHOD_DELETE, "/a/x/b/y", &first[6], HTTP_METHOD_DELETE},
        {HTTP_METHOD_DELETE, "/a/x/b/", NULL, 0},
        {HTTP_METHOD_DELETE, "/a//b/y", NULL, 0},
        {HTTP_METHOD_DELETE, "/a/x/c/y", NULL, 0},
        {HTTP_METHOD_DELETE, "/a/x/b/y/", NULL, 0},
        {POST, "/a/end", &first[2], GET | HEAD | POST}, // "end" is the parameter
        {GET, "/A/x", NULL, 0},
        {POST, "/post", &first[4], GET | HEAD | POST},
        {GET, "/post", &second[1], GET | HEAD | POST}, // the first table has the path, the second the method
        {HTTP_METHOD_OTHER, "/post", NULL, GET | HEAD | POST},
        {GET, "/nothing", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_match m = find(cases[i].method, cases[i].path);
        if (m.route != cases[i].row || m.methods != cases[i].methods)
            fail_msg("%d %s: methods %u", (int)cases[i].method, cases[i].path, m.methods);
    }
}

static void test_parameters_are_parts_of_the_path(void **state) {
    (void)state;
    static const char path[] = "/a/x%20y?not=this";
    struct http_match m = http_route_find(&site, GET, path, strcspn(path, "?"), false, NULL);
    assert_ptr_equal(m.params[0].at, path + 3);
    assert_int_equal(m.params[0].len, 5);
    static const char inner[] = "/a/x%20y/end";
    m = http_route_find(&site, POST, inner, strlen(inner), false, NULL);
    assert_ptr_equal(m.params[0].at, inner + 3);
    assert_int_equal(m.params[0].len, 5);
    assert_null(m.params[1].at);
    static const char both[] = "/a/x/b/yz";
    m = http_route_find(&site, HTTP_METHOD_DELETE, both, strlen(both), false, NULL);
    assert_ptr_equal(m.params[0].at, both + 3);
    assert_int_equal(m.params[0].len, 1);
    assert_ptr_equal(m.params[1].at, both + 7);
    assert_int_equal(m.params[1].len, 2);
    assert_null(find(GET, "/").params[0].at);
}

static void test_a_tidied_path_finds_no_row_for_services(void **state) {
    (void)state;
    assert_ptr_equal(find(GET, "/inside").route, &first[3]);
    struct http_match m = http_route_find(&site, GET, "/inside", 7, true, NULL);
    assert_null(m.route);
    assert_int_equal(m.methods, 0);
    assert_ptr_equal(http_route_find(&site, POST, "/post", 5, true, NULL).route, &first[4]);
}

static void test_a_file_is_got_and_nothing_else(void **state) {
    (void)state;
    assert_ptr_equal(find(GET, "/file.js").asset, &assets[0]);
    assert_ptr_equal(find(HEAD, "/file.js").asset, &assets[0]);
    struct http_match m = find(POST, "/file.js");
    assert_true(!m.asset && !m.route && m.methods == (GET | HEAD));
    assert_null(find(GET, "/file.jsx").asset);
    const struct http_site bare = {.mounts = (const struct http_mount[]){{.tables = tables}, {0}}};
    assert_int_equal(http_route_find(&bare, GET, "/file.js", 8, false, NULL).methods, 0);
}

static void test_a_file_with_a_parameter_tolerates_slashes(void **state) {
    (void)state;
    static const struct http_asset pages[] = {{.path = "/page/:id"}, {.path = "/b"}, {0}};
    const struct http_site paged = {
        .mounts = (const struct http_mount[]){{.assets = pages, .tables = tables}, {0}}};
    static const struct {
        const char *path;
        bool normalized;
        const struct http_asset *asset;
    } cases[] = {
        {"/page/x", false, &pages[0]}, {"/page/x", true, &pages[0]}, {"/page/x/y", false, NULL},
        {"/page/", false, NULL},       {"/b", false, &pages[1]},     {"/b", true, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].path);
        struct http_match m = http_route_find(&paged, GET, cases[i].path, len, cases[i].normalized, NULL);
        if (m.asset != cases[i].asset) fail_msg("%s %d", cases[i].path, cases[i].normalized);
    }
}

// A path with a page and a route: what the client accepts decides.
static void test_accept_chooses_between_a_page_and_a_route(void **state) {
    (void)state;
    static const struct http_asset pages[] = {{.path = "/"}, {0}};
    static const struct {
        const char *accept;
        bool page, page_by_name; // without and with files_by_name
    } cases[] = {
        {NULL, true, false},
        {"*/*", true, false},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true, true},
        {"application/json", false, false},
        {"APPLICATION/JSON; charset=utf-8", false, false},
        {"application/json, text/plain, */*", false, false},
        {"application/json, text/html", true, true},
        {"application/json, text/html;q=0", false, false},
        {"application/json;q=0, */*", true, false},
        {"application/jsonx", true, false},
        {"text/html;level=1;q=0.1", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int by_name = 0; by_name < 2; by_name++) {
            const struct http_site both = {
                .mounts = (const struct http_mount[]){
                    {.assets = pages, .tables = tables, .files_by_name = by_name}, {0}}};
            struct http_match m = http_route_find(&both, GET, "/", 1, false, cases[i].accept);
            bool page = by_name ? cases[i].page_by_name : cases[i].page;
            if ((m.asset != NULL) != page || (m.route != NULL) == page || !m.by_accept)
                fail_msg("%s, by name %d", cases[i].accept, by_name);
        }
    }
    const struct http_site both = {.mounts =
                                       (const struct http_mount[]){{.assets = pages, .tables = tables}, {0}}};
    assert_int_equal(http_route_find(&both, POST, "/", 1, false, NULL).methods, GET | HEAD);
    assert_false(find(GET, "/file.js").by_accept);
}

// Several roles at one server.
static void test_the_first_mount_with_path_and_method_answers(void **state) {
    (void)state;
    static const struct http_asset pages[] = {{.path = "/page"}, {.path = "/post"}, {0}};
    static const struct http_route *const second_tables[] = {second, NULL};
    struct http_mount mounts[] = {{.tables = second_tables},
                                  {.tables = tables, .assets = pages, .files_by_name = true},
                                  {.tables = tables, .prefix = "/one"},
                                  {0}};
    const struct http_site shared = {.mounts = mounts};
    static const struct {
        enum http_method method;
        const char *path;
        int mount; // -1: none
        const struct http_route *row;
        unsigned methods;
    } cases[] = {
        {GET, "/", 0, &second[0], GET | HEAD},
        {GET, "/post", 0, &second[1], GET | HEAD | POST},
        {POST, "/post", 1, &first[4], GET | HEAD | POST},
        {GET, "/a/x", 1, &first[1], GET | HEAD | POST},
        {GET, "/page", 1, NULL, GET | HEAD},
        {GET, "/one/", 2, &first[0], GET | HEAD},
        {GET, "/one/a/x", 2, &first[1], GET | HEAD | POST},
        {OPTIONS, "/one/post", -1, NULL, GET | HEAD | POST},
        {GET, "/one", -1, NULL, 0},
        {GET, "/onea/x", -1, NULL, 0},
        {GET, "/one/page", -1, NULL, 0},
        {GET, "/one/one/a/x", -1, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = cases[i].path;
        struct http_match m = http_route_find(&shared, cases[i].method, path, strlen(path), false, NULL);
        const struct http_mount *mount = cases[i].mount < 0 ? NULL : &mounts[cases[i].mount];
        if (m.mount != mount || m.route != cases[i].row || m.methods != cases[i].methods)
            fail_msg("case %zu, %s", i, path);
    }
    mounts[1].closed = true;
    assert_int_equal(http_route_find(&shared, GET, "/page", 5, false, NULL).methods, 0);
    assert_null(http_route_find(&shared, POST, "/post", 5, false, NULL).route);
}

static void test_a_refusal_is_all_that_was_said(void **state) {
    (void)state;
    struct http_refusal r = {.retry_after_s = 5, .headers = "X: y\r\n"};
    assert_false(http_refuse(&r, 403, "forbidden", "No."));
    assert_int_equal(r.status, 403);
    assert_string_equal(r.code, "forbidden");
    assert_string_equal(r.sentence, "No.");
    assert_true(!r.retry_after_s && !r.headers);
}

static void test_a_503_says_when_to_retry(void **state) {
    (void)state;
    struct http_refusal r;
    http_refuse(&r, 503, "overloaded", "Try again.");
    assert_int_equal(r.retry_after_s, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_and_its_method_find_a_row),
        cmocka_unit_test(test_parameters_are_parts_of_the_path),
        cmocka_unit_test(test_a_tidied_path_finds_no_row_for_services),
        cmocka_unit_test(test_a_file_is_got_and_nothing_else),
        cmocka_unit_test(test_a_file_with_a_parameter_tolerates_slashes),
        cmocka_unit_test(test_accept_chooses_between_a_page_and_a_route),
        cmocka_unit_test(test_the_first_mount_with_path_and_method_answers),
        cmocka_unit_test(test_a_refusal_is_all_that_was_said),
        cmocka_unit_test(test_a_503_says_when_to_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
