// The beginning of a connection as a header of the PROXY protocol: what is decided once holds however much
// more arrives.
#include "fuzz.h"
#include "http/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct proxy_header h, first = {0};
    enum proxy_header_result decided = PROXY_HEADER_MORE;
    for (size_t len = 0; len <= size && len < 300; len++) {
        enum proxy_header_result result = proxy_header_parse(&h, (const char *)data, len);
        if (decided == PROXY_HEADER_MORE) first = h;
        assert(decided == PROXY_HEADER_MORE || result == decided);
        assert(result != PROXY_HEADER_MORE || len < PROXY_HEADER_KEPT_MAX);
        if (result == PROXY_HEADER_DONE)
            assert(h.len == first.len && !memcmp(&h.source, &first.source, sizeof h.source));
        decided = result;
    }
    return 0;
}
