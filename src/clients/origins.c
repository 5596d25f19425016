#include "origins.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct origin *origins_get(struct origins *all, const char *url, const char **path) {
    struct http_url parsed;
    if (http_url_parse(&parsed, url)) return NULL;
    *path = parsed.path;
    size_t len = (size_t)(parsed.path - url);
    struct origin *o;
    HASH_FIND(hh, all->by_text, url, len, o);
    if (o || HASH_COUNT(all->by_text) >= ORIGINS_MAX) return o;
    o = mem_zalloc(sizeof *o + len + 1);
    memcpy(o->text, url, len);
    o->url = parsed;
    o->url.path = "";
    o->url.path_len = 0;
    HASH_ADD_KEYPTR(hh, all->by_text, o->text, len, o);
    return o;
}

void origins_release(struct origins *all) {
    struct origin *o, *next;
    HASH_ITER(hh, all->by_text, o, next) {
        HASH_DEL(all->by_text, o);
        free(o);
    }
}
