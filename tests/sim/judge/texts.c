#include "texts.h"

#include <inttypes.h>
#include <stdio.h>
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

static char text_letter(uint32_t mix, size_t i) {
    return (char)('a' + (mix + i * (1 + i / LETTERS)) % LETTERS);
}

void text_write(struct buf *b, uint32_t writer, uint32_t number) {
    uint32_t mix = text_mix(writer, number);
    buf_printf(b, "%" PRIu32 "/%" PRIu32 ".", writer, number);
    for (size_t i = 0; i < text_padding(writer, number); i++) {
        char letter = text_letter(mix, i);
        buf_add(b, &letter, 1);
    }
}

bool text_read(const char *text, size_t len, uint32_t *writer, uint32_t *number) {
    char head[HEAD_SIZE];
    int head_len = 0;
    snprintf(head, sizeof head, "%.*s", (int)(len < sizeof head ? len : sizeof head - 1), text);
    if (sscanf(head, "%" SCNu32 "/%" SCNu32 ".%n", writer, number, &head_len) != 2 || !head_len) return false;
    uint32_t mix = text_mix(*writer, *number);
    if (len != (size_t)head_len + text_padding(*writer, *number)) return false;
    for (size_t i = (size_t)head_len; i < len; i++)
        if (text[i] != text_letter(mix, i - (size_t)head_len)) return false;
    return true;
}

const char *text_member(const char *json, size_t json_len, const char *name, size_t *len) {
    char key[HEAD_SIZE];
    int key_len = snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = memmem(json, json_len, key, (size_t)key_len), *end = json + json_len;
    if (!at) return NULL;
    at += key_len;
    bool is_string = at < end && *at == '"';
    at += is_string;
    *len = 0;
    while (at + *len < end && !strchr(is_string ? "\"" : ",}", at[*len])) ++*len;
    return at;
}
