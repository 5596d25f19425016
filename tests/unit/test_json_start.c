#include "unit.h"

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "service/json_start.h"

// In a process of its own, which ends. With the address sanitizer that ends it first.
static void a_value_without_memory_ends_the_process(void **state) {
    (void)state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        json_start(0);
        json_t *value = json_stringn_nocheck("", SIZE_MAX / 2);
        _exit(value ? 2 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_value_without_memory_ends_the_process)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
