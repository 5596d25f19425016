#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"

static const char *const levels[] = {"ok", "unknown", "warning", "fault"};

void doctor_add(struct doctor_report *r, const char *check, enum doctor_level level, const char *remedy,
                const char *format, ...) {
    va_list args;
    char text[1024];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->finding = mem_realloc(r->finding, (r->count + 1) * sizeof *r->finding);
    r->finding[r->count++] = (struct doctor_finding){.check = check,
                                                     .level = level,
                                                     .found = mem_strdup(text),
                                                     .remedy = remedy ? mem_strdup(remedy) : NULL};
}

enum doctor_level doctor_worst(const struct doctor_report *r) {
    enum doctor_level worst = DOCTOR_OK;
    for (size_t i = 0; i < r->count; i++)
        if (r->finding[i].level > worst) worst = r->finding[i].level;
    return worst;
}

static size_t count_of(const struct doctor_report *r, enum doctor_level level) {
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) count += r->finding[i].level == level;
    return count;
}

void doctor_text(const struct doctor_report *r, struct buf *out) {
    for (size_t i = 0; i < r->count; i++) {
        const struct doctor_finding *f = &r->finding[i];
        buf_printf(out, "%-8s %-14s %s\n", levels[f->level], f->check, f->found);
        if (f->remedy) buf_printf(out, "%-23s Remedy: %s\n", "", f->remedy);
    }
    size_t warnings = count_of(r, DOCTOR_WARNING), faults = count_of(r, DOCTOR_FAULT);
    buf_printf(out, "\n%zu ok, %zu unknown, %zu warning%s, %zu fault%s\n", count_of(r, DOCTOR_OK),
               count_of(r, DOCTOR_UNKNOWN), warnings, warnings == 1 ? "" : "s", faults,
               faults == 1 ? "" : "s");
}

// Paths in sentences need not be UTF-8; such a sentence is left out.
void doctor_json(const struct doctor_report *r, struct buf *out) {
    json_t *list = json_array();
    for (size_t i = 0; i < r->count; i++) {
        const struct doctor_finding *f = &r->finding[i];
        json_t *one = json_pack("{s:s, s:s}", "check", f->check, "level", levels[f->level]);
        json_object_set_new(one, "found", json_string(f->found));
        if (f->remedy) json_object_set_new(one, "remedy", json_string(f->remedy));
        json_array_append_new(list, one);
    }
    json_t *all = json_pack("{s:s, s:o}", "worst", levels[doctor_worst(r)], "findings", list);
    char *text = json_dumps(all, JSON_COMPACT);
    buf_printf(out, "%s\n", text);
    free(text);
    json_decref(all);
}

void doctor_report_release(struct doctor_report *r) {
    for (size_t i = 0; i < r->count; i++) {
        free(r->finding[i].found);
        free(r->finding[i].remedy);
    }
    free(r->finding);
}
