// A list of networks, and an address that is held against it. The address is the input's last line.
#include "fuzz.h"
#include "service/internal_only.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size), *line = strrchr(text, '\n'), *peer = line ? line + 1 : text + size;
    if (line) *line = 0;
    struct internal_only *networks = strstr(text, "samenet") ? NULL : internal_only_new(text, NULL);
    bool allowed = networks && internal_only_allows(networks, &(struct internal_sign){.peer = peer});
    if (networks && !strpbrk(text, "0123456789abcdefABCDEF:")) assert(!allowed);
    struct internal_only *twice =
        allowed ? internal_only_new(peer, NULL) : NULL; // an address is a network of itself
    assert(!allowed || (twice && internal_only_allows(twice, &(struct internal_sign){.peer = peer})));
    internal_only_free(twice);
    internal_only_free(networks);
    free(text);
    return 0;
}
