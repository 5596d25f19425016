#include "base/id.h"

static const bool id_bytes[256] = {
    ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['.'] = true, ['_'] = true,
    ['~'] = true,         ['-'] = true,         [':'] = true,         ['@'] = true,
};

bool id_has_bytes(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (!id_bytes[(unsigned char)text[i]]) return false;
    return true;
}

bool id_is_valid(const char *text, size_t len) {
    if (!len || len > ID_MAX || !id_has_bytes(text, len)) return false;
    return text[0] != '.' || (len > 1 && (text[1] != '.' || len > 2));
}
