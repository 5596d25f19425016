#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "base/options.h"
#include "printed.h"

enum { SERVE = 1, WATCH = 2 };

struct fields {
    bool durable;
    int64_t port, size, level, shift;
    const char *bind, *token;
};

#define AT(field) offsetof(struct fields, field)

static const struct option_row rows[] = {
    {"durable", "T_DURABLE", OPTION_BOOL, AT(durable), 0, 0, NULL, NULL, NULL, "writes through", SERVE},
    {"port", "T_PORT", OPTION_INT, AT(port), 0, 65535, "3000", "PORT", NULL, "where to listen", SERVE},
    {"port", "T_PORT", OPTION_INT, AT(port), 0, 65535, "4001", "PORT", NULL, "where to watch", WATCH},
    {"size", "T_SIZE", OPTION_BYTES, AT(size), 1000, INT64_C(5) << 30, "4k", "SIZE", NULL, "memory",
     SERVE | WATCH, OPTION_RELOADS},
    {"level", "T_LEVEL", OPTION_CHOICE, AT(level), 0, 0, "info", "LEVEL", "debug|info|warn", "what to log",
     SERVE},
    {"shift", NULL, OPTION_INT, AT(shift), -5, 5, "-5", NULL, NULL, "below zero", WATCH},
    {"bind", "T_BIND", OPTION_STRING, AT(bind), 0, 0, "127.0.0.1", "ADDR", NULL, "address", SERVE},
    {"token", "T_TOKEN", OPTION_STRING, AT(token), 0, 0, NULL, "SECRET", NULL, "who may", SERVE,
     OPTION_SECRET},
};
enum { ROWS = sizeof rows / sizeof *rows, ARGS_MAX = 8 };
static const struct option_table table = {rows, ROWS, (const char *const[]){"serve", "watch", NULL}};
static struct options read_options; // what parse_as() read

static struct fields fields;
static char error[256];

// Parses arguments given as one string, separated by single spaces.
static bool parse_as(unsigned command, const char *text) {
    static char copy[512]; // strings are borrowed from it
    char *argv[ARGS_MAX], *rest = copy;
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", text);
    while (*text && rest) {
        assert_true(argc < ARGS_MAX);
        argv[argc++] = strsep(&rest, " ");
    }
    memset(&fields, 0, sizeof fields);
    options_release(&read_options);
    bool ok = options_read(&read_options, &table, command, argc, argv, &fields);
    size_t len = strcspn(buf_string(&read_options.errors), "\n");
    snprintf(error, sizeof error, "%.*s", (int)len, read_options.errors.data);
    assert_int_equal(ok, !*error);
    return ok;
}

static void accept(const char *text) {
    if (!parse_as(SERVE, text)) fail_msg("%s: %s", text, error);
}

// Expects a refusal that names `culprit`, in one sentence.
static void refuse(const char *text, const char *culprit) {
    if (parse_as(SERVE, text)) fail_msg("accepted: %s", text);
    if (!strstr(error, culprit)) fail_msg("\"%s\" does not name \"%s\"", error, culprit);
    assert_non_null(strchr(".?", error[strlen(error) - 1]));
}

static int clear_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        char name[OPTION_NAME_SIZE];
        option_environment(&rows[i], name);
        unsetenv(name);
        if (rows[i].environment) unsetenv(rows[i].environment);
    }
    return 0;
}

static void test_defaults(void **state) {
    (void)state;
    accept("");
    assert_false(fields.durable);
    assert_int_equal(fields.port, 3000);
    assert_int_equal(fields.size, 4096);
    assert_int_equal(fields.level, 1);
    assert_int_equal(fields.shift, 0); // another command's
    assert_string_equal(fields.bind, "127.0.0.1");
    assert_null(fields.token);
}

static void test_a_command_may_have_its_own_default(void **state) {
    (void)state;
    assert_true(parse_as(WATCH, ""));
    assert_int_equal(fields.shift, -5);
    assert_int_equal(fields.port, 4001);
    assert_true(parse_as(WATCH, "--port 7"));
    assert_int_equal(fields.port, 7);
}

static void test_a_value_follows_a_space_or_an_equals_sign(void **state) {
    (void)state;
    accept("--port 1 --bind=::1 --level=warn --token a=b=c");
    assert_int_equal(fields.port, 1);
    assert_string_equal(fields.bind, "::1");
    assert_int_equal(fields.level, 2);
    assert_string_equal(fields.token, "a=b=c");
    accept("--token==");
    assert_string_equal(fields.token, "=");
}

static void test_the_last_of_a_repeated_option_counts(void **state) {
    (void)state;
    accept("--port 1 --port=2 --port 3");
    assert_int_equal(fields.port, 3);
    refuse("--port 1 --port x", "--port");
}

static void test_flags(void **state) {
    (void)state;
    accept("--durable --port 5");
    assert_true(fields.durable);
    assert_int_equal(fields.port, 5); // a flag takes no value of its own
    accept("--durable=true");
    assert_true(fields.durable);
    accept("--durable --durable=false");
    assert_false(fields.durable);
    accept("--durable=no");
    assert_false(fields.durable);
    accept("--durable=0");
    assert_false(fields.durable);
    accept("--durable=yes");
    assert_true(fields.durable);
    accept("--durable=1");
    assert_true(fields.durable);
    refuse("--durable=maybe", "--durable");
    refuse("--durable true", "true"); // what is no option is refused, not swallowed
}

static void test_numbers(void **state) {
    (void)state;
    accept("--port 0");
    assert_int_equal(fields.port, 0);
    accept("--port 65535");
    assert_int_equal(fields.port, 65535);
    static const char *const bad[] = {
        "65536", "-1", "x", "1x", "0x10", "1.5", "1k", "1e3", "--1", "99999999999999999999", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "--port=%s", bad[i]);
        refuse(text, "--port");
        if (*bad[i] != '1') assert_non_null(strstr(error, bad[i]));
    }
    refuse("--port=", "0 to 65535"); // says what would be right
}

static void test_numbers_below_zero(void **state) {
    (void)state;
    assert_true(parse_as(WATCH, "--shift -4"));
    assert_int_equal(fields.shift, -4);
    assert_false(parse_as(WATCH, "--shift -6"));
    assert_false(parse_as(WATCH, "--shift 6"));
    assert_true(parse_as(WATCH, "--shift=5"));
    assert_int_equal(fields.shift, 5);
}

static void test_sizes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"1000", 1000},
                {"1k", 1024},
                {"1K", 1024},
                {"3m", 3 << 20},
                {"3M", 3 << 20},
                {"5g", INT64_C(5) << 30},
                {"4G", 4LL << 30},
                {"5368709120", 5368709120},
                {"5242880k", 5368709120}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[64];
        snprintf(text, sizeof text, "--size=%s", good[i].text);
        accept(text);
        assert_int_equal(fields.size, good[i].bytes);
    }
    static const char *const bad[] = {
        "999",      "6g",  "5368709121",           "1t",  "1kb", "k", "1 k", "1.5k",
        "5242881k", "-1k", "9223372036854775807g", "-9g", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "--size=%s", bad[i]);
        refuse(text, "--size");
    }
}

// Found here: the range was compared before multiplying, with a lower end rounded down to whole units.
static void test_a_size_below_the_range_in_any_unit_is_refused(void **state) {
    (void)state;
    refuse("--size=0k", "--size");
    refuse("--size=0m", "--size");
    refuse("--size=0g", "--size");
}

static void test_choices(void **state) {
    (void)state;
    accept("--level debug");
    assert_int_equal(fields.level, 0);
    static const char *const bad[] = {"", "deb", "debugx", "Debug", "debug|info", "|", "warn|"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        snprintf(text, sizeof text, "--level=%s", bad[i]);
        refuse(text, "debug|info|warn");
    }
}

static void test_strings_are_never_empty(void **state) {
    (void)state;
    refuse("--bind=", "--bind");
    refuse("--bind ", "--bind"); // an empty argument
    accept("--bind 0.0.0.0");
    assert_string_equal(fields.bind, "0.0.0.0");
}

static void test_unknown_options_and_stray_words(void **state) {
    (void)state;
    refuse("--nothing", "--nothing");
    refuse("--nothing=1", "There is no option --nothing.");
    refuse("--prot 1", "There is no option --prot; did you mean --port?");
    refuse("--dura", "There is no option --dura; did you mean --durable?");
    refuse("--token-fil x", "There is no option --token-fil; did you mean --token-file?");
    refuse("--por 1", "--por");
    refuse("--portx 1", "--portx");
    refuse("port 1", "port");
    refuse("-port 1", "-port");
    refuse("-", "-");
    refuse("--", "--");
    refuse("--=1", "--");
    refuse("--shift 1", "There is no option --shift here: it is one of watch.");
}

static void test_a_missing_value(void **state) {
    (void)state;
    refuse("--port", "--port needs a value.");
    refuse("--bind 127.0.0.1 --token", "--token needs a value.");
}

static void test_environment(void **state) {
    (void)state;
    setenv("T_PORT", "4000", 1);
    setenv("T_DURABLE", "yes", 1);
    setenv("T_SIZE", "2m", 1);
    setenv("T_LEVEL", "warn", 1);
    setenv("T_BIND", "10.0.0.1", 1);
    setenv("T_TOKEN", "secret", 1);
    accept("");
    assert_int_equal(fields.port, 4000);
    assert_true(fields.durable);
    assert_int_equal(fields.size, 2 << 20);
    assert_int_equal(fields.level, 2);
    assert_string_equal(fields.bind, "10.0.0.1");
    assert_string_equal(fields.token, "secret");
    accept("--port 5000 --durable=false"); // arguments win
    assert_int_equal(fields.port, 5000);
    assert_false(fields.durable);
}

static void test_an_empty_variable_is_ignored(void **state) {
    (void)state;
    setenv("T_PORT", "", 1);
    setenv("T_BIND", "", 1);
    setenv("T_DURABLE", "", 1);
    accept("");
    assert_int_equal(fields.port, 3000);
    assert_string_equal(fields.bind, "127.0.0.1");
    assert_false(fields.durable);
}

static void test_a_bad_variable_is_named(void **state) {
    (void)state;
    setenv("T_PORT", "many", 1);
    refuse("", "T_PORT is \"many\"");
    refuse("--port 1", "T_PORT"); // also where an argument would win: better said than hidden
    unsetenv("T_PORT");
    setenv("T_LEVEL", "loud", 1);
    assert_true(parse_as(WATCH, "")); // but not where the option does not exist
}

static void test_every_option_has_a_name_in_the_environment(void **state) {
    (void)state;
    char name[OPTION_NAME_SIZE];
    option_environment(&(struct option_row){.flag = "log-level"}, name);
    assert_string_equal(name, "CHORUS_LOG_LEVEL");
    setenv("CHORUS_SHIFT", "3", 1);
    assert_true(parse_as(WATCH, ""));
    assert_int_equal(fields.shift, 3);
    setenv("CHORUS_PORT", "1", 1);
    setenv("T_PORT", "2", 1);
    accept("");
    assert_int_equal(fields.port, 1); // of two names Chorus's own counts
    setenv("CHORUS_PORT", "many", 1);
    refuse("", "CHORUS_PORT is \"many\"");
}

static void test_what_kubernetes_sets_for_a_service_is_no_port(void **state) {
    (void)state;
    setenv("CHORUS_PORT", "tcp://10.0.0.1:3000", 1);
    accept("");
    assert_int_equal(fields.port, 3000);
    setenv("T_PORT", "4000", 1);
    accept("");
    assert_int_equal(fields.port, 4000);
    setenv("CHORUS_BIND", "tcp://10.0.0.1:3000", 1); // a string may be anything
    accept("");
    assert_string_equal(fields.bind, "tcp://10.0.0.1:3000");
}

static void print_help(FILE *out) {
    options_help(&table, SERVE, out);
}

static void print_markdown(FILE *out) {
    options_markdown(&table, out);
}

static void test_help_shows_a_commands_options(void **state) {
    (void)state;
    const char *text = printed(print_help);
    assert_non_null(strstr(text, "  --durable "));
    assert_non_null(strstr(text, "  --port PORT "));
    assert_non_null(strstr(text, "where to listen (default 3000) [T_PORT]\n"));
    assert_non_null(strstr(text, "who may [T_TOKEN]\n")); // no default
    assert_non_null(
        strstr(text, "\nEach can be set in the environment too: --an-option as CHORUS_AN_OPTION"));
    assert_null(strstr(text, "--shift"));
}

static void test_markdown_has_a_row_for_every_option(void **state) {
    (void)state;
    const char *text = printed(print_markdown);
    static const char head[] =
        "| option | environment | default | what it does | SIGHUP | commands |\n| --- | --- | --- | --- | --- | --- |\n";
    assert_memory_equal(text, head, sizeof head - 1);
    assert_non_null(
        strstr(text, "\n| `--durable` | `CHORUS_DURABLE`, `T_DURABLE` |  | writes through |  | serve |\n"));
    assert_non_null(
        strstr(text, "\n| `--port PORT` | `CHORUS_PORT`, `T_PORT` | 3000 | where to listen |  | serve |\n"));
    assert_non_null(
        strstr(text, "| `--size SIZE` | `CHORUS_SIZE`, `T_SIZE` | 4k | memory | yes | serve, watch |\n"));
    assert_non_null(strstr(text, "\n| `--shift N` | `CHORUS_SHIFT` | -5 | below zero |  | watch |\n"));
    assert_non_null(strstr(
        text,
        "\n| `--token SECRET` | `CHORUS_TOKEN`, `T_TOKEN`, `CHORUS_TOKEN_FILE` |  | who may |  | serve |\n"));
}

// The program's own table.

static void print_all(FILE *out) {
    options_markdown(&settings_table, out);
}

static void test_the_programs_table_prints_six_columns_each(void **state) {
    (void)state;
    size_t lines = 0;
    for (const char *at = printed(print_all), *end; *at; at = end + 1, lines++) {
        end = strchr(at, '\n');
        assert_non_null(end);
        size_t bars = 0;
        for (const char *c = at; c < end; c++) bars += *c == '|';
        assert_int_equal(bars, 7); // a bar inside a text would add a column
    }
    assert_int_equal(lines, settings_table.count + 2);
}

static bool is_word(const char *text, const char *bytes) {
    return *text && strspn(text, bytes) == strlen(text);
}

static void test_the_programs_rows_are_in_order(void **state) {
    (void)state;
    for (size_t i = 0; i < settings_table.count; i++) {
        const struct option_row *row = &settings_table.rows[i];
        assert_true(is_word(row->flag, "abcdefghijklmnopqrstuvwxyz-"));
        if (row->environment) assert_true(is_word(row->environment, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"));
        assert_true(strlen("CHORUS_") + strlen(row->flag) + strlen("_FILE") < OPTION_NAME_SIZE);
        assert_true(row->commands != 0 && row->help && *row->help);
        assert_int_equal(row->type == OPTION_CHOICE, row->choices != NULL);
        if (row->type == OPTION_INT || row->type == OPTION_BYTES) {
            assert_true(row->min < row->max);
            assert_non_null(row->fallback);
        }
        for (size_t j = 0; j < i; j++) {
            // One variable, or line of a file, that commands share means the same kind of thing to each.
            if (!strcmp(row->flag, settings_table.rows[j].flag))
                assert_int_equal(row->type, settings_table.rows[j].type);
            if (!(row->commands & settings_table.rows[j].commands)) continue;
            if (row->also) assert_string_not_equal(row->also, settings_table.rows[j].flag);
            if (settings_table.rows[j].also) assert_string_not_equal(settings_table.rows[j].also, row->flag);
            assert_string_not_equal(row->flag, settings_table.rows[j].flag);
            assert_int_not_equal(row->offset, settings_table.rows[j].offset); // two rows, two fields
        }
    }
}

static bool parse_settings(struct settings *s, unsigned command, int argc, char *const *argv) {
    memset(s, 0xee, sizeof *s);
    options_release(&read_options);
    return options_read(&read_options, &settings_table, command, argc, argv, s);
}

static void test_the_other_flag_is_one_of_the_command_line_only(void **state) {
    (void)state;
    struct settings s;
    char with_space[] = "--json", file[] = "figures.json", with_equals[] = "--json=figures.json";
    char *two[] = {with_space, file}, *one[] = {with_equals};
    assert_true(parse_settings(&s, COMMAND_BENCH, 2, two));
    assert_string_equal(s.bench.json, "figures.json");
    assert_true(parse_settings(&s, COMMAND_BENCH, 1, one));
    assert_string_equal(s.bench.json, "figures.json");
    assert_false(parse_settings(&s, COMMAND_CANARY, 1, one)); // where --json takes no value
    setenv("CHORUS_JSON", "1", 1);
    s.bench.json = NULL;
    options_release(&read_options);
    assert_true(options_read(&read_options, &settings_table, COMMAND_BENCH, 0, NULL, &s));
    assert_null(s.bench.json);
    setenv("CHORUS_JSON_FILE", "figures.json", 1);
    assert_true(parse_settings(&s, COMMAND_BENCH, 0, NULL));
    assert_string_equal(s.bench.json, "figures.json");
    assert_true(parse_settings(&s, COMMAND_CANARY, 0, NULL));
    assert_true(s.canary.json);
    unsetenv("CHORUS_JSON");
    unsetenv("CHORUS_JSON_FILE");
}

static void test_the_programs_defaults(void **state) {
    (void)state;
    for (size_t i = 0; i < settings_table.count; i++)
        if (settings_table.rows[i].environment) unsetenv(settings_table.rows[i].environment);
    struct settings s;
    memset(&s, 0, sizeof s);
    s.log_level =
        LOG_LEVEL_NOT_GIVEN; // and left so for `up`, which has no level before it knows its terminal
    options_release(&read_options);
    assert_true(options_read(&read_options, &settings_table, COMMAND_UP, 0, NULL, &s));
    assert_string_equal(s.bind, "127.0.0.1");
    assert_string_equal(s.data, "./chorus-data");
    assert_int_equal(s.manager_port, 6000);
    assert_int_equal(s.comment_port, 3000);
    assert_int_equal(s.statistics_port, 5000);
    assert_string_equal(s.reader_ports, "4001");
    assert_int_equal(s.readers, 3);
    assert_int_equal(s.workers, 0);
    assert_int_equal(s.heartbeat_ms, 15000);
    assert_int_equal(s.stall_timeout_ms, 30000);
    assert_int_equal(s.unsubscribe_ms, 30000);
    assert_int_equal(s.header_timeout_ms, 10000);
    assert_int_equal(s.body_timeout_ms, 30000);
    assert_int_equal(s.statistics_interval_ms, 5000);
    assert_int_equal(s.log_entries, 1000);
    assert_int_equal(s.log_age_ms, 3600000);
    assert_int_equal(s.max_videos, 1000000);
    assert_int_equal(s.user_rate, 0);
    assert_int_equal(s.log_level, LOG_LEVEL_NOT_GIVEN);
    assert_false(s.durable);
    assert_null(s.internal_token);
    options_release(&read_options);
    assert_true(options_read(&read_options, &settings_table, COMMAND_READER, 0, NULL, &s));
    assert_int_equal(s.log_level, 1);
}

// Every number at both ends of its range, and one beyond: what is cast to int later must fit.
static void test_the_programs_ranges_hold(void **state) {
    (void)state;
    struct settings s;
    for (size_t i = 0; i < settings_table.count; i++) {
        const struct option_row *row = &settings_table.rows[i];
        if (row->type != OPTION_INT && row->type != OPTION_BYTES) continue;
        const int64_t values[] = {row->min, row->max, row->min - 1, row->max + 1};
        for (int v = 0; v < 4; v++) {
            char text[128], *argv[] = {text};
            snprintf(text, sizeof text, "--%s=%lld", row->flag, (long long)values[v]);
            assert_int_equal(parse_settings(&s, row->commands & -row->commands, 1, argv), v < 2);
            if (v < 2) assert_int_equal(*(int64_t *)(void *)((char *)&s + row->offset), values[v]);
        }
    }
    char zero[] = "--memory=0m", *argv[] = {zero};
    assert_false(parse_settings(&s, COMMAND_UP, 1, argv));
}

#define CLEAN(test) cmocka_unit_test_setup(test, clear_environment)

static int release_options(void **state) {
    (void)state;
    options_release(&read_options);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLEAN(test_defaults),
        CLEAN(test_a_command_may_have_its_own_default),
        CLEAN(test_a_value_follows_a_space_or_an_equals_sign),
        CLEAN(test_the_last_of_a_repeated_option_counts),
        CLEAN(test_flags),
        CLEAN(test_numbers),
        CLEAN(test_numbers_below_zero),
        CLEAN(test_sizes),
        CLEAN(test_a_size_below_the_range_in_any_unit_is_refused),
        CLEAN(test_choices),
        CLEAN(test_strings_are_never_empty),
        CLEAN(test_unknown_options_and_stray_words),
        CLEAN(test_a_missing_value),
        CLEAN(test_environment),
        CLEAN(test_an_empty_variable_is_ignored),
        CLEAN(test_a_bad_variable_is_named),
        CLEAN(test_every_option_has_a_name_in_the_environment),
        CLEAN(test_what_kubernetes_sets_for_a_service_is_no_port),
        CLEAN(test_help_shows_a_commands_options),
        CLEAN(test_markdown_has_a_row_for_every_option),
        CLEAN(test_the_programs_table_prints_six_columns_each),
        CLEAN(test_the_programs_rows_are_in_order),
        CLEAN(test_the_other_flag_is_one_of_the_command_line_only),
        CLEAN(test_the_programs_defaults),
        CLEAN(test_the_programs_ranges_hold),
    };
    return cmocka_run_group_tests(tests, NULL, release_options);
}
