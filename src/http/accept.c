#include "accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

// Whether the parameters, ";level=1;q=0.5", have a weight above 0 or none.
static bool accept_is_weighty(const char *parameters, size_t len) {
    for (const char *end = parameters + len, *at = parameters; at < end; at++) {
        if (*at != ';') continue;
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, "q=", 2) != 0) continue;
        at += 2 + strspn(at + 2, "0.");
        return at < end && *at >= '1' && *at <= '9';
    }
    return true;
}

enum http_acceptance http_accept_find(const char *list, const char *name) {
    size_t name_len = strlen(name);
    for (size_t len; list && *(list += strspn(list, ", \t")); list += len) {
        len = strcspn(list, ",");
        size_t found = strcspn(list, ",; \t");
        if (found != name_len || strncasecmp(list, name, found) != 0) continue;
        return accept_is_weighty(list + found, len - found) ? HTTP_ACCEPTED : HTTP_REFUSED;
    }
    return HTTP_UNNAMED;
}
