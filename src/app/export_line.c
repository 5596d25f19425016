#include "export_line.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

const char export_csv_head[] = "t,timestamp,id,userid,name,comment\r\n";

// A cell of RFC 4180. A spreadsheet would calculate what begins like a formula, and its author is a stranger:
// an apostrophe in front makes it a text there.
static void add_cell(struct buf *out, const char *text) {
    buf_add_string(out, strchr("=+-@\t\r", *text) && *text ? ",\"'" : ",\"");
    for (size_t len; *text; text += len) {
        len = strcspn(text, "\"");
        buf_add(out, text, len);
        if (text[len]) {
            buf_add_string(out, "\"\"");
            len++;
        }
    }
    buf_add_string(out, "\"");
}

static void add_row(struct buf *out, const json_t *comment) {
    static const char *const cells[] = {"timestamp", "id", "userid", "name", "comment"};
    buf_printf(out, "%lld", (long long)json_integer_value(json_object_get(comment, "t")));
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        const char *text = json_string_value(json_object_get(comment, cells[i]));
        add_cell(out, text ? text : "");
    }
    buf_add_string(out, "\r\n");
}

static enum export_kind kind_of(const char *type) {
    if (!type) return EXPORT_COMMENT;
    if (!strcmp(type, "gap")) return EXPORT_GAP;
    return strcmp(type, "retract") != 0 && strcmp(type, "purge") != 0 ? EXPORT_OTHER : EXPORT_DELETES;
}

bool export_line_read(struct export_line *line, const char *text, size_t len, enum export_format format,
                      struct buf *out) {
    json_t *json = json_loadb(text, len, 0, NULL);
    const char *id = json_string_value(json_object_get(json, "id"));
    const json_t *missed = json_object_get(json, "missed");
    const char *target = json_string_value(json_object_get(json, "target"));
    *line = (struct export_line){.kind = kind_of(json_string_value(json_object_get(json, "type"))),
                                 .missed = json_is_integer(missed) ? json_integer_value(missed) : -1};
    bool ok = line->kind == EXPORT_GAP ? missed != NULL : id && position_parse(id, strlen(id), &line->at);
    if (target) position_parse(target, strlen(target), &line->target);
    if (ok && format == EXPORT_NDJSON) {
        buf_add(out, text, len);
        buf_add_string(out, "\n");
    } else if (ok && line->kind == EXPORT_COMMENT) {
        add_row(out, json);
    }
    json_decref(json);
    return ok;
}
