/*
 * store_merge.c - see store_merge.h
 *
 * Fields. Each field has the time of the mail that it came from (column
 * `times`: a JSON object, "" for most of them, the others by name), so that
 * mails may be merged in any order with the same result: the later one wins.
 * One exception keeps good values: a field below STORE_SURE never replaces one
 * above it (a name guessed from the local-part does not replace the signed
 * one). Both are one total order (sure, time); of equal ones the last to
 * arrive wins.
 * - A name is one value: a lone given name does not replace half of a full
 *   name, or two people who share a mailbox would make a third.
 * - Phones are one value per type and links one per host: a mail that has a
 *   mobile number replaces the mobile numbers and leaves the others.
 * - A field that is missing erases nothing.
 * A mail that changes no value only makes last_mail and the times later; that
 * is written once in STORE_REFRESH_S at most, so the hundredth mail of a
 * person costs a read and no write.
 *
 * Statuses. 2 > 3 > 1 among what is wanted. What the CRM was already told is
 * remembered (status_done), and the same wish is not repeated for a while: a
 * mailbox that bounces a hundred times is one change. The memory ends after
 * REPEAT_*, because people change statuses in the CRM, and when the contact
 * gets another CRM id.
 */
#include "config.h"

#include "store/store_merge.h"

#include "store/observation_json.h"

#include <jansson.h>
#include <string.h>

#define STORE_SURE 0.7 /* default of min_confidence */

enum {
    DAY_S = 86400,
    REPEAT_UNSUBSCRIBE_S = 0, /* who asks again is looked up again: a person may
                                 have subscribed them meanwhile */
    REPEAT_BOUNCE_S = 7 * DAY_S,
    REPEAT_BOUNCE_AFTER_OPT_OUT_S = 30 * DAY_S,
    PHONES_MAX = 20,
    LINKS_MAX = 20,
    EVIDENCE_MAX = 200,
    REASON_MAX = 500,
};

/* --- rows and columns ---------------------------------------------------- */

typedef struct {
    bool is_int;
    size_t offset;
} Member;

#define INT(name) \
    { \
        true, offsetof(StoreRow, name) \
    }
#define TEXT(name) \
    { \
        false, offsetof(StoreRow, name) \
    }
static const Member members[] = {
    TEXT(key),        INT(due),         INT(claimed),    INT(since),
    INT(first_seen),  INT(last_mail),   INT(status_at),  INT(sms_at),
    INT(version),     INT(attempts),    INT(claims),     INT(state),
    INT(want_fields), INT(want_status), INT(want_sms),   INT(suppress),
    INT(status_done), INT(sms_done),    INT(anonymised), TEXT(email),
    TEXT(known),      TEXT(times),      TEXT(crm),       TEXT(refused),
    TEXT(lease),      TEXT(reason),     TEXT(trust),
};

static int64_t *
int_member(StoreRow *row, const Member *member)
{
    return (int64_t *) (void *) ((char *) row + member->offset);
}

static char **
text_member(StoreRow *row, const Member *member)
{
    return (char **) (void *) ((char *) row + member->offset);
}

StoreRow *
store_row_new(const char *key)
{
    StoreRow *row = g_new0(StoreRow, 1);
    row->key = g_strdup(key);
    row->is_new = true;
    return row;
}

void
store_row_free(void *data)
{
    StoreRow *row = data;
    if (row == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (!members[i].is_int)
            g_free(*text_member(row, &members[i]));
    }
    g_free(row);
}

StoreRow *
store_row_from_values(const StoreValues values)
{
    StoreRow *row = g_new0(StoreRow, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (!members[i].is_int)
            *text_member(row, &members[i]) = g_strdup(values[i]);
        else if (values[i] != NULL)
            *int_member(row, &members[i]) =
                g_ascii_strtoll(values[i], NULL, 10);
    }
    return row;
}

void
store_row_to_values(const StoreRow *row, StoreValues out_values)
{
    G_STATIC_ASSERT(G_N_ELEMENTS(members) <= 32);
    StoreRow *source = (StoreRow *) row; /* only read */
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        out_values[i] =
            members[i].is_int
                ? g_strdup_printf("%" G_GINT64_FORMAT,
                                  (gint64) *int_member(source, &members[i]))
                : g_strdup(*text_member(source, &members[i]));
}

char *
store_key(const char *email)
{
    if (email == NULL || *email == '\0' || strlen(email) > STORE_KEY_MAX)
        return NULL;
    g_autofree char *valid = g_utf8_make_valid(email, -1);
    return g_utf8_strdown(valid, -1);
}

static void
set(char **member, const char *value)
{
    if (*member != value) {
        g_free(*member);
        *member = g_strdup(value);
    }
}

/* Text for a column: valid UTF-8 and not longer than `max` bytes. */
static void
set_text(char **member, const char *value, size_t max)
{
    g_free(*member);
    *member = NULL;
    if (value == NULL)
        return;
    size_t len = strlen(value);
    if (len > max) {
        const char *end = value + max;
        while (end > value && ((unsigned char) *end & 0xc0) == 0x80)
            end--;
        len = (size_t) (end - value);
    }
    *member = g_utf8_make_valid(value, (gssize) len);
}

/* --- JSON of small things ------------------------------------------------ */

static char *
dump(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    char *copy = g_strdup(text);
    free(text);
    json_decref(value);
    return copy;
}

static json_t *
load(const char *text)
{
    return text != NULL ? json_loads(text, 0, NULL) : NULL;
}

static json_t *
string_value(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string_nocheck(valid);
}

static char *
table_to_json(GHashTable *table)
{
    if (table == NULL || g_hash_table_size(table) == 0)
        return NULL;
    json_t *object = json_object();
    GHashTableIter iter;
    void *name, *value;
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        g_autofree char *valid = g_utf8_make_valid(name, -1);
        json_object_set_new_nocheck(
            object, valid, value != NULL ? string_value(value) : json_null());
    }
    return dump(object);
}

static GHashTable *
table_from(json_t *object)
{
    GHashTable *table =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        g_hash_table_insert(table, g_strdup(name),
                            g_strdup(json_string_value(value)));
    }
    return table;
}

static char *
crm_to_json(const GPtrArray *crm)
{
    if (crm == NULL || crm->len == 0)
        return NULL;
    json_t *array = json_array();
    for (guint i = 0; i < crm->len; i++) {
        const CrmContact *contact = crm->pdata[i];
        json_t *item = json_object();
        json_object_set_new_nocheck(item, "id", json_integer(contact->id));
        if (contact->status_set != 0)
            json_object_set_new_nocheck(item, "s",
                                        json_integer(contact->status_set));
        g_autofree char *wrote = table_to_json(contact->wrote);
        if (wrote != NULL)
            json_object_set_new_nocheck(item, "w", load(wrote));
        json_array_append_new(array, item);
    }
    return dump(array);
}

static GPtrArray *
crm_from_json(const char *text)
{
    GPtrArray *crm =
        g_ptr_array_new_with_free_func((GDestroyNotify) crm_contact_free);
    json_t *array = load(text);
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        CrmContact *contact =
            crm_contact_new(json_integer_value(json_object_get(item, "id")));
        contact->status_set = json_integer_value(json_object_get(item, "s"));
        g_hash_table_unref(contact->wrote);
        contact->wrote = table_from(json_object_get(item, "w"));
        g_ptr_array_add(crm, contact);
    }
    json_decref(array);
    return crm;
}

/* --- times of fields ----------------------------------------------------- */

typedef struct {
    int64_t common;  /* of every field that is not in `own` */
    GHashTable *own; /* name -> int64_t* */
} Times;

static void
times_load(Times *times, const char *text)
{
    times->common = 0;
    times->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    json_t *object = load(text);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        int64_t time = json_integer_value(value);
        if (*name == '\0')
            times->common = time;
        else
            g_hash_table_insert(times->own, g_strdup(name),
                                g_memdup2(&time, sizeof time));
    }
    json_decref(object);
}

static char *
times_dump(Times *times)
{
    json_t *object = json_object();
    json_object_set_new_nocheck(object, "", json_integer(times->common));
    GHashTableIter iter;
    void *name, *value;
    g_hash_table_iter_init(&iter, times->own);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        int64_t time = *(int64_t *) value;
        if (time != times->common)
            json_object_set_new_nocheck(object, name, json_integer(time));
    }
    return dump(object);
}

static int64_t
times_get(const Times *times, const char *name)
{
    const int64_t *time = g_hash_table_lookup(times->own, name);
    return time != NULL ? *time : times->common;
}

static void
times_set(Times *times, const char *name, int64_t time)
{
    g_hash_table_insert(times->own, g_strdup(name),
                        g_memdup2(&time, sizeof time));
}

/* --- merging fields ------------------------------------------------------ */

typedef struct {
    Contact *known;
    const Contact *mail;
    Times times;
    int64_t time; /* of the mail */
    bool changed; /* the CRM may want to know */
} Merge;

static bool
has(const Field *field)
{
    return field->value != NULL && *field->value != '\0';
}

static bool
sure(const Field *field)
{
    return field->confidence >= STORE_SURE;
}

static bool
same_text(const char *a, const char *b)
{
    return g_strcmp0(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* Does (theirs_sure, time) overrule (mine_sure, name's time)? */
static bool
overrules(const Merge *merge, const char *name, bool theirs_sure,
          bool mine_sure)
{
    if (theirs_sure != mine_sure)
        return theirs_sure;
    return merge->time >= times_get(&merge->times, name);
}

static void
field_copy(Field *to, const Field *from)
{
    field_clear(to);
    set_text(&to->value, from->value, SIZE_MAX);
    set_text(&to->evidence, from->evidence, EVIDENCE_MAX);
    to->confidence = from->confidence;
}

/* The same value again: the surer word and the later time stay. */
static void
field_again(Merge *merge, const char *name, Field *mine, const Field *theirs)
{
    bool was_sure = sure(mine);
    if (theirs->confidence > mine->confidence) {
        mine->confidence = theirs->confidence;
        set_text(&mine->evidence, theirs->evidence, EVIDENCE_MAX);
    }
    merge->changed = merge->changed || (!was_sure && sure(mine));
    if (merge->time > times_get(&merge->times, name))
        times_set(&merge->times, name, merge->time);
}

static void
merge_field(Merge *merge, const char *name, Field *mine, const Field *theirs)
{
    if (!has(theirs))
        return;
    if (has(mine) && same_text(mine->value, theirs->value)) {
        field_again(merge, name, mine, theirs);
    } else if (!has(mine) || overrules(merge, name, sure(theirs), sure(mine))) {
        field_copy(mine, theirs);
        times_set(&merge->times, name, merge->time);
        merge->changed = true;
    }
}

static void
merge_name(Merge *merge)
{
    Field *first = &merge->known->first_name;
    Field *last = &merge->known->last_name;
    const Field *new_first = &merge->mail->first_name;
    const Field *new_last = &merge->mail->last_name;
    bool full = has(first) && has(last);
    bool new_full = has(new_first) && has(new_last);

    if (full && !new_full) {
        /* Half a name: good for nothing but to confirm its half. */
        if (has(new_first) && same_text(first->value, new_first->value))
            field_again(merge, "first_name", first, new_first);
        if (has(new_last) && same_text(last->value, new_last->value))
            field_again(merge, "last_name", last, new_last);
        return;
    }
    if (full && new_full) {
        bool same = same_text(first->value, new_first->value) &&
                    same_text(last->value, new_last->value);
        bool wins =
            overrules(merge, "first_name", sure(new_first) && sure(new_last),
                      sure(first) && sure(last));
        if (!same && !wins)
            return;
        if (!same) {
            /* Both halves, whatever the order of each alone. */
            for (int i = 0; i < 2; i++) {
                Field *mine = i == 0 ? first : last;
                const Field *theirs = i == 0 ? new_first : new_last;
                field_copy(mine, theirs);
                times_set(&merge->times, i == 0 ? "first_name" : "last_name",
                          merge->time);
            }
            merge->changed = true;
            return;
        }
    } else if (new_full && (has(first) || has(last))) {
        /* A full name replaces half of one, unless it is only guessed and
         * does not fit. */
        bool fits = has(first) ? same_text(first->value, new_first->value)
                               : same_text(last->value, new_last->value);
        bool guessed = !sure(new_first) || !sure(new_last);
        bool known_sure = has(first) ? sure(first) : sure(last);
        if (!fits && guessed && known_sure)
            return;
        if (!fits) {
            field_clear(first);
            field_clear(last);
        }
    }
    merge_field(merge, "first_name", first, new_first);
    merge_field(merge, "last_name", last, new_last);
}

static char **
address_part(AddressParts *parts, size_t i)
{
    char **const all[] = { &parts->line1,       &parts->line2,  &parts->line3,
                           &parts->line4,       &parts->city,   &parts->state,
                           &parts->postal_code, &parts->country };
    return i < G_N_ELEMENTS(all) ? all[i] : NULL;
}

static void
merge_address(Merge *merge)
{
    Field *mine = &merge->known->address;
    const Field *theirs = &merge->mail->address;
    AddressParts *parts = &merge->known->address_parts;
    AddressParts *new_parts = (AddressParts *) &merge->mail->address_parts;

    if (!has(theirs))
        return;
    bool same = same_text(mine->value, theirs->value);
    for (size_t i = 0; same && address_part(parts, i) != NULL; i++)
        same = same_text(*address_part(parts, i), *address_part(new_parts, i));
    if (has(mine) && same) {
        field_again(merge, "address", mine, theirs);
        return;
    }
    if (has(mine) && !overrules(merge, "address", sure(theirs), sure(mine)))
        return;
    field_copy(mine, theirs);
    for (size_t i = 0; address_part(parts, i) != NULL; i++)
        set_text(address_part(parts, i), *address_part(new_parts, i), SIZE_MAX);
    times_set(&merge->times, "address", merge->time);
    merge->changed = true;
}

static bool
same_phone(const Phone *a, const Phone *b)
{
    return same_text(a->number.value, b->number.value) &&
           same_text(a->extension, b->extension);
}

static void
phone_remove(GArray *phones, guint i)
{
    Phone *phone = &g_array_index(phones, Phone, i);
    field_clear(&phone->number);
    g_clear_pointer(&phone->extension, g_free);
    g_array_remove_index(phones, i);
}

static void
merge_phones_of_type(Merge *merge, PhoneType type)
{
    GArray *mine = merge->known->phones;
    const GArray *theirs = merge->mail->phones;
    g_autofree char *name = g_strdup_printf("phone.%d", (int) type);
    guint n_mine = 0, n_theirs = 0, n_same = 0;
    bool mine_sure = false, theirs_sure = false;

    for (guint i = 0; i < mine->len; i++) {
        const Phone *phone = &g_array_index(mine, Phone, i);
        n_mine += phone->type == type;
        mine_sure = mine_sure || (phone->type == type && sure(&phone->number));
    }
    for (guint k = 0; k < theirs->len; k++) {
        const Phone *phone = &g_array_index(theirs, Phone, k);
        if (phone->type != type || !has(&phone->number))
            continue;
        n_theirs++;
        theirs_sure = theirs_sure || sure(&phone->number);
        for (guint i = 0; i < mine->len; i++) {
            const Phone *old = &g_array_index(mine, Phone, i);
            if (old->type == type && same_phone(old, phone)) {
                n_same++;
                break;
            }
        }
    }
    if (n_theirs == 0)
        return;
    if (n_same == n_theirs && n_same == n_mine) {
        for (guint i = 0; i < mine->len; i++) {
            Phone *old = &g_array_index(mine, Phone, i);
            for (guint k = 0; old->type == type && k < theirs->len; k++) {
                const Phone *phone = &g_array_index(theirs, Phone, k);
                if (phone->type == type && same_phone(old, phone))
                    field_again(merge, name, &old->number, &phone->number);
            }
        }
        return;
    }
    if (n_mine > 0 && !overrules(merge, name, theirs_sure, mine_sure))
        return;

    /* Out with this type's old numbers, and with the new ones where they
     * stood under another type. */
    for (guint i = mine->len; i-- > 0;) {
        const Phone *old = &g_array_index(mine, Phone, i);
        bool goes = old->type == type;
        for (guint k = 0; !goes && k < theirs->len; k++) {
            const Phone *phone = &g_array_index(theirs, Phone, k);
            goes = phone->type == type && same_phone(old, phone);
        }
        if (goes)
            phone_remove(mine, i);
    }
    for (guint k = 0; k < theirs->len && mine->len < PHONES_MAX; k++) {
        const Phone *phone = &g_array_index(theirs, Phone, k);
        if (phone->type != type || !has(&phone->number))
            continue;
        Phone copy = { .type = type };
        field_copy(&copy.number, &phone->number);
        set_text(&copy.extension, phone->extension, SIZE_MAX);
        g_array_append_val(mine, copy);
    }
    times_set(&merge->times, name, merge->time);
    merge->changed = true;
}

/* "linkedin.com" of "https://www.linkedin.com/in/ann". */
static char *
link_host(const char *url)
{
    const char *start = strstr(url, "://");
    start = start != NULL ? start + 3 : url;
    size_t len = strcspn(start, "/?#:");
    if (len > 4 && g_ascii_strncasecmp(start, "www.", 4) == 0) {
        start += 4;
        len -= 4;
    }
    g_autofree char *host = g_strndup(start, len);
    return g_ascii_strdown(host, -1);
}

static void
merge_links_of_host(Merge *merge, const char *host)
{
    GArray *mine = merge->known->links;
    const GArray *theirs = merge->mail->links;
    g_autofree char *name = g_strconcat("link.", host, NULL);
    guint n_mine = 0, n_theirs = 0, n_same = 0;
    bool mine_sure = false, theirs_sure = false;

    for (guint i = 0; i < mine->len; i++) {
        const Field *old = &g_array_index(mine, Field, i);
        g_autofree char *old_host = link_host(old->value);
        if (strcmp(old_host, host) == 0) {
            n_mine++;
            mine_sure = mine_sure || sure(old);
        }
    }
    for (guint k = 0; k < theirs->len; k++) {
        const Field *link = &g_array_index(theirs, Field, k);
        g_autofree char *new_host = has(link) ? link_host(link->value) : NULL;
        if (g_strcmp0(new_host, host) != 0)
            continue;
        n_theirs++;
        theirs_sure = theirs_sure || sure(link);
        for (guint i = 0; i < mine->len; i++) {
            if (same_text(g_array_index(mine, Field, i).value, link->value)) {
                n_same++;
                break;
            }
        }
    }
    if (n_same == n_theirs && n_same == n_mine) {
        for (guint i = 0; i < mine->len; i++) {
            Field *old = &g_array_index(mine, Field, i);
            for (guint k = 0; k < theirs->len; k++) {
                const Field *link = &g_array_index(theirs, Field, k);
                if (same_text(old->value, link->value))
                    field_again(merge, name, old, link);
            }
        }
        return;
    }
    if (n_mine > 0 && !overrules(merge, name, theirs_sure, mine_sure))
        return;
    for (guint i = mine->len; i-- > 0;) {
        Field *old = &g_array_index(mine, Field, i);
        g_autofree char *old_host = link_host(old->value);
        if (strcmp(old_host, host) == 0) {
            field_clear(old);
            g_array_remove_index(mine, i);
        }
    }
    for (guint k = 0; k < theirs->len && mine->len < LINKS_MAX; k++) {
        const Field *link = &g_array_index(theirs, Field, k);
        g_autofree char *new_host = has(link) ? link_host(link->value) : NULL;
        if (g_strcmp0(new_host, host) != 0)
            continue;
        Field copy = { 0 };
        field_copy(&copy, link);
        g_array_append_val(mine, copy);
    }
    times_set(&merge->times, name, merge->time);
    merge->changed = true;
}

static void
merge_links(Merge *merge)
{
    g_autoptr(GHashTable) hosts =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const GArray *theirs = merge->mail->links;
    for (guint k = 0; theirs != NULL && k < MIN(theirs->len, LINKS_MAX); k++) {
        const Field *link = &g_array_index(theirs, Field, k);
        char *host = has(link) ? link_host(link->value) : NULL;
        if (host != NULL && g_hash_table_add(hosts, host))
            merge_links_of_host(merge, host);
    }
}

/* Puts the mail's fields into the row; true when the CRM may want to know. */
static bool
merge_contact(StoreRow *row, const Contact *mail, int64_t time)
{
    g_autoptr(Contact) known =
        row->known != NULL ? contact_from_json(row->known, NULL) : NULL;
    Merge merge = { .mail = mail, .time = time };
    if (known == NULL) {
        known = contact_new("");
        merge.changed = true;
    }
    merge.known = known;
    times_load(&merge.times, known != NULL ? row->times : NULL);
    if (row->known == NULL)
        merge.times.common = time;

    merge_name(&merge);
    merge_field(&merge, "job_title", &known->job_title, &mail->job_title);
    merge_field(&merge, "company", &known->company, &mail->company);
    merge_field(&merge, "website", &known->website, &mail->website);
    merge_address(&merge);
    for (int type = PHONE_WORK; mail->phones != NULL && type <= PHONE_OTHER;
         type++)
        merge_phones_of_type(&merge, (PhoneType) type);
    merge_links(&merge);

    if (time >= row->last_mail) {
        known->role_account = mail->role_account;
        known->from_relay = mail->from_relay;
        if (mail->name_source != NULL && *mail->name_source != '\0')
            known->name_source = mail->name_source;
    }
    /* The address stands in its own columns. */
    g_clear_pointer(&known->email, g_free);
    g_free(row->known);
    row->known = contact_to_json(known);
    g_free(row->times);
    row->times = times_dump(&merge.times);
    g_hash_table_unref(merge.times.own);
    return merge.changed;
}

/* --- statuses ------------------------------------------------------------ */

static int
status_rank(int64_t status)
{
    return status == 2 ? 3 : status == 3 ? 2 : status == 1 ? 1 : 0;
}

/* Did we mark any of the CRM's contacts 3 ourselves? */
static bool
marked_bounced(const StoreRow *row)
{
    g_autoptr(GPtrArray) crm = crm_from_json(row->crm);
    for (guint i = 0; i < crm->len; i++) {
        if (((const CrmContact *) crm->pdata[i])->status_set == 3)
            return true;
    }
    return false;
}

/* For how long what was done need not be repeated for `status`. */
static int64_t
repeat_after(int64_t done, int status)
{
    if (done == 2)
        return status == 2 ? REPEAT_UNSUBSCRIBE_S
                           : REPEAT_BOUNCE_AFTER_OPT_OUT_S;
    return done == 3 && status == 3 ? REPEAT_BOUNCE_S : 0;
}

static bool
merge_status(StoreRow *row, int status, int64_t now)
{
    if (status_rank(status) == 0 ||
        status_rank(row->want_status) >= status_rank(status))
        return false;
    if (status == 1 && !marked_bounced(row))
        return false;
    if (now - row->status_at < repeat_after(row->status_done, status))
        return false;
    row->want_status = status;
    return true;
}

static bool
merge_sms(StoreRow *row, int status, int64_t now)
{
    if (status != 2 || row->want_sms == 2 ||
        (row->sms_done == 2 && now - row->sms_at < REPEAT_UNSUBSCRIBE_S))
        return false;
    row->want_sms = 2;
    return true;
}

/* --- transitions --------------------------------------------------------- */

static void
make_pending(StoreRow *row, int64_t now)
{
    if (row->state == CONTACT_PENDING)
        return; /* leased, or waiting after a failure: due stays */
    row->state = CONTACT_PENDING;
    row->due = now;
    row->since = now;
    row->attempts = 0;
    row->claims = 0;
    set(&row->reason, NULL);
    set(&row->lease, NULL);
}

void
store_row_merge(StoreRow *row, const Judged *judged, int64_t now,
                bool *out_status)
{
    const Observation *observation = judged->observation;
    bool pending = false;
    *out_status = false;
    if (row->anonymised)
        return;
    bool wants_row = observation->contact != NULL || judged->want_status > 1 ||
                     judged->want_sms != 0;
    if (row->first_seen == 0) {
        if (!wants_row)
            return;
        row->first_seen = now;
        g_autofree char *email = g_utf8_make_valid(observation->email, -1);
        set(&row->email, strcmp(email, row->key) == 0 ? NULL : email);
        row->dirty = true;
    }

    if (observation->kind == OBSERVATION_CONTACT &&
        observation->contact != NULL) {
        int64_t before = row->last_mail;
        if (merge_contact(row, observation->contact, observation->time)) {
            row->want_fields = 1;
            pending = true;
        }
        if (observation->time > before) {
            row->last_mail = observation->time;
            if (judged->want_last_mail &&
                observation->time / DAY_S != before / DAY_S) {
                row->want_fields = 1;
                pending = true;
            }
        }
        /* Without a change it is written now and then only; if it is not, the
         * row in hand still serves the rest of the batch. */
        if (row->last_mail - before >= STORE_REFRESH_S)
            row->dirty = true;
    }
    if (merge_status(row, judged->want_status, now)) {
        *out_status = judged->want_status != 1;
        pending = true;
    }
    if (merge_sms(row, judged->want_sms, now))
        pending = true;
    if (judged->unknown_suppress && row->want_status == 2 && !row->suppress) {
        row->suppress = 1;
        pending = true;
    }

    if (pending) {
        make_pending(row, now);
        row->version++;
        set_text(&row->trust, judged->trust, REASON_MAX);
        row->dirty = true;
    }
}

void
store_row_claim(StoreRow *row, const char *lease, int64_t now, int64_t until,
                bool count)
{
    row->due = until;
    row->claimed = now;
    row->claims += count ? 1 : 0;
    set(&row->lease, lease);
    row->dirty = true;
}

/* Are the CRM ids other ones than before? */
static bool
ids_differ(const char *before, const GPtrArray *now)
{
    g_autoptr(GPtrArray) old = crm_from_json(before);
    if (old->len != (now != NULL ? now->len : 0))
        return true;
    for (guint i = 0; i < old->len; i++) {
        const CrmContact *was = old->pdata[i], *is = now->pdata[i];
        if (was->id != is->id)
            return true;
    }
    return false;
}

void
store_row_keep(StoreRow *row, const ContactRecord *record)
{
    if (ids_differ(row->crm, record->crm))
        row->status_done = row->sms_done = 0;
    g_free(row->crm);
    row->crm = crm_to_json(record->crm);
    g_free(row->refused);
    row->refused = table_to_json(record->refused);
    row->anonymised = record->anonymised;
    row->dirty = true;
}

void
store_row_confirm(StoreRow *row, const ContactRecord *record)
{
    store_row_keep(row, record);
    if (record->want_status != 0) {
        row->status_done = record->want_status;
        row->status_at = row->claimed;
    }
    if (record->want_sms != 0) {
        row->sms_done = record->want_sms;
        row->sms_at = row->claimed;
    }
    /* What was claimed is done; what a merge added since then is not. */
    if (row->want_status == record->want_status)
        row->want_status = row->suppress = 0;
    if (row->want_sms == record->want_sms)
        row->want_sms = 0;
    row->claims = row->attempts = 0;
    set(&row->lease, NULL);
    set(&row->reason, NULL);
    bool more = row->version != record->version && !row->anonymised;
    if (more) {
        row->due = row->since = row->claimed;
        return;
    }
    row->want_fields = row->want_status = row->want_sms = row->suppress = 0;
    row->state = CONTACT_IDLE;
    row->due = row->since = 0;
    set(&row->trust, NULL);
}

void
store_row_retry(StoreRow *row, const ContactRecord *record, int64_t due,
                const char *reason)
{
    store_row_keep(row, record);
    row->state = CONTACT_PENDING;
    row->due = due;
    row->attempts++;
    row->claims = 0;
    set(&row->lease, NULL);
    set_text(&row->reason, reason, REASON_MAX);
}

void
store_row_bury(StoreRow *row, const ContactRecord *record, const char *reason)
{
    if (record != NULL)
        store_row_keep(row, record);
    row->dirty = true;
    row->claims = 0;
    set(&row->lease, NULL);
    if (record != NULL && row->version != record->version) {
        /* Something new came in meanwhile: it may do better. */
        row->due = row->since = row->claimed;
        return;
    }
    row->state = CONTACT_DEAD;
    set_text(&row->reason, reason, REASON_MAX);
}

/* --- records ------------------------------------------------------------- */

ContactRecord *
store_row_record(const StoreRow *row)
{
    ContactRecord *record =
        contact_record_new(row->email != NULL ? row->email : row->key);
    if (row->known != NULL) {
        record->known = contact_from_json(row->known, NULL);
        if (record->known != NULL)
            set(&record->known->email, record->email);
    }
    record->want_fields = row->want_fields != 0;
    record->want_status = (int) row->want_status;
    record->want_sms = (int) row->want_sms;
    record->unknown_suppress = row->suppress != 0;
    g_ptr_array_unref(record->crm);
    record->crm = crm_from_json(row->crm);
    g_hash_table_unref(record->refused);
    json_t *refused = load(row->refused);
    record->refused = table_from(refused);
    json_decref(refused);
    record->anonymised = row->anonymised != 0;
    record->state = (ContactState) CLAMP(row->state, 0, CONTACT_DEAD);
    record->reason = g_strdup(row->reason);
    record->trust = g_strdup(row->trust);
    record->attempts = (unsigned) CLAMP(row->attempts, 0, INT32_MAX);
    record->due = row->due;
    record->version = row->version;
    record->lease = g_strdup(row->lease);
    record->first_seen = row->first_seen;
    record->last_mail = row->last_mail;
    return record;
}

char *
store_row_wants(const StoreRow *row)
{
    GString *wants = g_string_new(NULL);
    if (row->want_fields)
        g_string_append(wants, "contact");
    if (row->want_status != 0)
        g_string_append_printf(wants, "%s%s", wants->len > 0 ? "," : "",
                               row->want_status == 2   ? "unsubscribe"
                               : row->want_status == 3 ? "status=3"
                                                       : "status=1");
    if (row->want_sms != 0)
        g_string_append_printf(wants, "%ssms=%d", wants->len > 0 ? "," : "",
                               (int) row->want_sms);
    return g_string_free(wants, FALSE);
}
