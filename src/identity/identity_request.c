// Where a request's token stands, and how a request without a good one is refused (RFC 6750).
#include <openssl/crypto.h>
#include <string.h>

#include "http/request.h"
#include "http/router.h"
#include "identity/identity.h"
#include "key.h"

static const char cookie_name[] = "chorus_token=";

// A browser sends cookies along whatever page asks. Only a page of the same origin may use them: what a page
// of another one sends has another Origin, or says so in Sec-Fetch-Site.
static bool is_same_origin(const struct http_request *r) {
    const char *site = http_request_header(r, "sec-fetch-site"), *origin = http_request_header(r, "origin");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) return false;
    return !origin || http_origin_is_host(origin, http_request_header(r, "host"));
}

static size_t find_cookie(const struct http_request *r, const char **token) {
    const char *at = http_request_header(r, "cookie");
    for (; at && *at; at += strcspn(at, ";"), at += *at == ';') {
        at += strspn(at, " \t");
        if (strncmp(at, cookie_name, sizeof cookie_name - 1) != 0) continue;
        *token = at + sizeof cookie_name - 1;
        return strcspn(*token, "; \t");
    }
    return 0;
}

size_t identity_find_token(struct http_request *r, enum identity_source source, const char **token,
                           bool *from_query) {
    *from_query = false;
    *token = http_bearer_of(http_request_header(r, "authorization"));
    if (*token) return strlen(*token);
    size_t len = is_same_origin(r) ? find_cookie(r, token) : 0;
    if (len || source != IDENTITY_HEADERS_OR_QUERY) return len;
    *token = http_request_query(r, "token");
    *from_query = *token;
    return *token ? strlen(*token) : 0;
}

bool identity_is_secret(const char *secret, const char *given, size_t len) {
    return secret && strlen(secret) == len && !CRYPTO_memcmp(secret, given, len);
}

static bool is_service_token(const struct identity_keys *k, const char *token, size_t len) {
    return identity_is_secret(k->service_token, token, len);
}

static void allow_all_videos(struct identity *i, enum identity_kind kind, unsigned rights) {
    *i = (struct identity){.kind = kind, .rights = rights, .videos = "*"};
}

typedef enum identity_verdict token_checker(struct identity_keys *, const char *token, size_t len,
                                            int64_t now_s, struct identity *);

static enum identity_verdict request_check(struct identity_keys *k, struct http_request *r,
                                           enum identity_source source, token_checker *check, int64_t now_s,
                                           struct identity *out) {
    const char *token;
    bool from_query;
    allow_all_videos(out, IDENTITY_OPEN,
                     IDENTITY_READ | IDENTITY_POST | IDENTITY_REACT | IDENTITY_EVERYTHING);
    if (!k) return IDENTITY_OK;
    size_t len = identity_find_token(r, source, &token, &from_query);
    *out = (struct identity){.kind = IDENTITY_ANONYMOUS};
    if (!len) return IDENTITY_MISSING;
    if (!from_query && is_service_token(k, token, len)) {
        allow_all_videos(out, IDENTITY_SERVICE, IDENTITY_ALL);
        return IDENTITY_OK;
    }
    enum identity_verdict v = check(k, token, len, now_s, out);
    bool is_short = out->issued_s && out->exp_s - out->issued_s <= IDENTITY_QUERY_LIFE_S;
    return !v && from_query && !is_short ? IDENTITY_LONG_LIVED : v;
}

enum identity_verdict identity_of_request(struct identity_keys *k, struct http_request *r,
                                          enum identity_source source, int64_t now_s, struct identity *out) {
    return request_check(k, r, source, identity_check, now_s, out);
}

enum identity_verdict identity_of_session(struct identity_keys *k, struct http_request *r,
                                          enum identity_source source, int64_t now_s, struct identity *out) {
    return request_check(k, r, source, identity_check_session, now_s, out);
}

static const struct {
    int status;
    const char *code, *sentence;
} verdicts[IDENTITY_VERDICTS] = {
    [IDENTITY_OK] = {200, "ok", "The token is valid."},
    [IDENTITY_MISSING] =
        {401, "token_missing",
         "This needs a token: Authorization: Bearer TOKEN, the cookie chorus_token, or for a stream ?token=."},
    [IDENTITY_TOO_LONG] = {401, "token_invalid", "The token is longer than 4,096 bytes."},
    [IDENTITY_MALFORMED] = {401, "token_invalid", "The token is not a JWT of three parts in base64url."},
    [IDENTITY_BAD_HEADER] = {401, "token_invalid", "The token's header is not one that is understood."},
    [IDENTITY_UNKNOWN_KEY] = {401, "token_invalid", "The token names a key that is not known here (kid)."},
    [IDENTITY_WRONG_ALGORITHM] = {401, "token_invalid", "The token's algorithm is not that of its key."},
    [IDENTITY_BAD_SIGNATURE] = {401, "token_invalid", "The token's signature is wrong."},
    [IDENTITY_BAD_CLAIMS] = {401, "token_invalid",
                             "A claim of the token is missing, repeated, or not what it must be."},
    [IDENTITY_EXPIRED] = {401, "token_expired", "The token has expired."},
    [IDENTITY_NOT_YET_VALID] = {401, "token_not_yet_valid", "The token is not valid yet (nbf or iat)."},
    [IDENTITY_WRONG_ISSUER] = {401, "token_wrong_issuer", "The token is not of the issuer that is expected."},
    [IDENTITY_WRONG_AUDIENCE] = {401, "token_wrong_audience", "The token is for another audience."},
    [IDENTITY_LONG_LIVED] = {401, "token_too_long_lived",
                             "A token in a URL needs iat, and may be valid for 120 seconds at most."},
    [IDENTITY_NO_KEYS] = {503, "keys_unavailable", "The keys are being fetched; try again soon."},
    [IDENTITY_NOT_ALLOWED] = {403, "not_allowed", "The token does not give this right for this video."},
    [IDENTITY_OTHER_USER] = {403, "other_user", "The token is of another user than userid."},
};

const char *identity_code(enum identity_verdict v) {
    return verdicts[v].code;
}

const char *identity_sentence(enum identity_verdict v) {
    return verdicts[v].sentence;
}

bool identity_refuse(struct http_refusal *refusal, enum identity_verdict v) {
    http_refuse(refusal, verdicts[v].status, verdicts[v].code, verdicts[v].sentence);
    if (v == IDENTITY_MISSING) refusal->headers = "WWW-Authenticate: Bearer\r\n";
    if (v == IDENTITY_NOT_ALLOWED)
        refusal->headers = "WWW-Authenticate: Bearer error=\"insufficient_scope\"\r\n";
    else if (verdicts[v].status == 401 && v != IDENTITY_MISSING)
        refusal->headers = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
    return false;
}
