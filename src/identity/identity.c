// A token: three parts in base64url (RFC 7515, 7.1). The signature is checked before anything of the payload
// is read, with a key that its kid names, and by the algorithm of that key (RFC 8725, 3.1).
#include "identity/identity.h"

#include <openssl/err.h>
#include <string.h>

#include "base/base64url.h"
#include "claims.h"
#include "key.h"

struct token_parts {
    size_t signed_len; // header, dot, payload
    struct token_header header;
    size_t payload_len, signature_len;
    char payload[BASE64URL_BYTES(IDENTITY_TOKEN_MAX)];
    unsigned char signature[BASE64URL_BYTES(IDENTITY_TOKEN_MAX)];
};

static enum identity_verdict token_split(struct token_parts *p, const char *token, size_t len) {
    const char *first = memchr(token, '.', len), *end = token + len;
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1))) return IDENTITY_MALFORMED;
    char header[BASE64URL_BYTES(IDENTITY_TOKEN_MAX)];
    ptrdiff_t header_len = base64url_decode((unsigned char *)header, token, (size_t)(first - token));
    ptrdiff_t payload_len =
        base64url_decode((unsigned char *)p->payload, first + 1, (size_t)(second - first - 1));
    ptrdiff_t signature_len = base64url_decode(p->signature, second + 1, (size_t)(end - second - 1));
    if (header_len < 0 || payload_len < 0 || signature_len < 0) return IDENTITY_MALFORMED;
    if (!token_header_read(&p->header, header, (size_t)header_len)) return IDENTITY_BAD_HEADER;
    p->signed_len = (size_t)(second - token);
    p->payload_len = (size_t)payload_len;
    p->signature_len = (size_t)signature_len;
    return IDENTITY_OK;
}

static bool key_is_of(const struct identity_key *key, const struct token_header *h) {
    return !h->has_kid || !key->kid || !strcmp(key->kid, h->kid);
}

static bool key_has_algorithm(const struct identity_key *key, const char *name) {
    if (!strcmp(identity_algorithm_name(key->algorithm), name)) return true;
    return key->algorithm == ALGORITHM_EDDSA && !strcmp(name, "Ed25519"); // RFC 9864
}

// A token without a kid may be of several keys; few are tried.
static enum identity_verdict token_verify(const struct identity_keys *k, const struct token_parts *p,
                                          const char *token) {
    enum { TRIED_MAX = 4 };
    enum identity_verdict found = IDENTITY_UNKNOWN_KEY;
    unsigned tried = 0;
    for (size_t i = 0; i < k->count && tried < TRIED_MAX; i++) {
        const struct identity_key *key = &k->keys[i];
        if (!key_is_of(key, &p->header)) continue;
        if (!key_has_algorithm(key, p->header.algorithm)) {
            if (!tried) found = IDENTITY_WRONG_ALGORITHM;
            continue;
        }
        if (identity_key_verify(key, token, p->signed_len, p->signature, p->signature_len))
            return IDENTITY_OK;
        found = IDENTITY_BAD_SIGNATURE;
        tried++;
    }
    return found;
}

// A key may have been added since the keys were read.
static enum identity_verdict token_find_key(const struct identity_keys *k, const struct token_parts *p,
                                            const char *token) {
    bool pending = !k->count;
    enum identity_verdict v = k->count ? token_verify(k, p, token) : IDENTITY_UNKNOWN_KEY;
    bool unknown = v == IDENTITY_UNKNOWN_KEY || (v == IDENTITY_BAD_SIGNATURE && !p->header.has_kid);
    if (!unknown) return v;
    if (k->refresh && k->refresh(k->refresh_arg, &pending)) return token_verify(k, p, token);
    return pending ? IDENTITY_NO_KEYS : v;
}

static enum identity_verdict token_check_claims(const struct identity_keys *k, const struct token_parts *p,
                                                int64_t now_s, bool session, struct identity *out) {
    struct token_payload payload = {.issuer = k->issuer, .audience = k->audience};
    if (!token_payload_read(&payload, out, p->payload, p->payload_len)) return IDENTITY_BAD_CLAIMS;
    if (k->issuer && !payload.issuer_matches) return IDENTITY_WRONG_ISSUER;
    if ((k->audience || payload.has_audience) && !payload.audience_matches) return IDENTITY_WRONG_AUDIENCE;
    if (payload.not_before_s > now_s + IDENTITY_SKEW_S || out->issued_s > now_s + IDENTITY_SKEW_S)
        return IDENTITY_NOT_YET_VALID;
    return now_s < (session ? out->until_s : out->exp_s) ? IDENTITY_OK : IDENTITY_EXPIRED;
}

static enum identity_verdict token_check(const struct identity_keys *k, const char *token, size_t len,
                                         int64_t now_s, bool session, struct identity *out) {
    struct token_parts parts;
    *out = (struct identity){.kind = IDENTITY_ANONYMOUS};
    if (!len) return IDENTITY_MISSING;
    if (len > IDENTITY_TOKEN_MAX) return IDENTITY_TOO_LONG;
    enum identity_verdict v = token_split(&parts, token, len);
    if (!v) v = token_find_key(k, &parts, token);
    ERR_clear_error(); // what OpenSSL says about a bad signature
    struct identity found = {.kind = IDENTITY_ANONYMOUS};
    if (!v) v = token_check_claims(k, &parts, now_s, session, &found);
    if (!v) *out = found;
    return v;
}

enum identity_verdict identity_check(struct identity_keys *k, const char *token, size_t len, int64_t now_s,
                                     struct identity *out) {
    return token_check(k, token, len, now_s, false, out);
}

enum identity_verdict identity_check_session(struct identity_keys *k, const char *token, size_t len,
                                             int64_t now_s, struct identity *out) {
    return token_check(k, token, len, now_s, true, out);
}

static bool pattern_matches(const char *pattern, const char *video) {
    size_t len = strlen(pattern);
    if (len && pattern[len - 1] == '*') return !strncmp(pattern, video, len - 1);
    return !strcmp(pattern, video);
}

bool identity_may(const struct identity *i, enum identity_right right, const char *video) {
    if (!(i->rights & right)) return false;
    for (const char *pattern = i->videos; *pattern; pattern += strlen(pattern) + 1)
        if (pattern_matches(pattern, video)) return true;
    return false;
}

const char *identity_user(const struct identity *i, const char *claimed) {
    if (i->kind == IDENTITY_OPEN || i->kind == IDENTITY_SERVICE) return claimed;
    return !claimed || !*claimed || !strcmp(claimed, i->user) ? i->user : NULL;
}
