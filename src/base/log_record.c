#include "log_record.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum {
    RESERVED = 3,     // for `"}` and the line feed
    KEY_SIZE = 32,    // of the longest key, and its end
    VALUE_SIZE = 1024 // of the longest value, and its end
};

static void record_put(struct log_record *r, const char *bytes, size_t len) {
    if (r->full || r->len + len + RESERVED > sizeof r->text) {
        r->full = true;
        return;
    }
    memcpy(r->text + r->len, bytes, len);
    r->len += len;
}

void log_record_prefix(struct log_record *r, const char *bytes) {
    record_put(r, bytes, strlen(bytes));
}

// Values

static void record_put_escape(struct log_record *r, unsigned char code) {
    char escape[8];
    int len = snprintf(escape, sizeof escape, "\\u%04x", code);
    record_put(r, escape, (size_t)len);
}

// Puts one character, which begins at `at`, and moves past it. DEL and the controls of C1 (Unicode, 23.1) act
// on terminals like those of ASCII.
static void record_put_character(struct log_record *r, const char **at, const char *end) {
    static const char letters[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
    unsigned char c = (unsigned char)**at;
    size_t len = c < 0x80 ? 1 : utf8_sequence(*at, end);
    const char *meaning = c ? strchr(meanings, c) : NULL;
    if (!len) {
        record_put(r, "\xef\xbf\xbd", 3);
    } else if (meaning) {
        record_put(r, (char[]){'\\', letters[meaning - meanings]}, 2);
    } else if (c < 0x20 || c == 0x7f) {
        record_put_escape(r, c);
    } else if (c == 0xc2 && (unsigned char)(*at)[1] < 0xa0) {
        record_put_escape(r, (unsigned char)(*at)[1]);
    } else {
        record_put(r, *at, len);
    }
    *at += len ? len : 1;
}

static bool needs_quotes(const char *value) {
    if (!*value) return true;
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        if (*c <= ' ' || *c == '=' || *c == '"' || *c == '\\' || *c >= 0x7f) return true;
    return false;
}

static void record_put_value(struct log_record *r, const char *value, bool quoted) {
    const char *end = value + strlen(value);
    if (quoted) record_put(r, "\"", 1);
    while (value < end && !r->full) record_put_character(r, &value, end);
    if (quoted) r->text[r->len++] = '"'; // reserved
}

static void record_put_pair(struct log_record *r, const char *key, const char *value, bool is_number) {
    char start[KEY_SIZE + 4];
    const char *separator = r->json ? (r->begun ? "," : "{") : r->begun ? " " : "";
    int len = snprintf(start, sizeof start, r->json ? "%s\"%s\":" : "%s%s=", separator, key);
    // Half a key is no pair, nor half a number.
    size_t needed = (size_t)len + (is_number ? strlen(value) : 1);
    if (r->full || r->len + needed + RESERVED > sizeof r->text) {
        r->full = true;
        return;
    }
    record_put(r, start, (size_t)len);
    record_put_value(r, value, r->json ? !is_number : needs_quotes(value));
    r->begun = true;
}

void log_record_add(struct log_record *r, const char *key, const char *value) {
    record_put_pair(r, key, value, false);
}

void log_record_add_number(struct log_record *r, const char *key, unsigned long number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%lu", number);
    record_put_pair(r, key, digits, true);
}

// Formats

struct value {
    char text[VALUE_SIZE];
    size_t len;
    unsigned conversions, literals;
    bool is_number; // its last conversion
};

static void value_put(struct value *v, const char *bytes, size_t len) {
    size_t room = sizeof v->text - 1 - v->len;
    if (len > room) len = room;
    memcpy(v->text + v->len, bytes, len);
    v->len += len;
}

// The arguments travel in a struct, because a va_list cannot be passed by address portably.
struct arguments {
    va_list list;
};

static void value_put_signed(struct value *v, struct arguments *a, unsigned longs) {
    char digits[24];
    long long number = longs == 2   ? va_arg(a->list, long long)
                       : longs == 1 ? va_arg(a->list, long)
                                    : va_arg(a->list, int);
    int len = snprintf(digits, sizeof digits, "%lld", number);
    value_put(v, digits, (size_t)len);
}

static void value_put_unsigned(struct value *v, struct arguments *a, unsigned longs) {
    char digits[24];
    unsigned long long number = longs == 2   ? va_arg(a->list, unsigned long long)
                                : longs == 1 ? va_arg(a->list, unsigned long)
                                             : va_arg(a->list, unsigned);
    int len = snprintf(digits, sizeof digits, "%llu", number);
    value_put(v, digits, (size_t)len);
}

// Carries out the conversion that follows a `%` at `at`. Returns what follows it, or NULL if it is none.
static const char *value_convert(struct value *v, const char *at, struct arguments *a) {
    size_t most = VALUE_SIZE;
    if (*at == '.')
        for (most = 0, at++; *at >= '0' && *at <= '9'; at++) most = most * 10 + (size_t)(*at - '0');
    unsigned longs = 0;
    for (; *at == 'l' || *at == 'z'; at++) longs++;
    v->conversions++;
    v->is_number = *at != 's';
    if (*at == 's') {
        const char *text = va_arg(a->list, const char *);
        value_put(v, text, strnlen(text, most));
    } else if (*at == 'd') {
        value_put_signed(v, a, longs);
    } else if (*at == 'u') {
        value_put_unsigned(v, a, longs);
    } else {
        return NULL;
    }
    return at + 1;
}

// A value that was too long may end within a character.
static void value_end(struct value *v) {
    size_t lead = v->len;
    if (v->len == sizeof v->text - 1) {
        while (lead && (v->text[lead - 1] & 0xc0) == 0x80) lead--;
        if (lead && (v->text[lead - 1] & 0x80) && !utf8_sequence(v->text + lead - 1, v->text + v->len))
            v->len = lead - 1;
    }
    v->text[v->len] = 0;
}

// Reads a value, up to a space or, in quotes, to the closing one. Returns what follows it, or NULL.
static const char *value_read(struct value *v, const char *at, struct arguments *a) {
    char last = *at == '"' ? '"' : ' ';
    if (last == '"') at++;
    while (at && *at && *at != last) {
        if (*at == '%') {
            at = value_convert(v, at + 1, a);
        } else {
            value_put(v, at++, 1);
            v->literals++;
        }
    }
    value_end(v);
    return at && *at == '"' ? at + 1 : at;
}

// A mistake in a format costs the rest of the line; that of a rare error must not cost the process.
void log_record_add_format(struct log_record *r, const char *format, va_list list) {
    struct arguments arguments;
    va_copy(arguments.list, list);
    const char *at = format;
    while (at && *at) {
        char key[KEY_SIZE];
        size_t len = strcspn(at, "=");
        if (!at[len] || len >= sizeof key) break;
        memcpy(key, at, len);
        key[len] = 0;
        struct value v = {.len = 0};
        at = value_read(&v, at + len + 1, &arguments);
        record_put_pair(r, key, v.text, v.is_number && v.conversions == 1 && !v.literals);
        if (at) at += strspn(at, " ");
    }
    va_end(arguments.list);
}

void log_record_end(struct log_record *r) {
    if (r->json) r->text[r->len++] = '}';
    r->text[r->len++] = '\n';
}
