// A Redis URL is taken apart into parts that fit, or refused with a sentence that does not hold the password.
#include "engine/redis/redis_url.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct redis_url url;
    char *text = fuzz_text(data, size);
    const char *wrong = redis_url_parse(&url, text);
    if (wrong)
        assert(*wrong);
    else
        assert(url.count && *url.at[0].host && url.at[0].port >= 1 && url.at[0].port <= 65535 && url.db >= 0);
    free(text);
    return 0;
}
