// A command line, a word a line: read into the settings, or refused with a sentence.
#include "app/settings.h"
#include "fuzz.h"

enum { WORDS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char error[256] = "", *text, *words[WORDS + 1] = {0}, *rest;
    struct settings settings = {0};
    int count = 0;
    unsigned command = 1u << fuzz_number(data, &size, 7);
    rest = text = fuzz_text(data, size);
    while (count < WORDS && rest) words[count++] = strsep(&rest, "\n");
    bool good = options_parse(settings_rows, settings_row_count, command, count, words, &settings, error,
                              sizeof error);
    assert(good == !*error);
    assert(good || strlen(error) > 3);
    free(text);
    return 0;
}
