#include "board_history.h"

#include <math.h>
#include <string.h>

static const double WHOLE_MAX = 9007199254740992; // above, a double is no exact number of things

void board_history_add(struct board_history *h, int64_t at_ms, const double figures[BOARD_FIGURES]) {
    struct history_sample *s = &h->samples[h->next++ % HISTORY_SAMPLES];
    s->at_ms = at_ms;
    memcpy(s->figures, figures, sizeof s->figures);
}

json_t *board_number(double n) {
    if (isnan(n)) return json_null();
    double rounded = n < 1000 ? round(n * 100) / 100 : round(n);
    bool whole = rounded == floor(rounded) && fabs(rounded) <= WHOLE_MAX;
    return whole ? json_integer((json_int_t)rounded) : json_real(rounded);
}

json_t *board_history_show(const struct board_history *h) {
    json_t *fields = json_array(), *rows = json_array();
    json_array_append_new(fields, json_string("at"));
    for (int i = 0; i < BOARD_FIGURES; i++) json_array_append_new(fields, json_string(board_names[i]));
    for (uint64_t n = h->next > HISTORY_SAMPLES ? h->next - HISTORY_SAMPLES : 0; n < h->next; n++) {
        const struct history_sample *s = &h->samples[n % HISTORY_SAMPLES];
        json_t *row = json_array();
        json_array_append_new(row, json_integer(s->at_ms));
        for (int i = 0; i < BOARD_FIGURES; i++) json_array_append_new(row, board_number(s->figures[i]));
        json_array_append_new(rows, row);
    }
    return json_pack("{s:o, s:o}", "fields", fields, "rows", rows);
}
