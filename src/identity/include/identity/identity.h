// Whose request it is, and what that user may do. With keys (identity/keys.h) user id, name and rights come
// from the request's token, a JWT (RFC 7519), and nothing else is believed; without keys anyone is who the
// request says. A check is synchronous, blocks for microseconds and keeps no memory. Control loop only, never
// where comments are delivered.
//
// Claims: sub (an id), exp, both required; nbf, iat, iss, aud; and {"chorus": {"videos": ["v1", "show-*"],
// "can": ["read", "post", "react", "moderate",
// "everything"], "name": "Ann", "badges": ["vip"], "until": 1893456000}}. A
// token gives only what it lists: without `videos` it is valid for none, without `can` it gives no right.
// Of `until` and `exp` the first defaults to the second. Times are in seconds (NumericDate).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

struct http_refusal;
struct http_request;
struct identity_keys;

enum identity_right {
    IDENTITY_READ = 1,
    IDENTITY_POST = 2,
    IDENTITY_REACT = 4,
    IDENTITY_MODERATE = 8,
    IDENTITY_EVERYTHING = 16, // to be shown all comments, whatever the readable rate; who may moderate has it
    IDENTITY_ALL = 31
};

enum {
    IDENTITY_TOKEN_MAX = 4096, // bytes of a token
    IDENTITY_NAME_MAX = 64,    // bytes
    IDENTITY_VIDEOS_MAX = 32,  // patterns
    IDENTITY_VIDEOS_SIZE = 1024,
    IDENTITY_BADGES_MAX = 8,
    IDENTITY_BADGE_MAX = 32, // bytes, of the characters of ids
    IDENTITY_BADGES_SIZE = IDENTITY_BADGES_MAX * (IDENTITY_BADGE_MAX + 3) + 2,
    IDENTITY_SKEW_S = 5,        // how far the clock of the issuer may be ahead; none for exp
    IDENTITY_QUERY_LIFE_S = 120 // longest exp - iat of a token in a URL
};

enum identity_kind {
    IDENTITY_OPEN,      // no keys are configured: the user id is the one that the request names
    IDENTITY_ANONYMOUS, // no valid token, where keys are configured
    IDENTITY_USER,      // of a token
    IDENTITY_SERVICE    // the service token: all rights, as the user that the request names
};

// A value: may be copied, and kept.
struct identity {
    enum identity_kind kind;
    unsigned rights;                   // enum identity_right
    int64_t exp_s, until_s, issued_s;  // of IDENTITY_USER; issued_s is 0 without iat
    char user[ID_MAX + 1];             // empty unless IDENTITY_USER
    char name[IDENTITY_NAME_MAX + 1];  // empty: none
    char badges[IDENTITY_BADGES_SIZE]; // a JSON array such as ["vip"]; empty: none
    char videos[IDENTITY_VIDEOS_SIZE]; // patterns, each ended by a NUL, after the last another
};

// What a check found. Each has a row of status, stable code and sentence.
enum identity_verdict {
    IDENTITY_OK,
    IDENTITY_MISSING,
    IDENTITY_TOO_LONG,
    IDENTITY_MALFORMED,       // not three parts of base64url
    IDENTITY_BAD_HEADER,      // or a `crit` that is not understood
    IDENTITY_UNKNOWN_KEY,     // no key has its kid
    IDENTITY_WRONG_ALGORITHM, // not that of the key; `none` too
    IDENTITY_BAD_SIGNATURE,
    IDENTITY_BAD_CLAIMS, // a claim that is missing, repeated, or not what it must be
    IDENTITY_EXPIRED,
    IDENTITY_NOT_YET_VALID,
    IDENTITY_WRONG_ISSUER,
    IDENTITY_WRONG_AUDIENCE,
    IDENTITY_LONG_LIVED, // too long for a URL
    IDENTITY_NO_KEYS,    // not yet fetched, or fetched now because the token's key is not known
    IDENTITY_NOT_ALLOWED,
    IDENTITY_OTHER_USER,
    IDENTITY_VERDICTS
};

// Checks a token. `now_s`: wall time. `keys` must not be NULL.
enum identity_verdict identity_check(struct identity_keys *, const char *token, size_t len, int64_t now_s,
                                     struct identity *);

// The same for a token that may be expired: `now_s` has to be before `until`. For streams that are resumed.
enum identity_verdict identity_check_session(struct identity_keys *, const char *token, size_t len,
                                             int64_t now_s, struct identity *);

// Where a request's token may come from. Authorization and cookie count for each.
enum identity_source { IDENTITY_HEADERS, IDENTITY_HEADERS_OR_QUERY };

// Finds the request's token: that of `Authorization: Bearer`, else of the cookie `chorus_token` if the page
// is of the same origin, else, with IDENTITY_HEADERS_OR_QUERY, the query's `token`, which must be
// short-lived. Returns its length, and 0 if there is none. The token lives as long as the request's head, or
// query.
size_t identity_find_token(struct http_request *, enum identity_source, const char **token, bool *from_query);

// Whether `given` is this secret (NULL: never), in a time that does not tell how much of it is right.
bool identity_is_secret(const char *secret, const char *given, size_t len);

// Finds and checks the token of a request; keys NULL: IDENTITY_OPEN.
enum identity_verdict identity_of_request(struct identity_keys *, struct http_request *, enum identity_source,
                                          int64_t now_s, struct identity *);

// The same for a request that resumes a stream: the token may be expired, but not past its `until`.
enum identity_verdict identity_of_session(struct identity_keys *, struct http_request *, enum identity_source,
                                          int64_t now_s, struct identity *);

// Whether it has the right for the video. A pattern is an id, or the beginning of ids followed by `*`.
bool identity_may(const struct identity *, enum identity_right, const char *video);

// Returns the user id of a request that names `claimed` (NULL or empty: none): the token's, if it has one;
// NULL if the request names another one (IDENTITY_OTHER_USER). Lives as long as both.
const char *identity_user(const struct identity *, const char *claimed);

// The stable code of a verdict, such as token_expired, and a sentence. Literals.
const char *identity_code(enum identity_verdict);
const char *identity_sentence(enum identity_verdict);

// Sets the refusal: 401 with WWW-Authenticate, 403, or 503; returns false, for a guard to return.
bool identity_refuse(struct http_refusal *, enum identity_verdict);
