#include "base/base64url.h"

#include <errno.h>
#include <stdint.h>

#include "base/buf.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// The letter's number, or -1.
static int base64url_value(char letter) {
    if (letter >= 'A' && letter <= 'Z') return letter - 'A';
    if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9') return letter - '0' + 52;
    if (letter == '-') return 62;
    return letter == '_' ? 63 : -1;
}

ptrdiff_t base64url_decode(unsigned char *out, const char *text, size_t len) {
    uint32_t bits = 0;
    unsigned count = 0;
    ptrdiff_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int value = base64url_value(text[i]);
        if (value < 0) return -EILSEQ;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out[n++] = (unsigned char)(bits >> count);
        bits &= (1u << count) - 1;
    }
    return count >= 6 || bits ? -EILSEQ : n;
}

void base64url_add(struct buf *b, const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    uint32_t bits = 0;
    unsigned count = 0;
    char *out = buf_reserve(b, len / 3 * 4 + 4), *begin = out;
    for (size_t i = 0; i < len; i++) {
        bits = (bits & 0xff) << 8 | at[i];
        for (count += 8; count >= 6; count -= 6) *out++ = letters[bits >> (count - 6) & 63];
    }
    if (count) *out++ = letters[bits << (6 - count) & 63];
    b->len += (size_t)(out - begin);
}
