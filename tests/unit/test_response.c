#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "http/method.h"
#include "http/response.h"

static struct buf out;

static int set_up(void **state) {
    (void)state;
    buf_clear(&out);
    return 0;
}

static void assert_header(const char *line) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    if (!strstr(buf_string(&out), wanted)) fail_msg("not in the head: %s", line);
}

static void assert_no_header(const char *name) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    if (strcasestr(buf_string(&out), wanted)) fail_msg("in the head: %s", name);
}

static void assert_starts_and_ends(const char *status_line) {
    const char *head = buf_string(&out);
    assert_memory_equal(head, status_line, strlen(status_line));
    assert_ptr_equal(strstr(head, "\r\n\r\n"), head + out.len - 4);
}

static void head_of(const struct http_reply *reply, enum http_connection persistence) {
    http_response_head(&out, reply, "Date: now\r\n", persistence);
}

static void test_a_head_has_the_fields_of_the_reply(void **state) {
    (void)state;
    head_of(&(struct http_reply){.status = 503,
                                 .body_len = 1234567890,
                                 .location = "http://a/b",
                                 .retry_after_s = 7,
                                 .headers = "X-One: 1\r\nX-Two: 2\r\n"},
            HTTP_CONNECTION_OMITTED);
    assert_starts_and_ends("HTTP/1.1 503 Service Unavailable\r\nDate: now\r\n");
    assert_header("Content-Type: application/json");
    assert_header("Content-Length: 1234567890");
    assert_header("Location: http://a/b");
    assert_header("Retry-After: 7");
    assert_header("X-One: 1");
    assert_header("X-Two: 2");
    assert_no_header("Connection");
}

static void test_a_head_has_no_more_than_that(void **state) {
    (void)state;
    struct http_reply reply = {.status = 200, .content_type = "a/b", .says_how_to_cache = true};
    head_of(&reply, HTTP_CONNECTION_OMITTED);
    assert_string_equal(buf_string(&out),
                        "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n");
    buf_clear(&out);
    reply.says_how_to_cache = false;
    head_of(&reply, HTTP_CONNECTION_OMITTED);
    assert_header("Cache-Control: no-store");
}

static void assert_length(const struct http_reply *reply, const char *line, bool lacks_newline) {
    buf_clear(&out);
    head_of(reply, HTTP_CONNECTION_OMITTED);
    assert_header(line);
    assert_int_equal(http_reply_lacks_newline(reply), lacks_newline);
}

static void test_composed_json_ends_with_a_newline(void **state) {
    (void)state;
    assert_length(&(struct http_reply){.status = 200, .body = "{}", .body_len = 2}, "Content-Length: 3",
                  true);
    assert_length(&(struct http_reply){.status = 200, .body = "{}\n", .body_len = 3}, "Content-Length: 3",
                  false);
    assert_length(&(struct http_reply){.status = 200, .body = "", .body_len = 0}, "Content-Length: 0", false);
    assert_length(
        &(struct http_reply){.status = 200, .content_type = "text/plain", .body = "a", .body_len = 1},
        "Content-Length: 1", false);
}

// RFC 9110, 8.6 and 15.4.5.
static void test_without_a_body_its_fields_are_left_out(void **state) {
    (void)state;
    static const int statuses[] = {204, 304};
    for (int i = 0; i < 2; i++) {
        buf_clear(&out);
        head_of(&(struct http_reply){.status = statuses[i], .content_type = "a/b", .body_len = 5},
                HTTP_CONNECTION_CLOSE);
        assert_false(http_status_has_body(statuses[i]));
        assert_no_header("Content-Type");
        assert_no_header("Content-Length");
        assert_header("Connection: close");
    }
    assert_true(http_status_has_body(200) && http_status_has_body(404));
}

static void test_keep_alive_is_sent_to_http_1_0(void **state) {
    (void)state;
    head_of(&(struct http_reply){.status = 200}, HTTP_CONNECTION_KEEP_ALIVE);
    assert_header("Connection: keep-alive");
}

static void test_common_lines_are_made_once_a_second(void **state) {
    (void)state;
    struct http_common common = {0};
    const char *lines = http_common_lines(&common, 1764000000123);
    assert_string_equal(lines, "Date: Mon, 24 Nov 2025 16:00:00 GMT\r\nAccess-Control-Allow-Origin: *\r\n"
                               "Access-Control-Expose-Headers: Retry-After\r\n"
                               "X-Content-Type-Options: nosniff\r\n");
    common.lines[6] = 'X';
    assert_int_equal(http_common_lines(&common, 1764000000999)[6], 'X');
    assert_memory_equal(http_common_lines(&common, 1764000001000), "Date: Mon, 24 Nov 2025 16:00:01", 31);
}

static void test_a_stream_ends_with_its_connection_or_is_chunked(void **state) {
    (void)state;
    http_response_stream_head(&out, SINK_RAW);
    assert_starts_and_ends("HTTP/1.1 200 OK\r\n");
    assert_header("Content-Type: text/event-stream");
    assert_header("Cache-Control: no-store, no-transform");
    assert_header("X-Accel-Buffering: no");
    assert_header("Connection: close");
    assert_header("Access-Control-Allow-Origin: *");
    assert_no_header("Content-Length");
    assert_no_header("Transfer-Encoding");
    buf_clear(&out);
    http_response_stream_head(&out, SINK_CHUNKED);
    assert_starts_and_ends("HTTP/1.1 200 OK\r\n");
    assert_header("Transfer-Encoding: chunked");
    assert_no_header("Content-Length");
}

static void test_allow_names_the_methods_of_a_path(void **state) {
    (void)state;
    char allow[HTTP_ALLOW_SIZE];
    http_response_allow(allow, HTTP_METHOD_GET | HTTP_METHOD_HEAD | HTTP_METHOD_POST);
    assert_string_equal(allow, "GET, HEAD, POST, OPTIONS");
    http_response_allow(allow, 63);
    assert_string_equal(allow, "GET, HEAD, POST, PUT, DELETE, OPTIONS");
    http_response_allow(allow, HTTP_METHOD_POST);
    assert_string_equal(allow, "POST, OPTIONS");
    http_response_allow(allow, 0);
    assert_string_equal(allow, "");
}

static void test_a_preflight_repeats_names_only(void **state) {
    (void)state;
    buf_add_string(&out, "\r\n");
    http_response_preflight(&out, "POST, OPTIONS", " x-a ,, b(ad,\x01,x-b");
    assert_header("Allow: POST, OPTIONS");
    assert_header("Access-Control-Allow-Headers: "
                  "content-type, last-event-id, idempotency-key, authorization, x-a, x-b");
    assert_header("Vary: Access-Control-Request-Headers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_head_has_the_fields_of_the_reply, set_up),
        cmocka_unit_test_setup(test_a_head_has_no_more_than_that, set_up),
        cmocka_unit_test_setup(test_composed_json_ends_with_a_newline, set_up),
        cmocka_unit_test_setup(test_without_a_body_its_fields_are_left_out, set_up),
        cmocka_unit_test_setup(test_keep_alive_is_sent_to_http_1_0, set_up),
        cmocka_unit_test_setup(test_common_lines_are_made_once_a_second, set_up),
        cmocka_unit_test_setup(test_a_stream_ends_with_its_connection_or_is_chunked, set_up),
        cmocka_unit_test_setup(test_allow_names_the_methods_of_a_path, set_up),
        cmocka_unit_test_setup(test_a_preflight_repeats_names_only, set_up),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&out);
    return failed;
}
