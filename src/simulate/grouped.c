#include "grouped.h"

#include <inttypes.h>
#include <stdio.h>

struct grouped grouped(uint64_t n) {
    struct grouped g;
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) g.text[at++] = ',';
        g.text[at++] = digits[i];
    }
    g.text[at] = 0;
    return g;
}
