// What strangers see of the statistics document.
#include "unit.h"

#include "http/exchange.h"
#include "service/visible.h"

static struct {
    const char *body; // of the last reply; the sender's
    char text[256];
} replied;

static void on_reply(struct http_exchange *x, const struct http_reply *reply) {
    (void)x;
    assert_int_equal(reply->status, 200);
    replied.body = reply->body;
    snprintf(replied.text, sizeof replied.text, "%.*s", (int)reply->body_len, reply->body);
}

static const char *show(const char *document, bool sees_all) {
    static const struct http_exchange_ops ops = {.reply = on_reply};
    struct http_exchange x = {.ops = &ops};
    visible_reply_statistics(&x, document, strlen(document), sees_all);
    return replied.text;
}

static const char one[] = "{\"a\":{\"n\":1,\"ids\":[\"v\"],\"url\":\"u\"},\"timestamp\":\"t\"}",
                  other[] = "{\"a\":{\"n\":2,\"ids\":[\"v\"],\"url\":\"u\"},\"timestamp\":\"t\"}";

static void a_stranger_sees_numbers(void **state) {
    (void)state;
    assert_string_equal(show(one, true), one);
    assert_string_equal(show(one, false), "{\"a\":{\"n\":1},\"timestamp\":\"t\"}");
    assert_string_equal(show(other, false), "{\"a\":{\"n\":2},\"timestamp\":\"t\"}");
    assert_string_equal(show(one, false), "{\"a\":{\"n\":1},\"timestamp\":\"t\"}");
}

static void one_document_is_read_once_for_all_strangers(void **state) {
    (void)state;
    char copy[sizeof one];
    memcpy(copy, one, sizeof one);
    show(one, false);
    ((char *)replied.body)[0] = '!'; // a mark on what is kept
    show(one, true);
    assert_string_equal(show(copy, false), "!\"a\":{\"n\":1},\"timestamp\":\"t\"}");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_stranger_sees_numbers),
                                       cmocka_unit_test(one_document_is_read_once_for_all_strangers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
