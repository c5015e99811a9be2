/*
 * store_schema.c - the tables of the contacts store, for both databases
 *
 * SQLite reads SMALLINT and BIGINT as INTEGER, so one text makes the tables in
 * both; conf/schema-postgresql.sql has the same statements for an
 * administrator (tests/store/test_store.c compares). Columns of contact stand
 * widest first, so that PostgreSQL pads little. ASC is the default but for
 * YugabyteDB, where an index would be a hash without it.
 *
 * contact  one row per address. `key` is the address in lower case. `due` is
 *          when it is to be worked on; a lease is nothing but a later `due`
 *          and a name in `lease`, so the one partial index that finds work is
 *          as small as what is pending. known and times: store_merge.c.
 * held     observations that a person decides about.
 * merged   keys of observations that have been merged, so that a repetition
 *          does nothing.
 * event    soft bounces per address, status changes per sending domain.
 * sent     keyed hashes of the Message-IDs and recipients that left.
 * counter  numbers of rows, one part per host, so that hosts do not queue up
 *          for one row and nobody counts ten million contacts.
 */
#include "config.h"

#include "store/store_backend.h"

static const char *const contact_indexes[] = {
    "CREATE INDEX IF NOT EXISTS contact_due ON contact (due ASC) WHERE state = "
    "1",
    "CREATE INDEX IF NOT EXISTS contact_dead ON contact (since ASC) "
    "WHERE state = 2",
    NULL,
};
static const char *const held_indexes[] = {
    "CREATE INDEX IF NOT EXISTS held_key ON held (key ASC)",
    NULL,
};
static const char *const merged_indexes[] = {
    "CREATE INDEX IF NOT EXISTS merged_time ON merged (time ASC)",
    NULL,
};
static const char *const event_indexes[] = {
    "CREATE INDEX IF NOT EXISTS event_time ON event (time ASC)",
    NULL,
};
static const char *const sent_indexes[] = {
    "CREATE INDEX IF NOT EXISTS sent_time ON sent (time ASC)",
    NULL,
};
static const char *const no_indexes[] = { NULL };

const StoreTable store_tables[TABLE_COUNT] = {
    [TABLE_CONTACT] = {
        "contact",
        "CREATE TABLE IF NOT EXISTS contact ("
        " due BIGINT NOT NULL,"
        " claimed BIGINT NOT NULL,"
        " since BIGINT NOT NULL,"
        " first_seen BIGINT NOT NULL,"
        " last_mail BIGINT NOT NULL,"
        " status_at BIGINT NOT NULL,"
        " sms_at BIGINT NOT NULL,"
        " version BIGINT NOT NULL,"
        " attempts INTEGER NOT NULL,"
        " claims SMALLINT NOT NULL,"
        " state SMALLINT NOT NULL,"
        " want_fields SMALLINT NOT NULL,"
        " want_status SMALLINT NOT NULL,"
        " want_sms SMALLINT NOT NULL,"
        " suppress SMALLINT NOT NULL,"
        " status_done SMALLINT NOT NULL,"
        " sms_done SMALLINT NOT NULL,"
        " anonymised SMALLINT NOT NULL,"
        " key TEXT NOT NULL PRIMARY KEY,"
        " email TEXT,"
        " known TEXT,"
        " times TEXT,"
        " crm TEXT,"
        " refused TEXT,"
        " lease TEXT,"
        " reason TEXT,"
        " trust TEXT)",
        contact_indexes, 27, 1,
        { { "key", false }, { "due", true }, { "claimed", true },
          { "since", true }, { "first_seen", true }, { "last_mail", true },
          { "status_at", true }, { "sms_at", true }, { "version", true },
          { "attempts", true }, { "claims", true }, { "state", true },
          { "want_fields", true }, { "want_status", true },
          { "want_sms", true }, { "suppress", true },
          { "status_done", true }, { "sms_done", true },
          { "anonymised", true }, { "email", false }, { "known", false },
          { "times", false }, { "crm", false }, { "refused", false },
          { "lease", false }, { "reason", false }, { "trust", false } },
    },
    [TABLE_HELD] = {
        "held",
        "CREATE TABLE IF NOT EXISTS held ("
        " id BIGINT NOT NULL PRIMARY KEY,"
        " since BIGINT NOT NULL,"
        " want_status SMALLINT NOT NULL,"
        " want_sms SMALLINT NOT NULL,"
        " flags SMALLINT NOT NULL,"
        " key TEXT NOT NULL,"
        " merge_key TEXT,"
        " domain TEXT,"
        " reason TEXT,"
        " trust TEXT,"
        " observation TEXT NOT NULL)",
        held_indexes, 11, 1,
        { { "id", true }, { "since", true }, { "want_status", true },
          { "want_sms", true }, { "flags", true }, { "key", false },
          { "merge_key", false }, { "domain", false }, { "reason", false },
          { "trust", false }, { "observation", false } },
    },
    [TABLE_MERGED] = {
        "merged",
        "CREATE TABLE IF NOT EXISTS merged ("
        " key TEXT NOT NULL PRIMARY KEY,"
        " time BIGINT NOT NULL)",
        merged_indexes, 2, 1,
        { { "key", false }, { "time", true } },
    },
    [TABLE_EVENT] = {
        "event",
        "CREATE TABLE IF NOT EXISTS event ("
        " kind TEXT NOT NULL,"
        " subject TEXT NOT NULL,"
        " time BIGINT NOT NULL,"
        " key TEXT NOT NULL,"
        " PRIMARY KEY (kind, subject, time, key))",
        event_indexes, 4, 4,
        { { "kind", false }, { "subject", false }, { "time", true },
          { "key", false } },
    },
    [TABLE_SENT] = {
        "sent",
        "CREATE TABLE IF NOT EXISTS sent ("
        " message TEXT NOT NULL,"
        " recipient TEXT NOT NULL,"
        " time BIGINT NOT NULL,"
        " PRIMARY KEY (message, recipient))",
        sent_indexes, 3, 2,
        { { "message", false }, { "recipient", false }, { "time", true } },
    },
    [TABLE_STATE] = {
        "state",
        "CREATE TABLE IF NOT EXISTS state ("
        " name TEXT NOT NULL PRIMARY KEY,"
        " value TEXT NOT NULL)",
        no_indexes, 2, 1,
        { { "name", false }, { "value", false } },
    },
    [TABLE_COUNTER] = {
        "counter",
        "CREATE TABLE IF NOT EXISTS counter ("
        " name TEXT NOT NULL,"
        " host TEXT NOT NULL,"
        " n BIGINT NOT NULL,"
        " PRIMARY KEY (name, host))",
        no_indexes, 3, 2,
        { { "name", false }, { "host", false }, { "n", true } },
    },
};

char *
store_table_columns(const StoreTable *table)
{
    GString *list = g_string_new(table->columns[0].name);
    for (size_t i = 1; i < table->n_columns; i++)
        g_string_append_printf(list, ", %s", table->columns[i].name);
    return g_string_free(list, FALSE);
}

void
store_rows_init(StoreRows *rows)
{
    rows->width = 0;
    rows->rows = g_ptr_array_new();
}

void
store_rows_clear(StoreRows *rows)
{
    if (rows->rows == NULL)
        return;
    for (guint i = 0; i < rows->rows->len; i++) {
        StoreValues values = rows->rows->pdata[i];
        for (size_t k = 0; k < rows->width; k++)
            g_free(values[k]);
        g_free(values);
    }
    g_clear_pointer(&rows->rows, g_ptr_array_unref);
}

StoreValues
store_rows_add(StoreRows *rows, size_t width)
{
    g_assert(rows->rows->len == 0 || rows->width == width);
    rows->width = width;
    StoreValues values = g_new0(char *, width);
    g_ptr_array_add(rows->rows, values);
    return values;
}
