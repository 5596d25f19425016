#include "unit.h"

#include <sys/resource.h>

#include "app/process.h"

// The size of the table of descriptors, which the kernel has to make larger once it is full.
static unsigned long table_size(void) {
    char line[128];
    unsigned long size = 0;
    FILE *f = fopen("/proc/self/status", "re");
    assert_non_null(f);
    while (!size && fgets(line, sizeof line, f)) sscanf(line, "FDSize: %lu", &size);
    fclose(f);
    return size;
}

static void the_table_has_room_for_a_storm_before_there_are_threads(void **state) {
    (void)state;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    unsigned long room = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    assert_true(table_size() < room);
    assert_true(process_raise_descriptor_limit() >= room);
    assert_true(table_size() >= room);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_room_for_a_storm_before_there_are_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
