// Private to app: a part of a process that listens on a port, as its role and the start-up box see it.
#pragma once

#include "app/settings.h"
#include "service/fields.h"

enum { SYSTEM_URL_SIZE = SETTINGS_URL_MAX + 1 };

struct system_part {
    char name[ID_MAX + 1];        // "manager", "reader-1"
    char instance_id[ID_MAX + 1]; // "manager-1", "reader-1"
    char url[SYSTEM_URL_SIZE];
    char public_url[SYSTEM_URL_SIZE]; // of a reader, for browsers; empty: the same
};
