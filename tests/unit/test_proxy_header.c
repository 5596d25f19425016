// The header of the PROXY protocol: its forms, its ends, whatever is none, and bytes at random.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/prng.h"
#include "http/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4        "\xc0\x00\x02\x07\x0a\x00\x00\x01\x10\x00\x01\xbb"
#define V6        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
#define ROW(text, source)                                                                                    \
    { text, sizeof text - 1, source }

struct row {
    const char *bytes;
    size_t len;
    const char *source; // "": unknown
};

static const struct row headers[] = {
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n", "192.0.2.7"),
    ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
    ROW("PROXY TCP4 0.0.0.0 1.2.3.4 0 0\r\n", "0.0.0.0"),
    ROW("PROXY TCP6 2001:db8::7 ::1 56324 443\r\n", "2001:db8::7"),
    ROW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ROW("PROXY UNKNOWN\r\n", ""),
    ROW("PROXY UNKNOWN whatever \t there\r is\r\n", ""),
    ROW("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        ""),
    ROW(SIGNATURE "\x21\x11\0\x0c" V4, "192.0.2.7"),
    ROW(SIGNATURE "\x21\x21\0\x24" V6 V6 "\x10\0\x01\xbb", "2001:db8::7"),
    ROW(SIGNATURE "\x21\x11\0\x0f" V4 "\x04\0\0", "192.0.2.7"), // a TLV
    ROW(SIGNATURE "\x20\0\0\0", ""),
    ROW(SIGNATURE "\x20\xff\0\0", ""),      // the family of a LOCAL is ignored
    ROW(SIGNATURE "\x20\x11\0\x0c" V4, ""), // and so are its addresses
    ROW(SIGNATURE "\x21\0\0\x03"
                  "\x04\0\0",
        ""),                                // UNSPEC, with a TLV
    ROW(SIGNATURE "\x21\x12\0\x0c" V4, ""), // UDP
    ROW(SIGNATURE "\x21\x31\0\x04"
                  "abcd",
        ""), // a unix socket
    ROW(SIGNATURE "\x21\x10\0\0", ""),
};

static const struct row others[] = {
    ROW("GET / HTTP/1.1\r\n", ""),
    ROW("P\r\n", ""),
    ROW("POST /comment HTTP/1.1\r\n", ""),
    ROW("PROXY\r\n", ""),
    ROW("PROXY \r\n", ""),
    ROW("PROXY  TCP4 192.0.2.7 10.0.0.1 1 2\r\n", ""),
    ROW("proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY tcp4 192.0.2.7 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 1 2 \r\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7  10.0.0.1 1 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2.07 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2.256 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 -1 2\r\n", ""),
    ROW("PROXY TCP4 ::1 ::1 1 2\r\n", ""),
    ROW("PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY TCP6 2001:db8::7 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY UNKNOWNS\r\n", ""),
    ROW("PROXY UNKNOWN and a line\nthat is another\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7\0 10.0.0.1 1 2\r\n", ""),
    ROW("PROXY TCP4 192.0.2.7 10.0.0.1 1 2\0\r\n", ""),
    ROW("PROXY UNKNOWN fffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        ""),
    ROW("\r\n\r\nGET", ""),
    ROW(SIGNATURE "\x11\x11\0\x0c" V4, ""), // another version
    ROW(SIGNATURE "\x31\x11\0\x0c" V4, ""),
    ROW(SIGNATURE "\x22\x11\0\x0c" V4, ""), // another command
    ROW(SIGNATURE "\x21\x41\0\x0c" V4, ""), // another family
    ROW(SIGNATURE "\x21\x13\0\x0c" V4, ""), // another transport
    ROW(SIGNATURE "\x21\x11\0\x0b" V4, ""), // too short for the addresses
    ROW(SIGNATURE "\x21\x21\0\x23" V6 V6 "\x10\0\x01\xbb", ""),
};

static void assert_source(const struct proxy_header *h, const char *expected) {
    char text[64] = "";
    if (h->source.any.sa_family) address_format(&h->source, text, sizeof text);
    assert_string_equal(text, expected);
    if (*expected) assert_int_equal(address_port(&h->source), 0);
}

// Whatever follows is not its concern, and whatever is missing can still come.
static void test_headers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct row *r = &headers[i];
        char bytes[256];
        struct proxy_header h;
        memcpy(bytes, r->bytes, r->len);
        memcpy(bytes + r->len, "GET /", 5);
        if (proxy_header_parse(&h, bytes, r->len + 5) != PROXY_HEADER_DONE) fail_msg("header %zu", i);
        assert_int_equal(h.len, r->len);
        assert_source(&h, r->source);
        size_t kept = 0; // until it is complete
        for (size_t len = 0; len < r->len; len++) {
            enum proxy_header_result result = proxy_header_parse(&h, bytes, len);
            if (result == PROXY_HEADER_BAD) fail_msg("header %zu, %zu bytes", i, len);
            if (result == PROXY_HEADER_DONE) assert_int_equal(h.len, r->len); // the rest are TLVs
            if (result == PROXY_HEADER_MORE) kept = len;
        }
        assert_true(kept < PROXY_HEADER_KEPT_MAX);
    }
}

static void test_what_is_no_header(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct proxy_header h;
        bool bad = false;
        if (proxy_header_parse(&h, others[i].bytes, others[i].len) != PROXY_HEADER_BAD)
            fail_msg("row %zu", i);
        for (size_t len = 0; len <= others[i].len; len++) { // once bad, always bad
            enum proxy_header_result result = proxy_header_parse(&h, others[i].bytes, len);
            assert_true(!bad || result == PROXY_HEADER_BAD);
            assert_int_not_equal(result, PROXY_HEADER_DONE);
            bad = result == PROXY_HEADER_BAD;
        }
    }
}

// Mutated headers: it reads nothing beyond what it is given (each copy is a block of its own), says the same
// of a header in pieces, and never asks to keep more than its bound.
static void test_bytes_at_random(void **state) {
    (void)state;
    struct prng random = {14};
    for (int i = 0; i < 200000; i++) {
        const struct row *r = &headers[prng_below(&random, sizeof headers / sizeof *headers)];
        size_t len = prng_below(&random, r->len + 1);
        char *bytes = malloc(len ? len : 1);
        assert_non_null(bytes);
        memcpy(bytes, r->bytes, len);
        for (uint64_t changes = prng_below(&random, 4); changes && len; changes--)
            bytes[prng_below(&random, len)] = (char)prng_below(&random, 256);
        struct proxy_header whole, part;
        enum proxy_header_result result = proxy_header_parse(&whole, bytes, len);
        if (result == PROXY_HEADER_MORE) assert_true(len < PROXY_HEADER_KEPT_MAX);
        enum proxy_header_result before = proxy_header_parse(&part, bytes, len / 2);
        if (before != PROXY_HEADER_MORE) assert_int_equal(before, result);
        if (result == PROXY_HEADER_DONE) assert_true(whole.len >= 15 && whole.len <= 16 + 65535);
        free(bytes);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_what_is_no_header),
        cmocka_unit_test(test_bytes_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
