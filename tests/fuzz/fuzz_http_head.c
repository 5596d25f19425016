// A request head has the same verdict however it was cut on its way.
#include "fuzz.h"
#include "http/head.h"

static enum http_head_verdict feed(struct http_head *h, const uint8_t *data, size_t size, size_t *used) {
    char *bytes = fuzz_bytes(data, size);
    enum http_head_verdict verdict = http_head_scan(h, bytes, size, used);
    assert(*used <= size && (verdict != HTTP_HEAD_MORE || *used == size));
    free(bytes);
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_head whole = {0}, cut = {0};
    size_t used, first, rest = 0, at = fuzz_number(data, &size, 255);
    if (at > size) at = size;
    enum http_head_verdict expected = feed(&whole, data, size, &used), got = feed(&cut, data, at, &first);
    if (got == HTTP_HEAD_MORE) got = feed(&cut, data + at, size - at, &rest);
    assert(got == expected && first + rest == used);
    return 0;
}
