// Each function takes the place where a part of the grammar should begin and returns the place behind it, or
// NULL.
#include "base/json_check.h"

#include <string.h>

typedef const unsigned char *place;

static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(unsigned char c) {
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

// Line feeds and carriage returns would be white space, but not on one line.
static place skip_space(place at, place end) {
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    return at;
}

static place escape(place at, place end) {
    if (at == end) return NULL;
    if (*at != 'u') return strchr("\"\\/bfnrt", *at) && *at ? at + 1 : NULL;
    if (end - at < 5) return NULL;
    for (int i = 1; i < 5; i++)
        if (!is_hex(at[i])) return NULL;
    return at + 5;
}

// One character beyond ASCII, in its shortest form, and no surrogate (RFC 3629, section 4).
static place utf8(place at, place end) {
    static const struct {
        unsigned char first, last, second_first, second_last;
        int len;
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
                 {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (*at < forms[i].first || *at > forms[i].last) continue;
        if (end - at < forms[i].len || at[1] < forms[i].second_first || at[1] > forms[i].second_last)
            return NULL;
        for (int k = 2; k < forms[i].len; k++)
            if (at[k] < 0x80 || at[k] > 0xbf) return NULL;
        return at + forms[i].len;
    }
    return NULL;
}

static place string(place at, place end) {
    if (at == end || *at++ != '"') return NULL;
    while (at && at < end) {
        if (*at == '"') return at + 1;
        if (*at < 0x20) return NULL;
        if (*at == '\\')
            at = escape(at + 1, end);
        else if (*at < 0x80)
            at++;
        else
            at = utf8(at, end);
    }
    return NULL;
}

static place digits(place at, place end) {
    place begin = at;
    while (at < end && is_digit(*at)) at++;
    return at > begin ? at : NULL;
}

static place number(place at, place end) {
    if (*at == '-') at++;
    if (at < end && *at == '0')
        at++;
    else if (!(at = digits(at, end)))
        return NULL;
    if (at < end && *at == '.' && !(at = digits(at + 1, end))) return NULL;
    if (at == end || (*at | 0x20) != 'e') return at;
    at++;
    if (at < end && (*at == '+' || *at == '-')) at++;
    return digits(at, end);
}

static place word(place at, place end, const char *text) {
    size_t len = strlen(text);
    return (size_t)(end - at) >= len && !memcmp(at, text, len) ? at + len : NULL;
}

static place value(place at, place end, int depth);

static place member(place at, place end, int depth) {
    at = string(at, end);
    if (at) at = skip_space(at, end);
    if (!at || at == end || *at != ':') return NULL;
    return value(skip_space(at + 1, end), end, depth);
}

// An array or an object, from its opening bracket on.
static place group(place at, place end, int depth) {
    unsigned char closing = *at == '{' ? '}' : ']';
    if (depth == JSON_LINE_DEPTH) return NULL;
    at = skip_space(at + 1, end);
    if (at < end && *at == closing) return at + 1;
    for (;;) {
        at = closing == '}' ? member(at, end, depth + 1) : value(at, end, depth + 1);
        if (at) at = skip_space(at, end);
        if (!at || at == end) return NULL;
        if (*at == closing) return at + 1;
        if (*at != ',') return NULL;
        at = skip_space(at + 1, end);
    }
}

static place value(place at, place end, int depth) {
    if (at == end) return NULL;
    switch (*at) {
    case '"': return string(at, end);
    case '{':
    case '[': return group(at, end, depth);
    case 't': return word(at, end, "true");
    case 'f': return word(at, end, "false");
    case 'n': return word(at, end, "null");
    default: return number(at, end);
    }
}

bool json_is_object_line(const char *text, size_t len) {
    place at = (place)text, end = at + len;
    return len && *at == '{' && group(at, end, 0) == end;
}
