// SQLite is a shared library, whose calls of malloc() the linker does not lead to the simulation. So SQLite
// gets functions of ours: what it allocates belongs to the process that runs, counts against its limit, and
// is freed with it.
#pragma once

// Before SQLite is used, outside of processes: what SQLite allocates at its start is common to all.
void sqlite_memory_install(void);
