// Header (RFC 7515, 4) and claims (RFC 7519, 4) of a token, read by a pull parser: other members are skipped.
#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_reader.h"

enum { NUMBER_MAX = 40, KEPT_MAX = 16, ISSUER_MAX = 512 };
#define TIME_MAX 253402300799.0 // the year 9999

// A member that counts: reads its value, whose first token is the last one.
struct claim {
    const char *name;
    bool (*read)(struct json_reader *, void *out);
    void *out;
};

// Reads the rest of an object. Each member of the table may occur once.
static bool claims_read(struct json_reader *r, const struct claim *table, size_t count) {
    bool seen[KEPT_MAX] = {false};
    while (json_reader_next(r) == JSON_TOKEN_KEY) {
        size_t i = 0;
        while (i < count && !json_reader_equals(r, table[i].name)) i++;
        json_reader_next(r);
        if (i == count && !json_reader_skip(r)) return false;
        if (i == count) continue;
        if (seen[i] || !table[i].read(r, table[i].out)) return false;
        seen[i] = true;
    }
    return r->last == JSON_TOKEN_OBJECT_END;
}

static bool claims_read_all(const char *json, size_t len, const struct claim *table, size_t count) {
    struct json_reader r;
    json_reader_init(&r, json, len);
    return json_reader_next(&r) == JSON_TOKEN_OBJECT && claims_read(&r, table, count) &&
           json_reader_next(&r) == JSON_TOKEN_END;
}

// Copies a string of at most size - 1 bytes, none of which is a NUL.
static bool claim_copy(const struct json_reader *r, char *out, size_t size) {
    if (r->last != JSON_TOKEN_STRING) return false;
    ptrdiff_t len = json_reader_copy(r, out, size);
    return len >= 0 && strlen(out) == (size_t)len;
}

static bool read_time(struct json_reader *r, void *out) {
    char text[NUMBER_MAX + 1];
    if (r->last != JSON_TOKEN_NUMBER || r->text_len > NUMBER_MAX) return false;
    memcpy(text, r->text, r->text_len);
    text[r->text_len] = 0;
    double s = strtod(text, NULL); // may have a fraction
    if (!(s >= 0 && s <= TIME_MAX)) return false;
    *(int64_t *)out = (int64_t)s;
    return true;
}

static bool read_algorithm(struct json_reader *r, void *out) {
    struct token_header *h = out;
    return claim_copy(r, h->algorithm, sizeof h->algorithm);
}

static bool read_kid(struct json_reader *r, void *out) {
    struct token_header *h = out;
    h->has_kid = true;
    return claim_copy(r, h->kid, sizeof h->kid);
}

// Says which members of the header must be understood (RFC 7515, 4.1.11): none of those that exist is.
static bool read_critical(struct json_reader *r, void *out) {
    (void)r, (void)out;
    return false;
}

bool token_header_read(struct token_header *h, const char *json, size_t len) {
    *h = (struct token_header){.has_kid = false};
    const struct claim table[] = {
        {"alg", read_algorithm, h}, {"kid", read_kid, h}, {"crit", read_critical, h}};
    return claims_read_all(json, len, table, sizeof table / sizeof *table) && h->algorithm[0];
}

static bool read_user(struct json_reader *r, void *out) {
    struct identity *i = out;
    return claim_copy(r, i->user, sizeof i->user) && id_is_valid(i->user, strlen(i->user));
}

static bool read_issuer(struct json_reader *r, void *out) {
    struct token_payload *p = out;
    char issuer[ISSUER_MAX + 1];
    if (!claim_copy(r, issuer, sizeof issuer)) return false;
    p->issuer_matches = p->issuer && !strcmp(issuer, p->issuer);
    return true;
}

static bool take_audience(const struct json_reader *r, struct token_payload *p) {
    char audience[ISSUER_MAX + 1];
    if (!claim_copy(r, audience, sizeof audience)) return false;
    p->audience_matches |= p->audience && !strcmp(audience, p->audience);
    return true;
}

// One, or a list.
static bool read_audience(struct json_reader *r, void *out) {
    struct token_payload *p = out;
    p->has_audience = true;
    if (r->last != JSON_TOKEN_ARRAY) return take_audience(r, p);
    while (json_reader_next(r) != JSON_TOKEN_ARRAY_END)
        if (!take_audience(r, p)) return false;
    return true;
}

// An id, or the beginning of one and `*`.
static bool is_pattern(const char *text, size_t len) {
    bool open = len && text[len - 1] == '*';
    return open ? len <= ID_MAX + 1 && id_has_bytes(text, len - 1) : id_is_valid(text, len);
}

static bool read_videos(struct json_reader *r, void *out) {
    struct identity *i = out;
    char *at = i->videos, *end = i->videos + sizeof i->videos - 1; // for the last NUL
    if (r->last != JSON_TOKEN_ARRAY) return false;
    for (int count = 0; json_reader_next(r) != JSON_TOKEN_ARRAY_END; count++) {
        if (count == IDENTITY_VIDEOS_MAX || at >= end || !claim_copy(r, at, (size_t)(end - at))) return false;
        if (!is_pattern(at, strlen(at))) return false;
        at += strlen(at) + 1;
    }
    *at = 0;
    return true;
}

static unsigned right_named(const struct json_reader *r) {
    static const char *const names[] = {"read", "post", "react", "moderate", "everything"};
    for (unsigned bit = 0; bit < sizeof names / sizeof *names; bit++)
        if (json_reader_equals(r, names[bit])) return 1u << bit;
    return 0; // one of a later version
}

static bool read_rights(struct json_reader *r, void *out) {
    struct identity *i = out;
    if (r->last != JSON_TOKEN_ARRAY) return false;
    while (json_reader_next(r) != JSON_TOKEN_ARRAY_END) {
        if (r->last != JSON_TOKEN_STRING) return false;
        i->rights |= right_named(r);
    }
    return true;
}

// As of a comment: one line.
static bool read_name(struct json_reader *r, void *out) {
    struct identity *i = out;
    if (!claim_copy(r, i->name, sizeof i->name)) return false;
    for (const char *c = i->name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) return false;
    return true;
}

static bool read_badges(struct json_reader *r, void *out) {
    struct identity *i = out;
    char badge[IDENTITY_BADGE_MAX + 1], *at = i->badges;
    if (r->last != JSON_TOKEN_ARRAY) return false;
    for (int count = 0; json_reader_next(r) != JSON_TOKEN_ARRAY_END; count++) {
        if (count == IDENTITY_BADGES_MAX || !claim_copy(r, badge, sizeof badge)) return false;
        size_t len = strlen(badge);
        if (!len || !id_has_bytes(badge, len)) return false; // so it needs no escaping
        *at++ = count ? ',' : '[';
        *at++ = '"';
        memcpy(at, badge, len);
        at += len;
        *at++ = '"';
    }
    if (at > i->badges) *at++ = ']';
    *at = 0;
    return true;
}

static bool read_chorus(struct json_reader *r, void *out) {
    struct identity *i = out;
    const struct claim table[] = {{"videos", read_videos, i},
                                  {"can", read_rights, i},
                                  {"name", read_name, i},
                                  {"badges", read_badges, i},
                                  {"until", read_time, &i->until_s}};
    return r->last == JSON_TOKEN_OBJECT && claims_read(r, table, sizeof table / sizeof *table);
}

bool token_payload_read(struct token_payload *p, struct identity *i, const char *json, size_t len) {
    *i = (struct identity){.kind = IDENTITY_USER, .exp_s = -1};
    const struct claim table[] = {{"sub", read_user, i},
                                  {"exp", read_time, &i->exp_s},
                                  {"nbf", read_time, &p->not_before_s},
                                  {"iat", read_time, &i->issued_s},
                                  {"iss", read_issuer, p},
                                  {"aud", read_audience, p},
                                  {"chorus", read_chorus, i}};
    if (!claims_read_all(json, len, table, sizeof table / sizeof *table)) return false;
    if (!i->until_s) i->until_s = i->exp_s;
    return i->user[0] && i->exp_s >= 0;
}
