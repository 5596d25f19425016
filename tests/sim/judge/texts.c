#include "texts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT = 200, LONG = 1900, LONG_EVERY = 16, LETTERS = 26, HEAD_SIZE = 32 };

static uint32_t text_mix(uint32_t writer, uint32_t number) {
    uint32_t x = writer * 2654435761u + number * 40503u;
    return x ^ x >> 13;
}

static size_t text_padding(uint32_t writer, uint32_t number) {
    uint32_t mix = text_mix(writer, number);
    return mix / LONG_EVERY % (mix % LONG_EVERY ? SHORT : LONG);
}

// The n-th block of as many letters goes through the alphabet by n.
static void text_letters(char out[LONG], uint32_t mix, size_t len) {
    for (size_t i = 0, block = 1; i < len; block++) {
        unsigned letter = mix % LETTERS, step = (unsigned)(block % LETTERS);
        for (; i < len && i < block * LETTERS; i++) {
            out[i] = (char)('a' + letter);
            letter += step;
            if (letter >= LETTERS) letter -= LETTERS;
        }
    }
}

// Reads a number that ends with that character; returns what follows, or NULL.
static const char *text_number(const char *at, const char *end, char last, uint32_t *number) {
    uint64_t n = 0;
    const char *begin = at;
    for (; at < end && *at >= '0' && *at <= '9' && n <= UINT32_MAX; at++) n = 10 * n + (uint64_t)(*at - '0');
    *number = (uint32_t)n;
    return at > begin && at < end && *at == last && n <= UINT32_MAX ? at + 1 : NULL;
}

void text_write(struct buf *b, uint32_t writer, uint32_t number) {
    uint32_t mix = text_mix(writer, number);
    buf_printf(b, "%" PRIu32 "/%" PRIu32 ".", writer, number);
    char letters[LONG];
    text_letters(letters, mix, text_padding(writer, number));
    buf_add(b, letters, text_padding(writer, number));
}

size_t text_length(uint32_t writer, uint32_t number) {
    char head[HEAD_SIZE];
    return (size_t)snprintf(head, sizeof head, "%" PRIu32 "/%" PRIu32 ".", writer, number) +
           text_padding(writer, number);
}

bool text_read(const char *text, size_t len, uint32_t *writer, uint32_t *number) {
    const char *end = text + len, *at = text_number(text, end, '/', writer);
    char letters[LONG];
    if (!at || !(at = text_number(at, end, '.', number))) return false;
    size_t padding = text_padding(*writer, *number);
    if (padding != (size_t)(end - at)) return false;
    text_letters(letters, text_mix(*writer, *number), padding);
    return !memcmp(at, letters, padding);
}

const char *text_member(const char *json, size_t json_len, const char *name, size_t *len) {
    char key[HEAD_SIZE] = "\"";
    size_t name_len = strlen(name), key_len = name_len + 3;
    if (key_len > sizeof key) abort();
    memcpy(key + 1, name, name_len);
    memcpy(key + 1 + name_len, "\":", 2);
    const char *at = memmem(json, json_len, key, key_len), *end = json + json_len;
    if (!at) return NULL;
    at += key_len;
    bool is_string = at < end && *at == '"';
    at += is_string;
    *len = 0;
    if (is_string) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        *len = (size_t)((quote ? quote : end) - at);
    } else {
        while (at + *len < end && at[*len] != ',' && at[*len] != '}') ++*len;
    }
    return at;
}
