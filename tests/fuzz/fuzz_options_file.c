// A configuration file: every line is an option, or wrong; and nothing is lost or seen twice.
#include "base/options_file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size), why[256];
    struct options_file file = {.text = text, .len = size};
    struct options_line line = {0};
    enum options_file_found found;
    for (unsigned last = 0; (found = options_file_next(&file, &line, why, sizeof why)); last = line.number) {
        assert(line.number > last && line.number <= size + 1);
        if (found == OPTIONS_FILE_WRONG) assert(why[strlen(why) - 1] == '.');
        if (found == OPTIONS_FILE_LINE) assert(*line.name && !strpbrk(line.name, " \t=#\n"));
        if (found == OPTIONS_FILE_LINE && line.value) assert(strlen(line.value) <= OPTIONS_LINE_MAX);
    }
    free(text);
    return 0;
}
