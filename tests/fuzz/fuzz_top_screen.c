// The dashboard of a server that is none: whatever it answers, a terminal gets lines of printable characters,
// no longer and no more than it has room for.
#include "base/buf.h"
#include "fuzz.h"
#include "top/screen.h"
#include "top/summary.h"

enum { COLUMNS_MOST = 120, ROWS_MOST = 40 };

static void check_lines(const struct buf *out, size_t columns_most, size_t rows_most) {
    size_t rows = 1, columns = 0;
    for (size_t i = 0; i < out->len; i++) {
        char c = out->data[i];
        assert(c == '\n' || (c >= ' ' && c <= '~'));
        columns = c == '\n' ? 0 : columns + 1;
        rows += c == '\n';
        assert(columns <= columns_most);
    }
    assert(rows <= rows_most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned columns = (unsigned)fuzz_number(data, &size, COLUMNS_MOST);
    unsigned rows = 1 + (unsigned)fuzz_number(data, &size, ROWS_MOST - 1);
    struct screen s = {0};
    struct buf out = {0};
    char *text = fuzz_bytes(data, size);
    screen_take(&s, text, size);
    screen_write(&s,
                 &(struct screen_look){
                     .columns = columns, .rows = rows, .line_end = "\n", .address = "a", .hint = "q quits"},
                 &out);
    check_lines(&out, columns, rows);
    buf_clear(&out);
    assert(summary_write(&s, columns, false, &out) <= columns);
    check_lines(&out, columns, 1);
    assert(screen_every_ms(&s) > 0);
    buf_release(&out);
    screen_release(&s);
    free(text);
    return 0;
}
