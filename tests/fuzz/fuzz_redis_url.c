// A Redis URL is taken apart into parts that fit, or refused with a sentence that does not hold the password.
#include "engine/redis/redis_url.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct redis_url url;
    char why[256] = "", *text = fuzz_text(data, size);
    if (redis_url_parse(&url, text, why, sizeof why))
        assert(*url.host && url.port >= 1 && url.port <= 65535 && url.db >= 0);
    else
        assert(*why);
    free(text);
    return 0;
}
