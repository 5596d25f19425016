// What a point says of facts as they may be; that the facts are read, tests/integration/start/doctor shows.
#include "unit.h"

#include <ftw.h>
#include <sys/stat.h>

#include "doctor/check.h"
#include "doctor/machine.h"
#include "doctor/stream_probe.h"
#include "engine/redis_facts.h"

static struct doctor_report report;

static int no_report(void **state) {
    (void)state;
    doctor_report_release(&report);
    report = (struct doctor_report){0};
    return 0;
}

// The point has answered with this level and words, and with a remedy unless all is well. Forgets the answer.
static void expect(enum doctor_level level, const char *words) {
    assert_int_equal(report.count, 1);
    const struct doctor_finding *f = &report.finding[0];
    if (f->level != level || !strstr(f->found, words)) fail_msg("level %d: %s", f->level, f->found);
    assert_int_equal(f->remedy != NULL, level != DOCTOR_OK);
    no_report(NULL);
}

static const struct doctor_config config = {
    .ports = 6, .max_connections = 10000, .memory = 256 << 20, .has_streams = true};

static const struct machine fine = {.descriptors = 1 << 20,
                                    .somaxconn = 4096,
                                    .syn_backlog = 4096,
                                    .syncookies = 1,
                                    .tracked = 10,
                                    .tracked_max = 1 << 20,
                                    .memory = INT64_C(8) << 30,
                                    .memory_limit = MACHINE_UNKNOWN,
                                    .clock_is_known = true,
                                    .clock_is_synchronised = true};

static void test_descriptors(void **state) {
    (void)state;
    struct machine m = fine;
    check_descriptors(&config, &m, &report);
    expect(DOCTOR_OK, "1048576 descriptors");
    m.descriptors = 1024;
    check_descriptors(&config, &m, &report);
    expect(DOCTOR_WARNING, "alone may need 60000");
    m.descriptors = 65536;
    check_descriptors(&config, &m, &report);
    expect(DOCTOR_WARNING, "leaves 5280 for viewers");
    struct doctor_config own = config;
    own.own_descriptors = true;
    check_descriptors(&own, &m, &report);
    expect(DOCTOR_OK, "each fan-out thread as many");
}

static void test_backlog(void **state) {
    (void)state;
    struct machine m = fine;
    check_backlog(&m, &report);
    expect(DOCTOR_OK, "somaxconn is 4096");
    m.syn_backlog = 2048;
    check_backlog(&m, &report);
    expect(DOCTOR_WARNING, "tcp_max_syn_backlog is 2048");
    m.syncookies = 0;
    check_backlog(&m, &report);
    expect(DOCTOR_WARNING, "tcp_syncookies is 0");
    m.somaxconn = 128;
    check_backlog(&m, &report);
    expect(DOCTOR_WARNING, "somaxconn is 128");
    m.somaxconn = MACHINE_UNKNOWN;
    check_backlog(&m, &report);
    expect(DOCTOR_UNKNOWN, "cannot be read");
}

static void test_conntrack(void **state) {
    (void)state;
    struct machine m = fine;
    check_conntrack(&config, &m, &report);
    expect(DOCTOR_OK, "10 connections of 1048576");
    m.tracked = 900000;
    check_conntrack(&config, &m, &report);
    expect(DOCTOR_WARNING, "tracks 900000 connections");
    m.tracked = 10;
    m.tracked_max = 65536;
    check_conntrack(&config, &m, &report);
    expect(DOCTOR_WARNING, "65536 at most");
    m.tracked_max = MACHINE_UNKNOWN;
    check_conntrack(&config, &m, &report);
    expect(DOCTOR_OK, "tracks no connections");
}

static void test_clock(void **state) {
    (void)state;
    struct machine m = fine;
    struct redis_facts redis = {.answers = true, .ahead_ms = 200};
    check_clock(&m, NULL, &report);
    expect(DOCTOR_OK, "is synchronised.");
    check_clock(&m, &redis, &report);
    expect(DOCTOR_OK, "agrees with that of Redis");
    redis.ahead_ms = -5000;
    check_clock(&m, &redis, &report);
    expect(DOCTOR_WARNING, "5000 ms behind");
    redis.ahead_ms = 1500;
    check_clock(&m, &redis, &report);
    expect(DOCTOR_WARNING, "1500 ms ahead of");
    m.clock_is_synchronised = false;
    check_clock(&m, NULL, &report);
    expect(DOCTOR_WARNING, "Nothing synchronises");
    m.clock_is_known = false;
    check_clock(&m, NULL, &report);
    expect(DOCTOR_UNKNOWN, "does not say");
}

static void test_memory(void **state) {
    (void)state;
    struct machine m = fine;
    check_memory(&config, &m, &report);
    expect(DOCTOR_OK, "the machine has 8192 MB");
    m.memory_limit = 512 << 20;
    check_memory(&config, &m, &report);
    expect(DOCTOR_OK, "its control group has 512 MB");
    m.memory_limit = 400 << 20;
    check_memory(&config, &m, &report);
    expect(DOCTOR_WARNING, "its control group has 400 MB");
    m.memory_limit = 300 << 20;
    check_memory(&config, &m, &report);
    expect(DOCTOR_FAULT, "may kill the process");
    m.memory_limit = m.memory = MACHINE_UNKNOWN;
    check_memory(&config, &m, &report);
    expect(DOCTOR_UNKNOWN, "cannot be read");
}

static void test_disk(void **state) {
    (void)state;
    const struct doctor_config stores = {.data = "/srv"};
    const int64_t gb = 1000000000;
    check_disk(&config, &(struct machine){.disk = MACHINE_UNKNOWN}, &report);
    expect(DOCTOR_OK, "Nothing is stored");
    check_disk(&stores, &(struct machine){.disk = MACHINE_UNKNOWN}, &report);
    expect(DOCTOR_UNKNOWN, "/srv cannot be looked at");
    check_disk(&stores, &(struct machine){.disk = 20 * gb, .disk_free = gb}, &report);
    expect(DOCTOR_WARNING, "953 MB of 19073 are left on the disk of /srv");
    check_disk(&stores, &(struct machine){.disk = 1000 * gb, .disk_free = 50 * gb}, &report);
    expect(DOCTOR_OK, "are left");
}

static void test_the_disk_of_a_folder_that_is_to_be_made(void **state) {
    (void)state;
    struct machine m;
    const char *const paths[] = {"/", "/nowhere/at/all", "nowhere", "nowhere/at/all/", "/tmp/nowhere"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        machine_read(&m, "/nowhere", paths[i]);
        assert_true(m.disk > 0 && m.disk_free >= 0 && m.disk_free <= m.disk);
    }
    machine_read(&m, "/nowhere", NULL);
    assert_int_equal(m.disk, MACHINE_UNKNOWN);
    machine_read(&m, "/nowhere", "/dev/null/below");
    assert_int_equal(m.disk, MACHINE_UNKNOWN);
}

static const struct redis_facts good = {.answers = true,
                                        .version = "7.2.4",
                                        .major = 7,
                                        .role = "master",
                                        .policy = "noeviction",
                                        .maxmemory = 512 << 20,
                                        .appends = true,
                                        .saves_well = true,
                                        .rights_known = true,
                                        .config_known = true,
                                        .appendfsync = "everysec",
                                        .pubsub_hard = 32 << 20,
                                        .pubsub_soft = 8 << 20,
                                        .pubsub_soft_s = 60};

static void test_redis(void **state) {
    (void)state;
    struct redis_facts f = good;
    check_redis(&(struct doctor_config){.redis = "redis://a"}, &f, &report);
    expect(DOCTOR_OK, "version 7.2.4");
    snprintf(f.role, sizeof f.role, "slave");
    check_redis(&(struct doctor_config){.redis = "redis://a"}, &f, &report);
    expect(DOCTOR_FAULT, "is a replica");
    f.major = 6;
    check_redis(&(struct doctor_config){.redis = "redis://a"}, &f, &report);
    expect(DOCTOR_FAULT, "is version 7.2.4");
    f = (struct redis_facts){.why = "Connection refused."};
    check_redis(&(struct doctor_config){.redis = "redis://a"}, &f, &report);
    expect(DOCTOR_FAULT, "not reached: Connection refused.");
    check_redis(&(struct doctor_config){0}, NULL, &report);
    expect(DOCTOR_OK, "embedded engine");
}

static void test_redis_access(void **state) {
    (void)state;
    static const struct {
        const char *url, *password, *words;
        enum doctor_level level;
    } cases[] = {
        {"redis://127.0.0.1", NULL, "no password", DOCTOR_WARNING},
        {"redis://10.0.0.5", NULL, "no password", DOCTOR_FAULT},
        {"redis://10.0.0.5", "word", "not encrypted", DOCTOR_WARNING},
        {"redis://u:p@10.0.0.5", NULL, "not encrypted", DOCTOR_WARNING},
        {"redis://u:p@127.0.0.1", NULL, "on this machine, with a password", DOCTOR_OK},
        {"rediss://10.0.0.5", "word", "by TLS, with a password", DOCTOR_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct doctor_config c = {.redis = cases[i].url, .redis_password = cases[i].password};
        check_redis_access(&c, &good, &report);
        expect(cases[i].level, cases[i].words);
    }
}

static void test_redis_rights_and_buffers(void **state) {
    (void)state;
    struct redis_facts f = good;
    check_redis_rights(&f, &report);
    expect(DOCTOR_OK, "all rights");
    snprintf(f.denied, sizeof f.denied, "XADD");
    check_redis_rights(&f, &report);
    expect(DOCTOR_FAULT, "may not use: XADD");
    f.rights_known = false;
    check_redis_rights(&f, &report);
    expect(DOCTOR_UNKNOWN, "does not say");
    check_redis_buffers(&f, &report);
    expect(DOCTOR_OK, "up to 32 MB");
    f.pubsub_soft = 1 << 20;
    check_redis_buffers(&f, &report);
    expect(DOCTOR_WARNING, "1024 KB for 60 s");
    f.pubsub_soft = f.pubsub_hard = 0;
    check_redis_buffers(&f, &report);
    expect(DOCTOR_WARNING, "without a limit");
    f.config_known = false;
    check_redis_buffers(&f, &report);
    expect(DOCTOR_UNKNOWN, "may not read");
}

static void test_what_redis_keeps(void **state) {
    (void)state;
    struct redis_facts f = good;
    struct doctor_config c = {.data = "chorus-data"};
    check_redis_memory(&f, &report);
    expect(DOCTOR_OK, "512 MB");
    f.maxmemory = 0;
    check_redis_memory(&f, &report);
    expect(DOCTOR_WARNING, "no maxmemory");
    snprintf(f.policy, sizeof f.policy, "allkeys-lru");
    check_redis_memory(&f, &report);
    expect(DOCTOR_FAULT, "allkeys-lru");
    check_durability(&c, &f, &report);
    expect(DOCTOR_OK, "appendfsync everysec");
    snprintf(f.appendfsync, sizeof f.appendfsync, "no");
    check_durability(&c, &f, &report);
    expect(DOCTOR_WARNING, "appendfsync no");
    f.appends = false;
    check_durability(&c, &f, &report);
    expect(DOCTOR_WARNING, "no append-only file");
    f.saves_well = false;
    check_durability(&c, &f, &report);
    expect(DOCTOR_FAULT, "could not write");
    check_durability(&c, NULL, &report);
    expect(DOCTOR_OK, "lose the last ones");
    c.durable = true;
    check_durability(&c, NULL, &report);
    expect(DOCTOR_OK, "lose none");
}

static void test_a_stream(void **state) {
    (void)state;
    struct doctor_config c = {.ask = "https://live.example.org"};
    struct stream_facts f = {.video = "v", .status = 200, .first_ms = 12, .next_ms = 15000};
    check_stream(&c, &f, &report);
    expect(DOCTOR_OK, "took 12 ms");
    f.first_ms = 1500;
    check_stream(&c, &f, &report);
    expect(DOCTOR_WARNING, "took 1500 ms");
    f.next_ms = -1;
    check_stream(&c, &f, &report);
    expect(DOCTOR_FAULT, "what follows is kept back");
    f.first_ms = -1;
    check_stream(&c, &f, &report);
    expect(DOCTOR_FAULT, "first event is kept back");
    f.status = 401;
    check_stream(&c, &f, &report);
    expect(DOCTOR_UNKNOWN, "needs a token");
    f.status = 404;
    check_stream(&c, &f, &report);
    expect(DOCTOR_FAULT, "with 404");
    f.status = 0;
    check_stream(&c, &f, &report);
    expect(DOCTOR_FAULT, "not answered in time");
    f.video[0] = 0;
    check_stream(&c, &f, &report);
    expect(DOCTOR_UNKNOWN, "names no video");
    snprintf(f.why, sizeof f.why, "the server has a certificate that has expired");
    f.tls_failed = true;
    check_stream(&c, &f, &report);
    assert_non_null(strstr(report.finding[report.count - 1].remedy, "certificate"));
    expect(DOCTOR_FAULT, "was not reached");
}

static void write_file(const char *root, const char *path, const char *text) {
    char at[512];
    snprintf(at, sizeof at, "%s%s", root, path);
    for (char *slash = at + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(at, 0700);
        *slash = '/';
    }
    FILE *f = fopen(at, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int remove_one(const char *path, const struct stat *what, int kind, struct FTW *where) {
    (void)what;
    (void)kind;
    (void)where;
    return remove(path);
}

static void test_the_kernels_files_are_read(void **state) {
    (void)state;
    char root[] = "/tmp/chorus-doctor-XXXXXX";
    struct machine m;
    assert_non_null(mkdtemp(root));
    machine_read(&m, root, NULL);
    assert_int_equal(m.somaxconn, MACHINE_UNKNOWN);
    assert_int_equal(m.memory, MACHINE_UNKNOWN);
    assert_int_equal(m.memory_limit, MACHINE_UNKNOWN);
    write_file(root, "/proc/sys/net/core/somaxconn", "128\n");
    write_file(root, "/proc/sys/net/ipv4/tcp_max_syn_backlog", "512\n");
    write_file(root, "/proc/sys/net/ipv4/tcp_syncookies", "1\n");
    write_file(root, "/proc/sys/net/netfilter/nf_conntrack_count", "7\n");
    write_file(root, "/proc/sys/net/netfilter/nf_conntrack_max", "65536\n");
    write_file(root, "/proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n");
    write_file(root, "/proc/self/cgroup",
               "4:cpu,cpuacct:/x\n3:memory:/a/b\n0::/system.slice/chorus.service\n");
    machine_read(&m, root, NULL);
    assert_int_equal(m.somaxconn, 128);
    assert_int_equal(m.syn_backlog, 512);
    assert_int_equal(m.syncookies, 1);
    assert_int_equal(m.tracked, 7);
    assert_int_equal(m.tracked_max, 65536);
    assert_int_equal(m.memory, INT64_C(8) << 30);
    assert_int_equal(m.memory_limit, MACHINE_UNKNOWN);
    write_file(root, "/sys/fs/cgroup/system.slice/chorus.service/memory.max", "max\n");
    write_file(root, "/sys/fs/cgroup/system.slice/memory.max", "536870912\n"); // of the group above
    machine_read(&m, root, NULL);
    assert_int_equal(m.memory_limit, 512 << 20);
    write_file(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes",
               "268435456\n"); // version 1, in a container
    machine_read(&m, root, NULL);
    assert_int_equal(m.memory_limit, 256 << 20);
    assert_int_equal(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_descriptors, no_report),
        cmocka_unit_test_teardown(test_backlog, no_report),
        cmocka_unit_test_teardown(test_conntrack, no_report),
        cmocka_unit_test_teardown(test_clock, no_report),
        cmocka_unit_test_teardown(test_memory, no_report),
        cmocka_unit_test_teardown(test_disk, no_report),
        cmocka_unit_test(test_the_disk_of_a_folder_that_is_to_be_made),
        cmocka_unit_test_teardown(test_redis, no_report),
        cmocka_unit_test_teardown(test_redis_access, no_report),
        cmocka_unit_test_teardown(test_redis_rights_and_buffers, no_report),
        cmocka_unit_test_teardown(test_what_redis_keeps, no_report),
        cmocka_unit_test_teardown(test_a_stream, no_report),
        cmocka_unit_test_teardown(test_the_kernels_files_are_read, no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
