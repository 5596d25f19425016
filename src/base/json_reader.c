#include "base/hex.h"
#include "base/json_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

enum {
    EXPECTS_VALUE,        // the outermost one, a member's or an element
    EXPECTS_VALUE_OR_END, // after '['
    EXPECTS_KEY,          // after a comma
    EXPECTS_KEY_OR_END,   // after '{'
    EXPECTS_COMMA_OR_END, // after a value
    EXPECTS_NOTHING       // an error was found
};

enum { NAME_SIZE = 64, WHOLE_DIGITS = 18 };

void json_reader_init(struct json_reader *r, const char *text, size_t len) {
    r->begin = r->at = r->text = text;
    r->end = text + len;
    r->text_len = 0;
    r->escaped = false;
    r->expects = EXPECTS_VALUE;
    r->last = JSON_TOKEN_END;
    r->depth = 0; // `objects` need not be cleared: a level is written before it is read
}

static enum json_token json_fail(struct json_reader *r) {
    r->expects = EXPECTS_NOTHING;
    return JSON_TOKEN_ERROR;
}

static void skip_space(struct json_reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')) r->at++;
}

// Strings

// Returns whether one of eight bytes ends a plain run: a quote, a backslash, a control character, or a byte
// that is not ASCII. (Subtracting n sets the high bit of a byte below n, if it was clear; borrows only affect
// bytes after the first match.)
static bool is_special(uint64_t x) {
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\';
    return ((x | (x - ones * 0x20) | (quote - ones) | (backslash - ones)) & high) != 0;
}

static const char *skip_plain(const char *at, const char *end) {
    uint64_t eight;
    for (; end - at >= (ptrdiff_t)sizeof eight; at += sizeof eight) {
        memcpy(&eight, at, sizeof eight);
        if (is_special(eight)) break;
    }
    for (; at < end && *at != '"' && *at != '\\'; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x80) break;
    return at;
}

// Returns the length of a well-formed escape, or 0.
static size_t escape_len(const char *at, const char *end) {
    if (end - at < 2 || !at[1]) return 0;
    if (at[1] != 'u') return strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
    if (end - at < 6) return 0;
    for (int i = 2; i < 6; i++)
        if (hex_digit(at[i]) < 0) return 0;
    return 6;
}

// Expects `at` after the opening quote.
static bool scan_string(struct json_reader *r) {
    r->text = r->at;
    r->escaped = false;
    for (;;) {
        r->at = skip_plain(r->at, r->end);
        if (r->at == r->end) return false;
        if (*r->at == '"') break;
        bool escape = *r->at == '\\';
        size_t len = escape ? escape_len(r->at, r->end) : utf8_sequence(r->at, r->end);
        if (!len) return false; // or a control character
        r->escaped |= escape;
        r->at += len;
    }
    r->text_len = (size_t)(r->at++ - r->text);
    return true;
}

static uint32_t hex4(const char *at) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) unit = unit << 4 | (uint32_t)hex_digit(at[i]);
    return unit;
}

static size_t encode_utf8(uint32_t point, char out[4]) {
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {[2] = 0xc0, [3] = 0xe0, [4] = 0xf0};
    for (size_t i = len; --i; point >>= 6) out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(lead[len] | point);
    return len;
}

// Decodes the well-formed escape at *at and moves past it. Returns the decoded length, or 0 for a lone
// surrogate.
static size_t decode_escape(const char **at, const char *end, char out[4]) {
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *s = *at;
    *at += s[1] == 'u' ? 6 : 2;
    if (s[1] != 'u') {
        const char *letter = strchr(letters, s[1]);
        out[0] = letter ? meanings[letter - letters] : s[1];
        return 1;
    }
    uint32_t unit = hex4(s + 2);
    if (unit < 0xd800 || unit > 0xdfff) return encode_utf8(unit, out);
    if (unit > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return 0;
    uint32_t low = hex4(*at + 2);
    if (low < 0xdc00 || low > 0xdfff) return 0;
    *at += 6;
    return encode_utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
}

ptrdiff_t json_reader_copy(const struct json_reader *r, char *out, size_t size) {
    const char *at = r->text, *end = r->text + r->text_len;
    size_t len = 0;
    while (at < end) {
        const char *backslash = r->escaped ? memchr(at, '\\', (size_t)(end - at)) : NULL;
        size_t run = (size_t)((backslash ? backslash : end) - at);
        if (len + run >= size) return -EMSGSIZE;
        memcpy(out + len, at, run);
        len += run;
        at += run;
        if (at == end) break;
        char bytes[4];
        size_t more = decode_escape(&at, end, bytes);
        if (!more) return -EILSEQ;
        if (len + more >= size) return -EMSGSIZE;
        memcpy(out + len, bytes, more);
        len += more;
    }
    if (!size) return -EMSGSIZE;
    out[len] = 0;
    return (ptrdiff_t)len;
}

bool json_reader_equals(const struct json_reader *r, const char *name) {
    size_t len = strlen(name);
    if (!r->escaped) return r->text_len == len && !memcmp(r->text, name, len);
    char decoded[NAME_SIZE];
    return json_reader_copy(r, decoded, sizeof decoded) == (ptrdiff_t)len && !memcmp(decoded, name, len);
}

// Numbers

static bool is_digit(const struct json_reader *r) {
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool scan_digits(struct json_reader *r) {
    if (!is_digit(r)) return false;
    while (is_digit(r)) r->at++;
    return true;
}

static bool json_take(struct json_reader *r, char a, char b) {
    if (r->at == r->end || (*r->at != a && *r->at != b)) return false;
    r->at++;
    return true;
}

static bool scan_number(struct json_reader *r) {
    r->text = r->at;
    json_take(r, '-', '-');
    if (!json_take(r, '0', '0') && !scan_digits(r)) return false;
    if (json_take(r, '.', '.') && !scan_digits(r)) return false;
    if (json_take(r, 'e', 'E')) {
        json_take(r, '+', '-');
        if (!scan_digits(r)) return false;
    }
    r->text_len = (size_t)(r->at - r->text);
    return true;
}

static bool integer_from_real(const struct json_reader *r, int64_t max, int64_t *number) {
    char *text = mem_strndup(r->text, r->text_len);
    double real = strtod(text, NULL);
    free(text);
    if (!(real >= 0 && real <= (double)max)) return false;
    *number = (int64_t)real;
    return (double)*number == real;
}

bool json_reader_integer(const struct json_reader *r, int64_t max, int64_t *number) {
    int64_t value = 0;
    if (r->text_len > WHOLE_DIGITS) return integer_from_real(r, max, number);
    for (size_t i = 0; i < r->text_len; i++) {
        if (r->text[i] < '0' || r->text[i] > '9') return integer_from_real(r, max, number);
        value = value * 10 + (r->text[i] - '0');
    }
    *number = value;
    return value <= max;
}

// Structure

static bool in_object(const struct json_reader *r) {
    uint32_t level = r->depth - 1;
    return r->depth && r->objects[level / 8] & 1u << level % 8;
}

static enum json_token open_level(struct json_reader *r, bool object) {
    if (r->depth == JSON_READER_DEPTH) return json_fail(r);
    uint8_t bit = (uint8_t)(1u << r->depth % 8), *byte = &r->objects[r->depth / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    r->depth++;
    r->at++;
    r->expects = object ? EXPECTS_KEY_OR_END : EXPECTS_VALUE_OR_END;
    return object ? JSON_TOKEN_OBJECT : JSON_TOKEN_ARRAY;
}

static enum json_token close_level(struct json_reader *r) {
    bool object = in_object(r);
    if (!r->depth || *r->at != (object ? '}' : ']')) return json_fail(r);
    r->depth--;
    r->at++;
    r->expects = EXPECTS_COMMA_OR_END;
    return object ? JSON_TOKEN_OBJECT_END : JSON_TOKEN_ARRAY_END;
}

static enum json_token take_key(struct json_reader *r) {
    if (!json_take(r, '"', '"') || !scan_string(r)) return json_fail(r);
    skip_space(r);
    if (!json_take(r, ':', ':')) return json_fail(r);
    r->expects = EXPECTS_VALUE;
    return JSON_TOKEN_KEY;
}

static enum json_token take_word(struct json_reader *r, const char *word, enum json_token token) {
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0) return json_fail(r);
    r->at += len;
    return token;
}

static enum json_token take_value(struct json_reader *r) {
    r->expects = EXPECTS_COMMA_OR_END;
    switch (*r->at) {
    case '{': return open_level(r, true);
    case '[': return open_level(r, false);
    case '"': r->at++; return scan_string(r) ? JSON_TOKEN_STRING : json_fail(r);
    case 't': return take_word(r, "true", JSON_TOKEN_TRUE);
    case 'f': return take_word(r, "false", JSON_TOKEN_FALSE);
    case 'n': return take_word(r, "null", JSON_TOKEN_NULL);
    default: return scan_number(r) ? JSON_TOKEN_NUMBER : json_fail(r);
    }
}

// Moves past a comma, if there is one.
static bool take_comma(struct json_reader *r) {
    if (!r->depth || *r->at != ',') return false;
    r->at++;
    r->expects = in_object(r) ? EXPECTS_KEY : EXPECTS_VALUE;
    skip_space(r);
    return true;
}

static enum json_token json_next(struct json_reader *r) {
    skip_space(r);
    if (r->at == r->end)
        return r->expects == EXPECTS_COMMA_OR_END && !r->depth ? JSON_TOKEN_END : json_fail(r);
    if (r->expects == EXPECTS_COMMA_OR_END && take_comma(r) && r->at == r->end) return json_fail(r);
    switch (r->expects) {
    case EXPECTS_VALUE: return take_value(r);
    case EXPECTS_VALUE_OR_END: return *r->at == ']' ? close_level(r) : take_value(r);
    case EXPECTS_KEY: return take_key(r);
    case EXPECTS_KEY_OR_END: return *r->at == '}' ? close_level(r) : take_key(r);
    case EXPECTS_COMMA_OR_END: return close_level(r);
    default: return JSON_TOKEN_ERROR;
    }
}

enum json_token json_reader_next(struct json_reader *r) {
    return r->last = json_next(r);
}

bool json_reader_skip(struct json_reader *r) {
    if (r->last == JSON_TOKEN_ERROR) return false;
    if (r->last != JSON_TOKEN_OBJECT && r->last != JSON_TOKEN_ARRAY) return true;
    uint32_t outside = r->depth - 1;
    while (r->depth > outside)
        if (json_reader_next(r) == JSON_TOKEN_ERROR) return false;
    return true;
}

void json_reader_location(const struct json_reader *r, size_t *line, size_t *column) {
    const char *start = r->begin, *end;
    *line = 1;
    while ((end = memchr(start, '\n', (size_t)(r->at - start)))) {
        start = end + 1;
        ++*line;
    }
    *column = (size_t)(r->at - start) + 1;
}
