#include "base/utf8.h"

size_t utf8_sequence(const char *at, const char *end) {
    const unsigned char *s = (const unsigned char *)at;
    size_t len = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    if (!len || (size_t)(end - at) < len) return 0;
    unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return len;
}

bool utf8_is_valid(const char *text, size_t len) {
    for (const char *end = text + len; text < end;) {
        size_t step = (unsigned char)*text < 0x80 ? 1 : utf8_sequence(text, end);
        if (!step) return false;
        text += step;
    }
    return true;
}
