// chorus_watch: the simulation's viewers and writers against a real Chorus, and what the checker says.
//     chorus_watch SEED SECONDS http://127.0.0.1:3000[,API] http://127.0.0.1:4001[,READER]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "checker.h"
#include "crowd.h"

enum { AFTERWARDS_MS = 31000 };

static size_t split(char *list, const char *out[CROWD_PLACES]) {
    size_t count = 0;
    char *rest;
    for (char *at = strtok_r(list, ",", &rest); at && count < CROWD_PLACES; at = strtok_r(NULL, ",", &rest))
        out[count++] = at;
    return count;
}

static void print_journal(const struct journal *j) {
    for (size_t i = 0; i < j->count; i++) {
        struct buf b = {0};
        journal_write(&b, &j->events[i]);
        puts(buf_string(&b));
        buf_release(&b);
    }
}

int main(int argc, char **argv) {
    static struct verdict v;
    struct journal journal = {.now_us = clock_monotonic_us};
    struct crowd_config config = {
        .journal = &journal, .videos = 5, .viewers = 60, .writers = 6, .stay_ms = 3000};
    if (argc != 5) {
        fputs("usage: chorus_watch SEED SECONDS API[,API...] READER[,READER...]\n", stderr);
        return 2;
    }
    config.seed = strtoull(argv[1], NULL, 10);
    config.calm_ms = strtoll(argv[2], NULL, 10) * 1000;
    config.end_ms = config.calm_ms + AFTERWARDS_MS;
    config.comments = (unsigned)(config.calm_ms / 50);
    config.api_count = split(argv[3], config.apis);
    config.reader_count = split(argv[4], config.readers);
    int64_t calm_us = clock_monotonic_us() + config.calm_ms * 1000;
    int code = crowd_run(&config);
    struct journal all = {0};
    bool is_calm = false;
    for (size_t i = 0; i < journal.count; i++) {
        if (!is_calm && journal.events[i].at_us >= calm_us) {
            journal_add(&all, &(struct journal_event){.kind = JOURNAL_CALM, .at_us = calm_us});
            is_calm = true;
        }
        journal_add(&all, &journal.events[i]);
    }
    journal_add(&all, &(struct journal_event){.kind = JOURNAL_END, .at_us = clock_monotonic_us()});
    judge(&v, &all);
    print_journal(&all);
    for (size_t i = 0; i < v.count && i < FINDINGS_KEPT; i++)
        fprintf(stderr, "%s: %s\n", v.findings[i].code, v.findings[i].text);
    fprintf(
        stderr,
        "%zu comments, %zu acknowledged, %zu deliveries, %zu viewers, %zu streams, %zu reconnects, gaps %zu "
        "expired, %zu slow, %zu epoch, longest %zu us; %zu findings\n",
        v.comments, v.acknowledged, v.deliveries, v.viewers, v.streams, v.reconnects, v.gaps[0], v.gaps[1],
        v.gaps[2], v.longest_us, v.count);
    return code || v.count;
}
