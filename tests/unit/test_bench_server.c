#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/server.h"

static int listen_anywhere(int *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_return_code(listen(fd, 1), 0);
    assert_return_code(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void test_finds_the_listening_process(void **state) {
    (void)state;
    int ports[2] = {1}, pids[4];
    int fd = listen_anywhere(&ports[1]);
    assert_int_equal(server_find(ports, 2, pids, 4), 1);
    assert_int_equal(pids[0], getpid());
    assert_int_equal(server_find(ports, 2, pids, 0), 0);
    close(fd);
    assert_int_equal(server_find(ports, 2, pids, 4), 0);
}

static void test_finds_processes_that_share_a_socket(void **state) {
    (void)state;
    int port, pids[4], fd = listen_anywhere(&port);
    pid_t child = fork();
    if (!child) {
        pause();
        _exit(0);
    }
    assert_int_equal(server_find(&port, 1, pids, 4), 2);
    assert_true(pids[0] == child || pids[1] == child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fd);
}

// Until the clock of used time has moved by two of its ticks.
static void burn(void) {
    clock_t end = clock() + 2 * CLOCKS_PER_SEC / sysconf(_SC_CLK_TCK);
    while (clock() < end) continue;
}

static void test_measures_processes(void **state) {
    (void)state;
    int me[2] = {getpid(), getpid()};
    struct server_usage before = server_measure(me, 1);
    burn();
    struct server_usage once = server_measure(me, 1), twice = server_measure(me, 2);
    assert_true(before.known && once.known && twice.known);
    assert_true(once.cpu_us > before.cpu_us);
    assert_true(twice.cpu_us >= 2 * once.cpu_us);
    assert_in_range(once.pss_bytes, 65536, INT64_C(1) << 32);
}

static void test_a_missing_process_makes_the_usage_unknown(void **state) {
    (void)state;
    int pids[] = {getpid(), INT32_MAX};
    assert_false(server_measure(pids, 2).known);
    assert_false(server_measure(pids, 0).known);
}

static void test_reads_the_machines_memory(void **state) {
    (void)state;
    struct machine_memory m = machine_memory_now();
    int64_t total = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    assert_true(m.left_bytes > 0 && m.left_bytes < total);
    assert_true(m.kernel_bytes > 0 && m.kernel_bytes < total);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_listening_process),
        cmocka_unit_test(test_finds_processes_that_share_a_socket),
        cmocka_unit_test(test_measures_processes),
        cmocka_unit_test(test_a_missing_process_makes_the_usage_unknown),
        cmocka_unit_test(test_reads_the_machines_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
