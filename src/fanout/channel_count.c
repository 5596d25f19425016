#include "channel_core.h"
#include "fanout/counters.h"
#include "fanout/frame.h"
#include "fanout/ledger.h"

void channel_count_sent(struct channel *ch, const struct frame *f, uint32_t viewers) {
    if (!f->is_gap && !f->is_blank) {
        ch->delivered += viewers;
        return;
    }
    counter_add(&ch->ledger->counters->delivered, viewers);
    ledger_add(ch->ledger, f->is_gap ? LEDGER_LOST : LEDGER_RETRACTED, viewers);
}
