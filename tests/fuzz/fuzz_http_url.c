// A URL is taken apart into parts that can forge no header line, or refused.
#include "fuzz.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_url url;
    char *text = fuzz_text(data, size);
    if (http_url_parse(&url, text) == 0) {
        assert(*url.host && url.port >= 1 && url.port <= 65535);
        assert(url.path >= text && url.path + url.path_len <= text + size);
        for (size_t i = 0; i < url.path_len; i++) assert((unsigned char)url.path[i] > ' ');
        for (const char *c = url.host; *c; c++) assert((unsigned char)*c > ' ' && !(*c >= 'A' && *c <= 'Z'));
    }
    free(text);
    return 0;
}
