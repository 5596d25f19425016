// The reader accepts what jansson accepts (not the other way: jansson bounds depth and numbers); skipping is
// as strict as reading; what is copied fits.
#include <jansson.h>

#include "base/json_reader.h"
#include "fuzz.h"

static bool read_all(struct json_reader *r) {
    enum json_token t;
    while ((t = json_reader_next(r)) != JSON_TOKEN_END) {
        char copy[32];
        int64_t number;
        if (t == JSON_TOKEN_ERROR) return false;
        if (t == JSON_TOKEN_KEY || t == JSON_TOKEN_STRING) {
            ptrdiff_t len = json_reader_copy(r, copy, sizeof copy);
            assert(len < (ptrdiff_t)sizeof copy && (len < 0 || copy[len] == 0));
        }
        if (t == JSON_TOKEN_NUMBER && json_reader_integer(r, 1000, &number))
            assert(number >= 0 && number <= 1000);
    }
    return true;
}

static bool skip_all(struct json_reader *r) {
    return json_reader_next(r) != JSON_TOKEN_ERROR && json_reader_skip(r) &&
           json_reader_next(r) == JSON_TOKEN_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct json_reader reading, skipping;
    size_t line, column;
    char *text = fuzz_bytes(data, size);
    json_reader_init(&reading, text, size);
    json_reader_init(&skipping, text, size);
    bool good = read_all(&reading);
    assert(skip_all(&skipping) == good);
    json_reader_location(&reading, &line, &column);
    assert(line >= 1 && column >= 1 && line <= size + 1);
    json_t *known = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert(good || !known || memchr(text, 0, size)); // which ends a text for jansson
    json_decref(known);
    free(text);
    return 0;
}
