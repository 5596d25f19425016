#include "exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/uthash.h"
#include "service/service.h"
#include "version.h"

const char exposition_type[] = "text/plain; version=0.0.4; charset=utf-8";

enum { LABELS_SIZE = 256 };

static void exposition_head(struct buf *b, const char *name, const char *kind, const char *help) {
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void exposition_value(struct buf *b, double value) {
    bool whole = value == floor(value) && fabs(value) < 1e15;
    buf_printf(b, whole ? " %.0f\n" : " %.15g\n", value);
}

// Writes NAME{labels,label}; both may be empty.
static void exposition_name(struct buf *b, const char *name, const char *suffix, const char *labels,
                            const char *label) {
    bool both = *labels && *label, any = *labels || *label;
    buf_printf(b, "%s%s%s%s%s%s%s", name, suffix, any ? "{" : "", labels, both ? "," : "", label,
               any ? "}" : "");
}

// Instance ids need no escaping.
static void write_labels(char labels[LABELS_SIZE], const struct metric *m, const struct service *s) {
    labels[0] = 0;
    if (!m->of_process)
        snprintf(labels, LABELS_SIZE, "role=\"%s\",part=\"%s\"", s->kind->role, s->instance_id);
}

static void exposition_histogram(struct buf *b, const struct metric *m, struct service *s,
                                 const char *labels) {
    struct metric_histogram h = {0};
    char bound[48];
    uint64_t sum = 0;
    m->read(s, &h);
    for (unsigned i = 0; i <= h.count; i++) {
        sum += h.within[i];
        if (i < h.count)
            snprintf(bound, sizeof bound, "le=\"%.15g\"", h.bounds[i]);
        else
            snprintf(bound, sizeof bound, "le=\"+Inf\"");
        exposition_name(b, m->name, "_bucket", labels, bound);
        buf_printf(b, " %" PRIu64 "\n", sum);
    }
    exposition_name(b, m->name, "_sum", labels, "");
    exposition_value(b, h.sum);
    exposition_name(b, m->name, "_count", labels, "");
    buf_printf(b, " %" PRIu64 "\n", sum);
}

static void exposition_series(struct buf *b, const struct metric *m, struct service *s) {
    char labels[LABELS_SIZE];
    write_labels(labels, m, s);
    if (m->kind == METRIC_HISTOGRAM) {
        exposition_histogram(b, m, s, labels);
        return;
    }
    exposition_name(b, m->name, "", labels, m->label ? m->label : "");
    exposition_value(b, m->get(s));
}

// Writes the series of a family that begins at `m`. Rows of the process are those of any part: of `first`.
static void exposition_family(struct buf *b, const struct metric *m, struct service *first,
                              const struct metric *table) {
    exposition_head(b, m->name, metric_kind_name(m->kind), m->help);
    for (struct service *s = first; s; s = s->next) {
        if (table && s->kind->metrics != table) continue;
        for (const struct metric *row = m; metric_is_of_family(m, row); row++) exposition_series(b, row, s);
        if (m->of_process) return;
    }
}

// `table`: only for parts whose table it is; NULL: for all.
static void exposition_table(struct buf *b, const struct metric *m, struct service *first,
                             const struct metric *table) {
    for (; m->name; m++) {
        if (!m->only_health) exposition_family(b, m, first, table);
        while (metric_is_of_family(m, m + 1)) m++;
    }
}

static void exposition_build(struct buf *b) {
    exposition_head(b, "chorus_build_info", "gauge", "The version of the program, as a label; always 1.");
    buf_printf(b, "chorus_build_info{version=\"%s\"} 1\n", CHORUS_VERSION);
}

// Whether an earlier part has the same table.
static bool is_written(const struct service *first, const struct service *s) {
    for (; first != s; first = first->next)
        if (first->kind->metrics == s->kind->metrics) return true;
    return false;
}

void exposition_write(struct buf *b, struct service_process *p) {
    struct service *s;
    DL_FOREACH(p->services, s) metrics_read(s);
    exposition_build(b);
    exposition_table(b, process_metrics, p->services, NULL);
    exposition_table(b, service_metrics, p->services, NULL);
    DL_FOREACH(p->services, s) {
        if (s->kind->metrics && !is_written(p->services, s))
            exposition_table(b, s->kind->metrics, s, s->kind->metrics);
    }
}
