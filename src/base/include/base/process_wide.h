// Marks a variable that belongs to the process as a whole rather than to an object. All of them are in one
// section, so that a simulation of several processes in one address space can give each its own.
#pragma once

#define PROCESS_WIDE __attribute__((section("process_wide")))
