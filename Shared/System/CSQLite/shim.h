#pragma once
#include <sqlite3.h>

// Takes variable arguments, which Swift cannot pass.
static inline int glance_sqlite3_config_memstatus(int is_on) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, is_on); }
