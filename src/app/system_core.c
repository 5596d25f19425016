#include "system_core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool system_fail(struct system *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(s->why, s->why_size, format, args);
    va_end(args);
    return false;
}

const char *system_part_url(const struct system *s, const char *name) {
    for (size_t i = 0; i < s->part_count; i++)
        if (!strcmp(s->parts[i].name, name)) return s->parts[i].url;
    return NULL;
}
