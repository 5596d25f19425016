#include "base/position.h"

#include <string.h>

static char *position_write_number(char *to, uint64_t value) {
    char digits[20];
    size_t i = sizeof digits;
    do digits[--i] = (char)('0' + value % 10);
    while (value /= 10);
    memcpy(to, digits + i, sizeof digits - i);
    return to + sizeof digits - i;
}

// By hand, because each comment needs it several times.
size_t position_format(struct position p, char out[POSITION_TEXT_SIZE]) {
    char *end = position_write_number(out, p.epoch);
    *end++ = '-';
    end = position_write_number(end, p.seq);
    *end = 0;
    return (size_t)(end - out);
}

// Parses one number and returns its length; 0 if there is none or it is too large. Numbers stay below 2^63,
// because the stores use signed 64-bit integers.
static size_t position_parse_number(const char *text, size_t len, uint64_t *out) {
    uint64_t value = 0;
    size_t i = 0;
    for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10) return 0;
        value = value * 10 + digit;
    }
    *out = value;
    return i;
}

bool position_parse(const char *text, size_t len, struct position *out) {
    struct position p;
    size_t epoch_len = position_parse_number(text, len, &p.epoch);
    if (!epoch_len || epoch_len == len || text[epoch_len] != '-' || !p.epoch) return false;
    const char *seq = text + epoch_len + 1;
    size_t seq_len = position_parse_number(seq, len - epoch_len - 1, &p.seq);
    if (!seq_len || seq + seq_len != text + len) return false;
    *out = p;
    return true;
}

int position_compare(struct position a, struct position b) {
    if (a.epoch != b.epoch) return a.epoch < b.epoch ? -1 : 1;
    return a.seq == b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}

struct position position_max(struct position a, struct position b) {
    return position_compare(a, b) > 0 ? a : b;
}
