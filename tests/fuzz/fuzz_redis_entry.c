// What is read from a video's channel or log lies in it, and is written as it was read.
#include "engine/redis/redis_entry.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct engine_entry entry;
    char *json = fuzz_bytes(data, size);
    if (redis_entry_read(&entry, json, size) && entry.json_len)
        assert(entry.json >= json && entry.json + entry.json_len <= json + size);
    free(json);
    return 0;
}
