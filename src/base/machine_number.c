#include "base/machine_number.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/small_file.h"

enum { ID_MAX_BYTES = 64 };

// FNV-1a: all processes have to find the same.
static uint32_t number_of(const char *text) {
    uint32_t n = 2166136261u;
    for (; *text; text++) n = (n ^ (unsigned char)*text) * 16777619u;
    return (n >> 3) + 1;
}

uint32_t machine_number(void) {
    struct small_file id;
    char why[64], host[ID_MAX_BYTES] = "";
    if (!small_file_read("/proc/sys/kernel/random/boot_id", ID_MAX_BYTES, &id, why, sizeof why)) {
        gethostname(host, sizeof host - 1);
        return number_of(host);
    }
    uint32_t n = number_of(id.text);
    free(id.text);
    return n;
}
