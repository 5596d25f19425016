#include "base/machine_number.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/small_file.h"

enum { ID_MAX_BYTES = 64 };

static uint32_t number_of(const char *text) {
    return (uint32_t)(hash_stable(text) >> 35) + 1;
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
