#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "bench/endpoint.h"

static void test_each_address_is_added_once(void **state) {
    (void)state;
    struct endpoints *all = calloc(1, sizeof *all);
    assert_int_equal(endpoints_find(all, "http://127.0.0.1:4001/connect"), 0);
    assert_int_equal(endpoints_find(all, "http://[::1]:4001"), 1);
    assert_int_equal(endpoints_find(all, "http://127.0.0.1:4001"), 0);
    assert_int_equal(all->count, 2);
    assert_string_equal(all->at[0].host, "127.0.0.1:4001");
    assert_string_equal(all->at[1].host, "[::1]:4001");
    assert_int_equal(all->at[0].port, 4001);
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&all->at[0].address;
    assert_int_equal(ntohs(v4->sin_port), 4001);
    // Readers that share a port.
    assert_int_equal(endpoints_find_reader(all, "http://127.0.0.1:4001/reader-1/"), 2);
    assert_int_equal(endpoints_find_reader(all, "http://127.0.0.1:4001/reader-2"), 3);
    assert_int_equal(endpoints_find_reader(all, "http://127.0.0.1:4001/reader-1"), 2);
    assert_int_equal(endpoints_find_reader(all, "http://127.0.0.1:4001/"), 0);
    assert_string_equal(all->at[2].host, "127.0.0.1:4001");
    assert_string_equal(all->at[2].path, "/reader-1");
    free(all);
}

static void test_refuses_invalid_addresses(void **state) {
    (void)state;
    struct endpoints *all = calloc(1, sizeof *all);
    assert_true(endpoints_find(all, "ftp://127.0.0.1/") < 0);
    assert_true(endpoints_find(all, "http:///nowhere") < 0);
    assert_int_equal(all->count, 0);
    free(all);
}

static void test_a_full_table_is_an_error(void **state) {
    (void)state;
    struct endpoints *all = calloc(1, sizeof *all);
    all->count = ENDPOINTS_MAX;
    assert_int_equal(endpoints_find(all, "http://127.0.0.1:4001"), -ENOSPC);
    free(all);
}

static in_addr_t source_of(const struct endpoint *e, size_t number) {
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int fd = endpoint_connect(e, number);
    assert_true(fd >= 0);
    assert_return_code(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohl(at.sin_addr.s_addr);
}

// One source address has only some 28,000 ports.
static void test_connects_from_several_addresses(void **state) {
    (void)state;
    struct endpoints *all = calloc(1, sizeof *all);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_return_code(listen(fd, 8), 0);
    assert_return_code(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(endpoints_find(all, url), 0);
    assert_int_equal(source_of(&all->at[0], 0), 0x7f000002);
    assert_int_equal(source_of(&all->at[0], 19999), 0x7f000002);
    assert_int_equal(source_of(&all->at[0], 20000), 0x7f000003);
    assert_int_equal(source_of(&all->at[0], 1999999), 0x7f000002 + 99);
    close(fd);
    free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_address_is_added_once),
        cmocka_unit_test(test_refuses_invalid_addresses),
        cmocka_unit_test(test_a_full_table_is_an_error),
        cmocka_unit_test(test_connects_from_several_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
