#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "identity/identity.h"
#include "identity/keys.h"
#include "identity/signer.h"

#define CHORUS                                                                                               \
    "\"chorus\":{\"videos\":[\"v1\",\"show-*\"],\"can\":[\"read\",\"post\"],\"name\":\"Ann\",\"badges\":[\"vip\",\"crew\"]}"
#define GOOD "{\"sub\":\"ann\",\"exp\":2000," CHORUS "}"
enum { NOW_S = 1000 };

static const char *const algorithms[] = {"HS256", "RS256", "ES256", "EdDSA"};
static struct buf secret[4], shared[4]; // a key for each

static int make_keys(void **state) {
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_true(identity_make_key(algorithms[i], algorithms[i], &secret[i], &shared[i]));
    return 0;
}

static int free_keys(void **state) {
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        buf_release(&secret[i]);
        buf_release(&shared[i]);
    }
    return 0;
}

static struct identity_keys *keys_of(const char *text, const struct identity_demands *d) {
    char why[200];
    struct identity_keys *k = identity_keys_new(d ? d : &(struct identity_demands){0});
    if (!identity_keys_load(k, text, strlen(text), why, sizeof why)) fail_msg("%s", why);
    return k;
}

static void sign(const char *jwk, const char *claims, struct buf *token) {
    char why[200];
    struct identity_signer *s = identity_signer_new(jwk, strlen(jwk), why, sizeof why);
    if (!s) fail_msg("%s", why);
    identity_sign(s, claims, strlen(claims), token);
    identity_signer_free(s);
}

static enum identity_verdict check_claims(const char *claims, const struct identity_demands *d,
                                          struct identity *out) {
    struct buf token = {0};
    struct identity_keys *k = keys_of(buf_string(&shared[0]), d);
    sign(buf_string(&secret[0]), claims, &token);
    enum identity_verdict v = identity_check(k, token.data, token.len, NOW_S, out);
    identity_keys_free(k);
    buf_release(&token);
    return v;
}

static void test_each_algorithm_verifies_and_gives_what_the_token_lists(void **state) {
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct buf token = {0};
        struct identity who;
        struct identity_keys *k = keys_of(buf_string(&shared[i]), NULL);
        sign(buf_string(&secret[i]), GOOD, &token);
        assert_int_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_OK);
        assert_string_equal(who.user, "ann");
        assert_string_equal(who.name, "Ann");
        assert_string_equal(who.badges, "[\"vip\",\"crew\"]");
        assert_int_equal(who.until_s, 2000);
        assert_true(identity_may(&who, IDENTITY_POST, "v1"));
        assert_true(identity_may(&who, IDENTITY_READ, "show-7"));
        assert_false(identity_may(&who, IDENTITY_READ, "v12"));
        assert_false(identity_may(&who, IDENTITY_MODERATE, "v1"));
        assert_string_equal(identity_user(&who, NULL), "ann");
        assert_null(identity_user(&who, "bob"));
        // No bit of it may be another.
        for (size_t bit = 0; bit < token.len * 8; bit += 7) {
            token.data[bit / 8] ^= (char)(1 << bit % 8);
            assert_int_not_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_OK);
            assert_int_equal(who.rights, 0);
            token.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        identity_keys_free(k);
        buf_release(&token);
    }
}

static void test_claims_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *claims;
        enum identity_verdict verdict;
    } cases[] = {
        {GOOD, IDENTITY_OK},
        {"{\"sub\":\"ann\",\"exp\":1000}", IDENTITY_EXPIRED},
        {"{\"sub\":\"ann\",\"exp\":1000.5}", IDENTITY_EXPIRED},
        {"{\"sub\":\"ann\",\"exp\":1001}", IDENTITY_OK},
        {"{\"sub\":\"ann\",\"exp\":2000,\"nbf\":1005}", IDENTITY_OK},
        {"{\"sub\":\"ann\",\"exp\":2000,\"nbf\":1006}", IDENTITY_NOT_YET_VALID},
        {"{\"sub\":\"ann\",\"exp\":2000,\"iat\":1006}", IDENTITY_NOT_YET_VALID},
        {"{\"sub\":\"ann\",\"exp\":2000,\"aud\":\"x\"}", IDENTITY_WRONG_AUDIENCE},
        {"{\"sub\":\"ann\"}", IDENTITY_BAD_CLAIMS},
        {"{\"exp\":2000}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":\"2000\"}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":-1}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":1e300}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"exp\":2000}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"sub\":\"bob\",\"exp\":2000}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"\\u0073ub\":\"bob\",\"exp\":2000}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"an\\u0000n\",\"exp\":2000}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"a b\",\"exp\":2000}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":7,\"exp\":2000}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"chorus\":[]}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"videos\":\"*\"}}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"videos\":[\"a*b\"]}}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"badges\":[\"\\\"\"]}}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"name\":\"a\\nb\"}}", IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"can\":[\"read\"],\"can\":[\"post\"]}}",
         IDENTITY_BAD_CLAIMS},
        {"{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"can\":[[\"post\"]]}}", IDENTITY_BAD_CLAIMS},
        {"[\"sub\"]", IDENTITY_BAD_CLAIMS},
        {GOOD "{}", IDENTITY_BAD_CLAIMS},
        {"", IDENTITY_BAD_CLAIMS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct identity who;
        enum identity_verdict v = check_claims(cases[i].claims, NULL, &who);
        if (v != cases[i].verdict) fail_msg("%s: %s", cases[i].claims, identity_sentence(v));
    }
}

static void test_a_token_gives_only_what_it_lists(void **state) {
    (void)state;
    struct identity who;
    assert_int_equal(check_claims("{\"sub\":\"ann\",\"exp\":2000}", NULL, &who), IDENTITY_OK);
    assert_false(identity_may(&who, IDENTITY_READ, "v1"));
    assert_int_equal(
        check_claims("{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"can\":[\"read\"]}}", NULL, &who),
        IDENTITY_OK);
    assert_false(identity_may(&who, IDENTITY_READ, "v1"));
    assert_int_equal(
        check_claims(
            "{\"sub\":\"ann\",\"exp\":2000,\"chorus\":{\"can\":[\"fly\",\"read\"],\"videos\":[\"*\"]}}", NULL,
            &who),
        IDENTITY_OK);
    assert_true(identity_may(&who, IDENTITY_READ, "v1"));
    assert_false(identity_may(&who, IDENTITY_POST, "v1"));
}

static void test_issuer_and_audience_are_demanded(void **state) {
    (void)state;
    struct identity who;
    const struct identity_demands d = {.issuer = "https://id.example", .audience = "chorus"};
    assert_int_equal(
        check_claims("{\"sub\":\"a\",\"exp\":2000,\"iss\":\"https://id.example\",\"aud\":\"chorus\"}", &d,
                     &who),
        IDENTITY_OK);
    assert_int_equal(
        check_claims("{\"sub\":\"a\",\"exp\":2000,\"iss\":\"https://id.example\",\"aud\":[\"x\",\"chorus\"]}",
                     &d, &who),
        IDENTITY_OK);
    assert_int_equal(
        check_claims("{\"sub\":\"a\",\"exp\":2000,\"iss\":\"https://id.example\",\"aud\":[\"x\"]}", &d, &who),
        IDENTITY_WRONG_AUDIENCE);
    assert_int_equal(check_claims("{\"sub\":\"a\",\"exp\":2000,\"iss\":\"https://id.example\"}", &d, &who),
                     IDENTITY_WRONG_AUDIENCE);
    assert_int_equal(
        check_claims("{\"sub\":\"a\",\"exp\":2000,\"iss\":\"https://id.example/\",\"aud\":\"chorus\"}", &d,
                     &who),
        IDENTITY_WRONG_ISSUER);
    assert_int_equal(check_claims("{\"sub\":\"a\",\"exp\":2000,\"aud\":\"chorus\"}", &d, &who),
                     IDENTITY_WRONG_ISSUER);
}

static void add_text(struct buf *b, const char *text) {
    base64url_add(b, text, strlen(text));
}

// Headers as an attacker writes them, before a good payload, with any signature.
static void test_the_header_chooses_nothing(void **state) {
    (void)state;
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"None\"}",
                                          "{\"alg\":\"\"}",
                                          "{}",
                                          "{\"alg\":\"HS256\",\"kid\":\"RS256\"}",
                                          "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
                                          "{\"alg\":\"RS256\",\"jku\":\"http://127.0.0.1/\"}",
                                          "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}",
                                          "{\"alg\":\"RS256\",\"alg\":\"none\"}",
                                          "{\"alg\":7}",
                                          "[]",
                                          "{"};
    struct identity_keys *k = keys_of(buf_string(&shared[1]), NULL);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct buf token = {0};
        struct identity who;
        add_text(&token, headers[i]);
        buf_add(&token, ".", 1);
        add_text(&token, GOOD);
        buf_add(&token, ".", 1);
        assert_int_not_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_OK);
        add_text(&token, "signature");
        assert_int_not_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_OK);
        buf_release(&token);
    }
    identity_keys_free(k);
}

// The public key is known to all: as an HMAC secret it must be worth nothing.
static void test_a_public_key_is_no_secret(void **state) {
    (void)state;
    for (size_t i = 1; i < 4; i++) {
        struct buf jwk = {0}, token = {0};
        struct identity who;
        struct identity_keys *k = keys_of(buf_string(&shared[i]), NULL);
        buf_printf(&jwk, "{\"kty\":\"oct\",\"kid\":\"%s\",\"k\":\"", algorithms[i]);
        base64url_add(&jwk, shared[i].data, shared[i].len);
        buf_add_string(&jwk, "\"}");
        sign(buf_string(&jwk), GOOD, &token);
        assert_int_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_WRONG_ALGORITHM);
        identity_keys_free(k);
        buf_release(&jwk);
        buf_release(&token);
    }
}

static void test_a_kid_chooses_among_keys(void **state) {
    (void)state;
    struct buf other_secret = {0}, other_shared = {0}, token = {0}, set = {0};
    struct identity who;
    assert_true(identity_make_key("HS256", "other", &other_secret, &other_shared));
    struct identity_keys *k = keys_of(buf_string(&shared[0]), NULL);
    sign(buf_string(&other_secret), GOOD, &token);
    assert_int_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_UNKNOWN_KEY);
    buf_printf(&set, "{\"keys\":[%s,{\"kty\":\"new\"},%s]}", buf_string(&shared[0]),
               buf_string(&other_shared));
    char why[200];
    assert_int_equal(identity_keys_load(k, set.data, set.len, why, sizeof why), 2);
    assert_non_null(strstr(why, "number 2"));
    assert_int_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_OK);
    assert_int_equal(identity_keys_load(k, "{\"keys\":[]}", 11, why, sizeof why), 0);
    assert_int_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_OK); // they remain
    identity_keys_free(k);
    buf_release(&other_secret);
    buf_release(&other_shared);
    buf_release(&token);
    buf_release(&set);
}

static void test_what_is_no_token_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "a", ".", "..", "...", "a.b.c", "e30.e30.", "e30=.e30.e30", "e30.e30.e30\n", "e31.e30.e30"};
    struct identity who;
    struct identity_keys *k = keys_of(buf_string(&shared[0]), NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_not_equal(identity_check(k, texts[i], strlen(texts[i]), NOW_S, &who), IDENTITY_OK);
    assert_int_equal(identity_check(k, "", 0, NOW_S, &who), IDENTITY_MISSING);
    char *large = malloc(IDENTITY_TOKEN_MAX + 1);
    memset(large, '.', IDENTITY_TOKEN_MAX + 1);
    assert_int_equal(identity_check(k, large, IDENTITY_TOKEN_MAX + 1, NOW_S, &who), IDENTITY_TOO_LONG);
    free(large);
    identity_keys_free(k);
}

static void test_weak_keys_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}",
        "{\"keys\":7}",
        "7",
        "{"};
    struct identity_keys *k = identity_keys_new(&(struct identity_demands){0});
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char why[200] = "";
        assert_int_equal(identity_keys_load(k, texts[i], strlen(texts[i]), why, sizeof why), 0);
        assert_true(*why);
    }
    identity_keys_free(k);
}

static void test_a_session_outlives_its_token(void **state) {
    (void)state;
    struct buf token = {0};
    struct identity who;
    struct identity_keys *k = keys_of(buf_string(&shared[0]), NULL);
    sign(buf_string(&secret[0]), "{\"sub\":\"ann\",\"exp\":500,\"chorus\":{\"until\":1500}}", &token);
    assert_int_equal(identity_check(k, token.data, token.len, NOW_S, &who), IDENTITY_EXPIRED);
    assert_int_equal(identity_check_session(k, token.data, token.len, NOW_S, &who), IDENTITY_OK);
    assert_int_equal(identity_check_session(k, token.data, token.len, 1500, &who), IDENTITY_EXPIRED);
    identity_keys_free(k);
    buf_release(&token);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_algorithm_verifies_and_gives_what_the_token_lists),
        cmocka_unit_test(test_claims_are_checked),
        cmocka_unit_test(test_a_token_gives_only_what_it_lists),
        cmocka_unit_test(test_issuer_and_audience_are_demanded),
        cmocka_unit_test(test_the_header_chooses_nothing),
        cmocka_unit_test(test_a_public_key_is_no_secret),
        cmocka_unit_test(test_a_kid_chooses_among_keys),
        cmocka_unit_test(test_what_is_no_token_is_refused),
        cmocka_unit_test(test_weak_keys_are_refused),
        cmocka_unit_test(test_a_session_outlives_its_token),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
