// What is read from a video's channel or log lies in it, and is written as it was read, but for what is the
// log's own.
#include "base/buf.h"
#include "engine/entry.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct engine_entry e, again;
    struct buf b = {0};
    char *json = fuzz_bytes(data, size);
    if (entry_read(&e, json, size)) {
        assert(e.body >= json && e.body + e.body_len < json + size);
        entry_write(&b, &e);
        assert(entry_read(&again, b.data, b.len));
        if (e.body_len && e.kind == ENTRY_COMMENT && !position_is_set(e.at)) assert(b.len == size);
    }
    buf_release(&b);
    free(json);
    return 0;
}
