// What is read as a position is written as one that is read as the same.
#include "base/position.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct position p, again;
    char *bytes = fuzz_bytes(data, size), text[POSITION_TEXT_SIZE];
    if (position_parse(bytes, size, &p)) {
        size_t len = position_format(p, text);
        assert(len < sizeof text && position_parse(text, len, &again) && position_compare(p, again) == 0);
    }
    free(bytes);
    return 0;
}
