#include "app/metrics_main.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "archive/archive.h"
#include "comment/comment_api.h"
#include "manager/manager.h"
#include "reader/reader.h"
#include "service/metrics.h"
#include "statistics/statistics.h"

static const struct {
    const char *title;
    const struct metric *rows;
} groups[] = {{"Every process", process_metrics}, {"Every part", service_metrics},
              {"Comment APIs", comment_metrics},  {"Readers", reader_metrics},
              {"Managers", manager_metrics},      {"Statistics", statistics_metrics},
              {"Archives", archive_metrics}};

// The name of the label that the rows of a family differ in.
static void print_labels(const struct metric *m) {
    const char *after = m->of_process ? "" : "`role`, `part`";
    fputs(after, stdout);
    if (m->label) printf("%s`%.*s`", *after ? ", " : "", (int)strcspn(m->label, "="), m->label);
}

static void print_group(const char *title, const struct metric *m) {
    printf("\n**%s**\n\n| metric | type | labels | what it is |\n| --- | --- | --- | --- |\n", title);
    for (; m->name; m++) {
        if (!m->only_health) {
            printf("| `%s` | %s | ", m->name, metric_kind_name(m->kind));
            print_labels(m);
            printf(" | %s |\n", m->help);
        }
        while (metric_is_of_family(m, m + 1)) m++;
    }
}

int metrics_main(int argc, char **argv) {
    if (argc != 1 || strcmp(argv[0], "--markdown") != 0) {
        fputs("usage: chorus metrics --markdown\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) print_group(groups[i].title, groups[i].rows);
    return 0;
}
