// A command line, a word a line: read into the settings, or refused with sentences.
#include "app/settings.h"
#include "fuzz.h"

enum { WORDS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text, *words[WORDS + 1] = {0}, *rest;
    struct settings settings = {0};
    struct options options;
    int count = 0;
    unsigned command = 1u << fuzz_number(data, &size, 7);
    rest = text = fuzz_text(data, size);
    while (count < WORDS && rest) words[count++] = strsep(&rest, "\n");
    bool good = options_read(&options, &settings_table, command, count, words, &settings);
    assert(good == !options.errors.len);
    assert(good || options.errors.len > 3);
    options_release(&options);
    free(text);
    return 0;
}
