#include "engine/position.h"

#include <inttypes.h>
#include <stdio.h>

size_t position_format(struct position p, char out[POSITION_TEXT_SIZE]) {
    int n = snprintf(out, POSITION_TEXT_SIZE, "%" PRIu64 "-%" PRIu64, p.epoch, p.seq);
    return n < 0 ? 0 : (size_t)n;
}

// Reads one number and returns how many bytes it took; 0 if there is none or it is too large. A number stays
// below 2^63, as the stores behind count in signed 64 bits.
static size_t parse_number(const char *text, size_t len, uint64_t *out) {
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
    size_t epoch_len = parse_number(text, len, &p.epoch);
    if (!epoch_len || epoch_len == len || text[epoch_len] != '-' || !p.epoch) return false;
    const char *seq = text + epoch_len + 1;
    size_t seq_len = parse_number(seq, len - epoch_len - 1, &p.seq);
    if (!seq_len || seq + seq_len != text + len) return false;
    *out = p;
    return true;
}

int position_compare(struct position a, struct position b) {
    if (a.epoch != b.epoch) return a.epoch < b.epoch ? -1 : 1;
    return a.seq == b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}
