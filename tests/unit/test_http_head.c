#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/head.h"
#include "http/server.h"

struct verdict {
    enum http_head_verdict is;
    size_t used; // of all bytes given
};

// Feeds the parts one after the other, as long as there is more to come. Each part is an allocation of its
// own, so that a sanitizer sees a step too far.
static struct verdict scan_parts(const char *bytes, size_t len, size_t first, size_t then) {
    struct http_head h = {0};
    struct verdict v = {HTTP_HEAD_MORE, 0};
    for (size_t at = 0, part; at < len && v.is == HTTP_HEAD_MORE; at += part) {
        part = at ? then : first;
        if (part > len - at) part = len - at;
        char *copy = malloc(part ? part : 1);
        assert_non_null(copy);
        memcpy(copy, bytes + at, part);
        size_t used = 99999999;
        v.is = http_head_scan(&h, copy, part, &used);
        assert_true(used <= part);
        if (v.is == HTTP_HEAD_MORE) assert_int_equal(used, part);
        v.used = at + used;
        free(copy);
    }
    return v;
}

// Expects one verdict, after as many bytes, however the bytes are cut.
static struct verdict scan(const char *bytes, size_t len) {
    struct verdict whole = scan_parts(bytes, len, len, len);
    for (size_t first = 1; first <= len; first++) {
        struct verdict cut = scan_parts(bytes, len, first, len);
        assert_int_equal(cut.is, whole.is);
        assert_int_equal(cut.used, whole.used);
    }
    for (size_t part = 1; part <= 3; part++) {
        struct verdict pieces = scan_parts(bytes, len, part, part);
        assert_int_equal(pieces.is, whole.is);
        assert_int_equal(pieces.used, whole.used);
    }
    return whole;
}

static void expect(const char *text, enum http_head_verdict is) {
    struct verdict v = scan(text, strlen(text));
    if (v.is != is) fail_msg("%d instead of %d for:\n%s", v.is, is, text);
}

static void test_well_formed_heads_end_where_they_end(void **state) {
    (void)state;
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "POST /comment HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",         // RFC 9112, 2.2
        "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", // of a client that ends bodies with an empty line
        "GET http://a/b?c=d HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nempty:\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\ta\t \r\nX: a b\tc: d\r\n\r\n",
        "M-SEARCH / HTTP/1.1\r\nx: \xc3\xa9\xff\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char text[300];
        size_t len = strlen(heads[i]);
        expect(heads[i], HTTP_HEAD_DONE);
        // What follows is none of its business.
        snprintf(text, sizeof text, "%s\n \tgarbage GET / HTTP/1.1\r\n\r\n", heads[i]);
        struct verdict v = scan(text, strlen(text));
        assert_int_equal(v.is, HTTP_HEAD_DONE);
        assert_int_equal(v.used, len);
        // Anything shorter is not the end.
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(scan_parts(heads[i], cut, cut, cut).is, HTTP_HEAD_MORE);
    }
}

static void test_fragments_are_waited_for(void **state) {
    (void)state;
    expect("G", HTTP_HEAD_MORE);
    expect("GET /hello", HTTP_HEAD_MORE);
    expect("GET /hello HTTP/1.1\r", HTTP_HEAD_MORE);
    expect("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r", HTTP_HEAD_MORE);
    expect("\r", HTTP_HEAD_MORE);
}

static void test_what_llhttp_accepts_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        // bare LF
        "GET /\nHost: a\r\n\r\n",
        "GET\n / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        // CR without LF
        "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\rX",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n",
        // folded lines, and one that folds the start line
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        // a field without a name
        "GET / HTTP/1.1\r\n: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n",
        // the start line
        "GET /\r\n",
        "GET\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) expect(bad[i], HTTP_HEAD_BAD);
}

static void test_other_versions_and_protocols(void **state) {
    (void)state;
    static const char *const others[] = {
        "GET /  HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n",
        "GET / HTTP/0.9\r\n",
        "GET / HTTP/2.0\r\n",
        "GET / HTTP/1.2\r\n",
        "GET / HTTP/1.10\r\n",
        "GET / HTTP/1.\r\n",
        "GET / HTTP/1\r\n",
        "GET / HTTP/11\r\n",
        "GET / http/1.1\r\n",
        "GET / RTSP/1.0\r\n",
        "OPTIONS / RTSP/1.1\r\n",
        "SOURCE / ICE/1.0\r\n",
        "GET / HTTP/1.1\t\r\n",
        "GET / a HTTP/1.1\r\n",
        "GET / HTTP/01.1\r\n",
        "PRI * HTTP/2.0\r\n",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\rHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
        "GET / \r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct verdict v = scan(others[i], strlen(others[i]));
        assert_true(v.is == HTTP_HEAD_VERSION || v.is == HTTP_HEAD_BAD);
        assert_true(v.used < strlen(others[i]) + 1);
    }
    expect("GET / HTTP/2.0\r\n", HTTP_HEAD_VERSION);
    expect("GET / RTSP/1.0\r\n", HTTP_HEAD_VERSION);
}

// A head of exactly `len` bytes: a start line, one long field.
static char *head_of(size_t len) {
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    char *head = malloc(len);
    assert_non_null(head);
    memset(head, 'x', len);
    memcpy(head, start, sizeof start - 1);
    memcpy(head + len - 4, "\r\n\r\n", 4);
    return head;
}

static struct verdict scan_head_of(size_t len, size_t first, size_t then) {
    char *head = head_of(len);
    struct verdict v = scan_parts(head, len, first, then);
    free(head);
    return v;
}

// Found here: the byte that ends the head was not counted.
static void test_a_head_may_be_as_long_as_is_said_and_no_longer(void **state) {
    (void)state;
    static const size_t cuts[] = {1, 100, HTTP_HEAD_MAX - 1, HTTP_HEAD_MAX, HTTP_HEAD_MAX + 1, 100000};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        assert_int_equal(scan_head_of(HTTP_HEAD_MAX, cuts[i], cuts[i]).is, HTTP_HEAD_DONE);
        struct verdict v = scan_head_of(HTTP_HEAD_MAX + 1, cuts[i], cuts[i]);
        assert_int_equal(v.is, HTTP_HEAD_LONG);
        assert_int_equal(v.used, HTTP_HEAD_MAX + 1);
        assert_int_equal(scan_head_of(80000, cuts[i], cuts[i]).is, HTTP_HEAD_LONG);
    }
}

static void test_endless_parts_of_a_head_are_bounded(void **state) {
    (void)state;
    static const struct {
        const char *start, *repeat;
    } endless[] = {{"", "\r\n"}, {"", "G"}, {"GET /", "a"}, {"GET / HTTP/1.1\r\n", "X: y\r\n"}};
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        struct http_head h = {0};
        size_t used, sent = strlen(endless[i].start), step = strlen(endless[i].repeat);
        enum http_head_verdict v = http_head_scan(&h, endless[i].start, sent, &used);
        for (; v == HTTP_HEAD_MORE && sent < 100000; sent += step)
            v = http_head_scan(&h, endless[i].repeat, step, &used);
        assert_int_equal(v, HTTP_HEAD_LONG);
        assert_in_range(sent, HTTP_HEAD_MAX, HTTP_HEAD_MAX + 10);
    }
}

static void test_no_bytes_change_nothing(void **state) {
    (void)state;
    struct http_head h = {0};
    size_t used = 1;
    assert_int_equal(http_head_scan(&h, "", 0, &used), HTTP_HEAD_MORE);
    assert_int_equal(used, 0);
    assert_int_equal(h.seen, 0);
}

// Any bytes at all: the same verdict in one piece as byte by byte.
static void test_the_verdict_does_not_depend_on_the_cuts(void **state) {
    (void)state;
    static const char letters[] = "\r\n :\tAHTP/10";
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[40] = "GET / HTTP/1.1\r\n";
        size_t start = round % 2 ? 16 : 0, len = start;
        for (; len < sizeof text; len++) {
            seed = seed * 1664525 + 1013904223;
            text[len] = letters[(seed >> 16) % (sizeof letters - 1)];
        }
        struct verdict whole = scan_parts(text, len, len, len), bytes = scan_parts(text, len, 1, 1);
        assert_int_equal(whole.is, bytes.is);
        assert_int_equal(whole.used, bytes.used);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_formed_heads_end_where_they_end),
        cmocka_unit_test(test_fragments_are_waited_for),
        cmocka_unit_test(test_what_llhttp_accepts_is_refused),
        cmocka_unit_test(test_other_versions_and_protocols),
        cmocka_unit_test(test_a_head_may_be_as_long_as_is_said_and_no_longer),
        cmocka_unit_test(test_endless_parts_of_a_head_are_bounded),
        cmocka_unit_test(test_no_bytes_change_nothing),
        cmocka_unit_test(test_the_verdict_does_not_depend_on_the_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
