// The way of a token, and of the keys. The first byte says what the rest is: a token as it was sent, which no
// input can sign; the claims of a token that is signed well, so that the reader of claims is reached; or a
// set of keys.
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "identity/identity.h"
#include "identity/keys.h"
#include "identity/signer.h"

enum { NOW_S = 1800000000 };

static const char key[] =
    "{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\"}";

static struct identity_keys *keys_new(void) {
    char why[256];
    struct identity_keys *keys =
        identity_keys_new(&(struct identity_demands){.issuer = NULL, .audience = "chorus"});
    assert(identity_keys_load(keys, key, sizeof key - 1, why, sizeof why) == 1);
    return keys;
}

static void check_sent(struct identity_keys *keys, const char *token, size_t len) {
    struct identity who;
    enum identity_verdict v = identity_check(keys, token, len, NOW_S, &who);
    assert(v != IDENTITY_OK && v < IDENTITY_VERDICTS);
    assert(who.kind == IDENTITY_ANONYMOUS && !who.rights && !who.user[0] && !who.videos[0]);
}

static void check_patterns(const struct identity *who) {
    size_t used = 0;
    for (const char *p = who->videos; *p; p += strlen(p) + 1) used += strlen(p) + 1;
    assert(used < sizeof who->videos);
}

static void check_claims(struct identity_keys *keys, const char *claims, size_t len) {
    static struct identity_signer *signer;
    char why[256];
    struct identity who;
    struct buf token = {0};
    if (!signer) signer = identity_signer_new(key, sizeof key - 1, why, sizeof why);
    identity_sign(signer, claims, len, &token);
    if (identity_check(keys, token.data, token.len, NOW_S, &who) == IDENTITY_OK) {
        assert(id_is_valid(who.user, strlen(who.user)) && who.exp_s > NOW_S);
        assert(!(who.rights & ~(unsigned)IDENTITY_ALL));
        check_patterns(&who);
        json_t *badges = json_loads(who.badges, 0, NULL);
        assert(!who.badges[0] || json_is_array(badges));
        json_decref(badges);
    }
    buf_release(&token);
}

static void check_keys(struct identity_keys *keys, const char *text, size_t len) {
    char why[64];
    size_t count = identity_keys_load(keys, text, len, why, sizeof why);
    assert(count <= IDENTITY_KEYS_MAX && strlen(why) < sizeof why && (count || *why));
    check_sent(keys, "e30.e30.e30", 11);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    char *text = fuzz_bytes(data + 1, size - 1);
    struct identity_keys *keys = keys_new();
    switch (data[0] % 3) {
    case 0: check_sent(keys, text, size - 1); break;
    case 1: check_claims(keys, text, size - 1); break;
    default: check_keys(keys, text, size - 1); break;
    }
    identity_keys_free(keys);
    free(text);
    return 0;
}
