// The parts of a ledger (ledger.h).
#pragma once

enum ledger_part {
    LEDGER_DUE,
    LEDGER_DELIVERED,
    LEDGER_SAMPLED,
    LEDGER_RETRACTED,
    LEDGER_SLOW,
    LEDGER_LOST,
    LEDGER_LEFT,
    LEDGER_PARTS
};
