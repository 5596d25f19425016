// The lines of a configuration file; and, read with it, which source of a value counts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/options.h"
#include "base/options_file.h"
#include "printed.h"

// Lines

static char text[OPTIONS_LINE_MAX * 3], why[256];
static struct options_file file;
static struct options_line line;

static void open_bytes(const char *bytes, size_t len) {
    memcpy(text, bytes, len);
    text[len] = 0;
    file = (struct options_file){.text = text, .len = len};
}

static void open_text(const char *bytes) {
    open_bytes(bytes, strlen(bytes));
}

static void expect(unsigned number, const char *name, const char *value) {
    enum options_file_found found = options_file_next(&file, &line, why, sizeof why);
    if (found == OPTIONS_FILE_WRONG) fail_msg("line %u: %s", line.number, why);
    assert_int_equal(found, OPTIONS_FILE_LINE);
    assert_int_equal(line.number, number);
    assert_string_equal(line.name, name);
    if (value)
        assert_string_equal(line.value, value);
    else
        assert_null(line.value);
}

static void expect_wrong(unsigned number, const char *about) {
    assert_int_equal(options_file_next(&file, &line, why, sizeof why), OPTIONS_FILE_WRONG);
    assert_int_equal(line.number, number);
    if (!strstr(why, about)) fail_msg("\"%s\" is not about \"%s\"", why, about);
}

static void expect_end(void) {
    assert_int_equal(options_file_next(&file, &line, why, sizeof why), OPTIONS_FILE_END);
}

static void test_lines(void **state) {
    (void)state;
    open_text("\n  # a comment\nbind = ::1\n\tmemory=1g\t\nredis =redis://h/#1\nx = a b  c \n\nlast = 1");
    expect(3, "bind", "::1");
    expect(4, "memory", "1g");
    expect(5, "redis", "redis://h/#1"); // no space in front of it
    expect(6, "x", "a b  c");
    expect(8, "last", "1");
    expect_end();
    open_text("");
    expect_end();
}

static void test_comments_and_quotes(void **state) {
    (void)state;
    open_text(
        "a = 1 # one\nb = # none\nc = \"x # y\" # z\nd = \"a\\\"b\\\\c\"\ne = 'a\"\\b'\nf = \"\"\ng # no value\n"
        "h = a\"b\ni = it's\n");
    expect(1, "a", "1");
    expect(2, "b", "");
    expect(3, "c", "x # y");
    expect(4, "d", "a\"b\\c");
    expect(5, "e", "a\"\\b");
    expect(6, "f", "");
    expect(7, "g", NULL);
    expect(8, "h", "a\"b"); // only a quote in front begins one
    expect(9, "i", "it's");
    expect_end();
}

static void test_wrong_lines_do_not_stop_it(void **state) {
    (void)state;
    open_text("= 1\nname value\nx = \"open\ny = \"a\" b\nz = \"\\n\"\nq = \"a\\\nok = 1\n");
    expect_wrong(1, "name in front of = is missing");
    expect_wrong(2, "name = value");
    expect_wrong(3, "not closed");
    expect_wrong(4, "closing quote");
    expect_wrong(5, "\\");
    expect_wrong(6, "\\");
    expect(7, "ok", "1");
    expect_end();
}

static void test_wrong_bytes(void **state) {
    (void)state;
    static const char bytes[] = "\xef\xbb\xbf"
                                "a = 1\nb = 1\r\nc = \0\nd = \x01\ne = \xff\nf = \xc3\xa4\n# \xff\n";
    open_bytes(bytes, sizeof bytes - 1);
    expect_wrong(1, "byte order mark");
    expect_wrong(2, "CR LF");
    expect_wrong(3, "NUL");
    expect_wrong(4, "control character");
    expect_wrong(5, "UTF-8");
    expect(6, "f", "\xc3\xa4");
    expect_wrong(7, "UTF-8"); // in a comment too: it would be the wrong encoding elsewhere
    expect_end();
}

static void test_a_line_is_bounded(void **state) {
    (void)state;
    char bytes[OPTIONS_LINE_MAX * 2];
    memset(bytes, 'a', sizeof bytes);
    bytes[1] = '=';
    bytes[OPTIONS_LINE_MAX] = '\n';
    bytes[OPTIONS_LINE_MAX + 2] = '=';
    bytes[OPTIONS_LINE_MAX + 4] = '\n';
    open_bytes(bytes, OPTIONS_LINE_MAX + 5);
    assert_int_equal(options_file_next(&file, &line, why, sizeof why), OPTIONS_FILE_LINE);
    assert_int_equal(strlen(line.value), OPTIONS_LINE_MAX - 2);
    expect(2, "a", "a");
    memset(bytes, 'a', sizeof bytes);
    open_bytes(bytes, OPTIONS_LINE_MAX + 1);
    expect_wrong(1, "too long");
}

// Sources

enum { SERVE = 1, WATCH = 2 };

struct fields {
    bool durable;
    int64_t port, size;
    const char *bind, *token, *url, *config;
};

#define AT(field) offsetof(struct fields, field)

static const char *check_bind(const char *bind) {
    return strchr(bind, ' ') ? "an address" : NULL;
}

static const struct option_row rows[] = {
    {"config", NULL, OPTION_STRING, AT(config), .commands = SERVE | WATCH, .traits = OPTION_FILE},
    {"durable", NULL, OPTION_BOOL, AT(durable), .commands = SERVE},
    {"port", "T_PORT", OPTION_INT, AT(port), 0, 65535, "3000", .commands = SERVE},
    {"port", "T_PORT", OPTION_INT, AT(port), 0, 9999, "4001", .commands = WATCH},
    {"size", NULL, OPTION_BYTES, AT(size), 0, 1 << 30, "4k", .commands = WATCH},
    {"bind", NULL, OPTION_STRING, AT(bind), .fallback = "::1", .commands = SERVE, .check = check_bind},
    {"token", "T_TOKEN", OPTION_STRING, AT(token), .commands = SERVE, .traits = OPTION_SECRET},
    {"url", NULL, OPTION_STRING, AT(url), .commands = SERVE, .traits = OPTION_PASSWORD},
};
enum { ROWS = sizeof rows / sizeof *rows };
static const struct option_table table = {rows, ROWS, (const char *const[]){"serve", "watch", NULL}};

static char folder[] = "/tmp/test-options-XXXXXX", path[64], secret[64];
static struct options options;
static struct fields fields;

static void write_file(const char *to, const char *content, mode_t mode) {
    FILE *out = fopen(to, "w");
    assert_non_null(out);
    fputs(content, out);
    fclose(out);
    chmod(to, mode);
}

// Reads with the file, which has this content, and one more argument or two.
static bool read_with(unsigned command, const char *content, const char *flag, const char *value) {
    char *argv[] = {"--config", path, (char *)flag, (char *)value};
    write_file(path, content, 0600);
    options_release(&options);
    memset(&fields, 0, sizeof fields);
    return options_read(&options, &table, command, 2 + !!flag + !!value, argv, &fields);
}

static void accept(const char *content) {
    if (!read_with(SERVE, content, NULL, NULL)) fail_msg("%s", buf_string(&options.errors));
}

static void refuse(const char *content, const char *sentence) {
    assert_false(read_with(SERVE, content, NULL, NULL));
    if (!strstr(buf_string(&options.errors), sentence))
        fail_msg("\"%s\" is not in \"%s\"", sentence, buf_string(&options.errors));
}

static int begin(void **state) {
    (void)state;
    static const char *const names[] = {"CHORUS_PORT",       "T_PORT",           "CHORUS_TOKEN", "T_TOKEN",
                                        "CHORUS_TOKEN_FILE", "CHORUS_TOKEN_FIL", "CHORUS_CONFIG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
    return 0;
}

static void test_the_command_line_counts_before_the_environment_and_that_before_the_file(void **state) {
    (void)state;
    accept("# nothing\n");
    assert_int_equal(fields.port, 3000);
    accept("port = 1\n");
    assert_int_equal(fields.port, 1);
    assert_int_equal(options_value(&options, AT(port))->source, OPTION_IN_FILE);
    assert_int_equal(options_value(&options, AT(port))->line, 1);
    setenv("T_PORT", "2", 1);
    accept("port = 1\n");
    assert_int_equal(fields.port, 2);
    setenv("CHORUS_PORT", "3", 1);
    accept("port = 1\n");
    assert_int_equal(fields.port, 3);
    assert_string_equal(options_value(&options, AT(port))->name, "CHORUS_PORT");
    assert_true(read_with(SERVE, "port = 1\n", "--port", "4"));
    assert_int_equal(fields.port, 4);
    assert_int_equal(options_value(&options, AT(port))->source, OPTION_ON_COMMAND_LINE);
    assert_false(read_with(SERVE, "port = x\n", "--port", "4")); // wrong, though it does not count
}

static void test_the_environment_names_a_file(void **state) {
    (void)state;
    write_file(path, "port = 7\n", 0600);
    setenv("CHORUS_CONFIG", path, 1);
    options_release(&options);
    assert_true(options_read(&options, &table, SERVE, 0, NULL, &fields));
    assert_int_equal(fields.port, 7);
    assert_string_equal(fields.config, path);
}

static void test_one_file_serves_all_commands(void **state) {
    (void)state;
    accept("port = 60000\nsize = what\n"); // SIZE is the other's
    assert_true(read_with(WATCH, "port = 1\nsize = 1m\ndurable = true\n", NULL, NULL));
    assert_int_equal(fields.size, 1 << 20);
    assert_false(fields.durable);
    assert_false(read_with(WATCH, "port = 60000\n", NULL, NULL)); // its own range
}

static void test_what_is_wrong_is_refused_with_its_line(void **state) {
    (void)state;
    refuse("\nprot = 1\n", ":2: There is no option prot; did you mean port?\n");
    refuse("zzzzzz = 1\n", ":1: There is no option zzzzzz.\n");
    refuse("port = 1\n\nport = 1\n", ":3: port stands in line 1 already.\n");
    refuse("port = -1\n", ":1: port is \"-1\", but must be a whole number from 0 to 65535.\n");
    refuse("durable\n", ":1: durable needs a value: durable = true.\n");
    refuse("bind =\n", ":1: bind must not be empty.\n");
    refuse("bind = a b\n", ":1: bind is \"a b\", but must be an address.\n");
    refuse("config = x\n", ":1: config cannot stand in the file itself.\n");
    refuse("port = x\nbind = \"\nprot = 1\n", ":3: There is"); // and all of them
    assert_non_null(strstr(buf_string(&options.errors), ":1: port"));
    assert_non_null(strstr(buf_string(&options.errors), ":2: The quote"));
}

static void test_errors_begin_with_the_place_of_the_value(void **state) {
    (void)state;
    char expected[128];
    accept("\nport = 5\n");
    options_error(&options, AT(port), "is %d too many.", 4);
    snprintf(expected, sizeof expected, "%s:2: port is 4 too many.\n", path);
    assert_string_equal(buf_string(&options.errors), expected);
    assert_true(read_with(SERVE, "", "--port", "5"));
    options_error(&options, AT(port), "is wrong.");
    assert_string_equal(buf_string(&options.errors), "--port is wrong.\n");
    accept("");
    options_error(&options, AT(port), "is wrong.");
    assert_string_equal(buf_string(&options.errors), "--port is wrong.\n");
}

static void test_a_file_that_cannot_be_read(void **state) {
    (void)state;
    char *const missing[] = {"--config", "/nonexistent/chorus.conf"}, *const as_folder[] = {"--config",
                                                                                            folder};
    options_release(&options);
    assert_false(options_read(&options, &table, SERVE, 2, missing, &fields));
    assert_string_equal(buf_string(&options.errors),
                        "/nonexistent/chorus.conf cannot be read: No such file or directory.\n");
    options_release(&options);
    assert_false(options_read(&options, &table, SERVE, 2, as_folder, &fields));
    assert_non_null(strstr(buf_string(&options.errors), "it is a folder"));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); // must not block either
    char *const as_pipe[] = {"--config", path};
    options_release(&options);
    assert_false(options_read(&options, &table, SERVE, 2, as_pipe, &fields));
    assert_non_null(strstr(buf_string(&options.errors), "not a regular file"));
    unlink(path);
    char *large = malloc(OPTIONS_FILE_MAX + 2);
    assert_non_null(large);
    memset(large, '\n', OPTIONS_FILE_MAX + 1);
    large[OPTIONS_FILE_MAX + 1] = 0;
    refuse(large, "is larger than 262144 bytes");
    large[OPTIONS_FILE_MAX] = 0;
    accept(large);
    free(large);
}

static void test_unknown_variables_warn_if_they_are_near(void **state) {
    (void)state;
    setenv("CHORUS_TOKEN_FIL", "x", 1);
    accept("");
    assert_string_equal(
        buf_string(&options.warnings),
        "CHORUS_TOKEN_FIL in the environment is the name of no option; did you mean CHORUS_TOKEN_FILE?\n");
    unsetenv("CHORUS_TOKEN_FIL");
    static const char *const harmless[] = {"CHORUS_SERVICE_HOST", "CHORUS_PORT_3000_TCP", "CHORUS_SIZE",
                                           "CHORUS_SOMETHING_ELSE"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) setenv(harmless[i], "1", 1);
    accept("");
    assert_string_equal(buf_string(&options.warnings), "");
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) unsetenv(harmless[i]);
}

// Secrets

static void test_a_secret_from_a_file(void **state) {
    (void)state;
    char content[128];
    write_file(secret, "s3cret\n", 0600);
    snprintf(content, sizeof content, "token-file = %s\n", secret);
    accept(content);
    assert_string_equal(fields.token, "s3cret"); // without the line feed
    assert_string_equal(buf_string(&options.warnings), "");
    write_file(secret, "other\r\n\n", 0600);
    assert_true(read_with(SERVE, "", "--token-file", secret));
    assert_string_equal(fields.token, "other");
    setenv("CHORUS_TOKEN_FILE", secret, 1);
    write_file(secret, " inner space ", 0600);
    accept("token = weaker\n");
    assert_string_equal(fields.token, " inner space ");
    assert_true(read_with(SERVE, "", "--token", "stronger")); // and the file need not exist
    assert_string_equal(fields.token, "stronger");
}

static void test_a_secret_is_given_once(void **state) {
    (void)state;
    write_file(secret, "s3cret", 0600);
    refuse("token = a\ntoken-file = b\n", ":2: token and token-file are both given: one of them must go.\n");
    setenv("T_TOKEN", "x", 1);
    setenv("CHORUS_TOKEN_FILE", secret, 1);
    refuse("", "T_TOKEN and CHORUS_TOKEN_FILE are both given: one of them must go.\n");
}

static void test_a_secret_that_cannot_be_read(void **state) {
    (void)state;
    char content[128];
    refuse("token-file = /nonexistent/s\n", ":1: token-file: /nonexistent/s cannot be read: No such file");
    snprintf(content, sizeof content, "token-file = %s\n", secret);
    write_file(secret, "\n", 0600);
    refuse(content, "is empty.\n");
    write_file(secret, "two\nlines\n", 0600);
    refuse(content, "more than one line.\n");
    assert_null(strstr(buf_string(&options.errors), "two"));
}

static void test_a_secret_that_all_may_read_is_warned_of(void **state) {
    (void)state;
    char content[128];
    snprintf(content, sizeof content, "token-file = %s\n", secret);
    write_file(secret, "s3cret", 0644);
    accept(content);
    assert_non_null(strstr(buf_string(&options.warnings), "all users of this machine may read"));
}

static void print_values(FILE *out) {
    options_print(&options, out);
}

static void test_values_are_printed_with_their_sources_and_without_secrets(void **state) {
    (void)state;
    setenv("T_PORT", "5", 1);
    accept("token = s3cret\nurl = redis://bob:s3cret@h/1\ndurable = yes\nbind = \"#1\"\n");
    const char *out = printed(print_values);
    assert_null(strstr(out, "s3cret"));
    assert_non_null(strstr(out, "\n#token = (secret) "));
    assert_non_null(strstr(out, "\n#url = redis://bob:(secret)@h/1 "));
    assert_non_null(strstr(out, "\nport = 5                                # environment T_PORT\n"));
    assert_non_null(strstr(out, "\nbind = \"#1\" "));
    char expected[128];
    snprintf(expected, sizeof expected, "# %s:3\n", path);
    assert_non_null(strstr(out, expected));
    static char copy[PRINTED_SIZE]; // it can be read as a file, apart from what is a comment in it
    snprintf(copy, sizeof copy, "%s", out);
    unsetenv("T_PORT");
    accept(copy);
    assert_int_equal(fields.port, 5);
    assert_string_equal(fields.bind, "#1");
    assert_true(fields.durable);
}

static void test_a_url_is_shown_without_its_password(void **state) {
    (void)state;
    static const char *const shown[][2] = {{"redis://h", "redis://h"},
                                           {"redis://:p@h", "redis://:(secret)@h"},
                                           {"redis://u:p@x@h:1/2", "redis://u:(secret)@h:1/2"},
                                           {"p@h", "(secret)@h"},
                                           {"u:p@h:1", "u:(secret)@h:1"}};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct buf out = {0};
        option_show(&rows[ROWS - 1], shown[i][0], &out);
        assert_string_equal(buf_string(&out), shown[i][1]);
        buf_release(&out);
    }
}

static void test_two_readings_are_compared_and_exchanged(void **state) {
    (void)state;
    struct options later;
    struct fields later_fields = {0};
    accept("port = 1\nbind = a\ndurable = yes\n");
    write_file(path, "port = 2\nbind = a\ndurable = true\n", 0600);
    assert_true(options_read_file(&later, &table, SERVE, path, &later_fields));
    const struct option_row *port = &rows[2], *bind = &rows[5], *durable = &rows[1];
    assert_false(options_agree(&options, &later, port));
    assert_true(options_agree(&options, &later, bind));
    assert_true(options_agree(&options, &later, durable));
    assert_true(options_agree(&options, &later, &rows[6])); // neither has it
    options_exchange(&options, &fields, &later, &later_fields, port);
    assert_int_equal(fields.port, 2);
    assert_int_equal(later_fields.port, 1);
    assert_string_equal(options_value(&options, AT(port))->text, "2");
    assert_true(fields.durable);
    options_release(&later);
    assert_string_equal(fields.bind, "a");
}

static int begin_all(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/chorus.conf", folder);
    snprintf(secret, sizeof secret, "%s/secret", folder);
    return 0;
}

static int end_all(void **state) {
    (void)state;
    options_release(&options);
    unlink(path);
    unlink(secret);
    return rmdir(folder);
}

#define CLEAN(test) cmocka_unit_test_setup(test, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        CLEAN(test_lines),
        CLEAN(test_comments_and_quotes),
        CLEAN(test_wrong_lines_do_not_stop_it),
        CLEAN(test_wrong_bytes),
        CLEAN(test_a_line_is_bounded),
        CLEAN(test_the_command_line_counts_before_the_environment_and_that_before_the_file),
        CLEAN(test_the_environment_names_a_file),
        CLEAN(test_one_file_serves_all_commands),
        CLEAN(test_what_is_wrong_is_refused_with_its_line),
        CLEAN(test_errors_begin_with_the_place_of_the_value),
        CLEAN(test_a_file_that_cannot_be_read),
        CLEAN(test_unknown_variables_warn_if_they_are_near),
        CLEAN(test_a_secret_from_a_file),
        CLEAN(test_a_secret_is_given_once),
        CLEAN(test_a_secret_that_cannot_be_read),
        CLEAN(test_a_secret_that_all_may_read_is_warned_of),
        CLEAN(test_values_are_printed_with_their_sources_and_without_secrets),
        CLEAN(test_a_url_is_shown_without_its_password),
        CLEAN(test_two_readings_are_compared_and_exchanged),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
