#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/template.h"

static void check_expands(const char *text, const char *expected) {
    struct buf out = {0};
    template_expand(&out, text, &(struct template_values){.video = "v1", .viewer = "7", .body = "{video}"});
    assert_string_equal(buf_string(&out), expected);
    buf_release(&out);
}

static void test_replaces_placeholders(void **state) {
    (void)state;
    check_expands("", "");
    check_expands("plain", "plain");
    check_expands("{video}", "v1");
    check_expands("/a/{video}/b?x={viewer}&y={video}", "/a/v1/b?x=7&y=v1");
}

static void test_leaves_other_braces_and_values_alone(void **state) {
    (void)state;
    check_expands("{\"text\":\"{body}\"}", "{\"text\":\"{video}\"}");
    check_expands("{{video}}", "{v1}");
    check_expands("{vide}{", "{vide}{");
}

static void test_parses_a_request(void **state) {
    (void)state;
    struct bench_request r;
    assert_true(bench_request_parse(&r, "POST http://h/pub/{video} {\"a\": \"{body}\"}"));
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.url, "http://h/pub/{video}");
    assert_string_equal(r.body, "{\"a\": \"{body}\"}");
    bench_request_release(&r);
    assert_true(bench_request_parse(&r, "GET http://h/?m={body}"));
    assert_null(r.body);
    bench_request_release(&r);
}

static void test_refuses_invalid_requests(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "POST",
                                        "POST ",
                                        "http://h/",
                                        "post http://h/",
                                        " POST http://h/",
                                        "AMETHODTHATISTOOLONG http://h/"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct bench_request r;
        if (bench_request_parse(&r, wrong[i])) fail_msg("\"%s\" was taken", wrong[i]);
        bench_request_release(&r);
    }
}

static void test_finds_the_path(void **state) {
    (void)state;
    assert_string_equal(template_path("http://h:1/sub/{video}?v={viewer}"), "/sub/{video}?v={viewer}");
    assert_string_equal(template_path("http://{video}.h:1"), "");
    assert_string_equal(template_path("http://h?{video}"), "?{video}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaces_placeholders),
        cmocka_unit_test(test_leaves_other_braces_and_values_alone),
        cmocka_unit_test(test_parses_a_request),
        cmocka_unit_test(test_refuses_invalid_requests),
        cmocka_unit_test(test_finds_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
