/*
 * observation_json.c - see observation_json.h
 *
 * Members that are NULL, empty, zero or false are left out, so a row on disk
 * is little more than what the message said. Reading is lenient: an unknown
 * member is ignored and a missing one has its empty value, so that an older
 * program's rows can be read by a newer one and the other way round; only
 * text that is not an object of ours at all is an error.
 *
 * JSON knows only valid UTF-8: what the mail had otherwise is made valid here
 * with U+FFFD, since json_string() would answer NULL and lose the member.
 */
#include "config.h"

#include "store/observation_json.h"

#include <jansson.h>
#include <string.h>

/* More than any observation can be (500 recipients, capped header fields). */
enum { JSON_TEXT_MAX = 8 * 1024 * 1024, WORD_MAX = 40 };

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

static GQuark
json_error_quark(void)
{
    return g_quark_from_static_string("observation-json");
}

/* --- writing ------------------------------------------------------------ */

static json_t *
text_new(const char *text)
{
    if (g_utf8_validate(text, -1, NULL))
        return json_string_nocheck(text);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string_nocheck(valid);
}

static void
put_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new_nocheck(object, name, text_new(text));
}

static void
put_int(json_t *object, const char *name, int64_t value)
{
    if (value != 0)
        json_object_set_new_nocheck(object, name, json_integer(value));
}

static void
put_bool(json_t *object, const char *name, bool value)
{
    if (value)
        json_object_set_new_nocheck(object, name, json_true());
}

/* A child is kept only when it has members. */
static void
put_child(json_t *object, const char *name, json_t *child)
{
    if (json_is_array(child) ? json_array_size(child) > 0
                             : json_object_size(child) > 0)
        json_object_set_new_nocheck(object, name, child);
    else
        json_decref(child);
}

static void
put_strings(json_t *object, const char *name, const GPtrArray *list)
{
    json_t *array = json_array();
    for (guint i = 0; list != NULL && i < list->len; i++) {
        if (list->pdata[i] != NULL)
            json_array_append_new(array, text_new(list->pdata[i]));
    }
    put_child(object, name, array);
}

/* v value, e evidence (true: the same as the value), c confidence. */
static json_t *
field_to(const Field *field)
{
    json_t *object = json_object();
    put_text(object, "v", field->value);
    if (field->evidence != NULL && field->value != NULL &&
        strcmp(field->evidence, field->value) == 0)
        put_bool(object, "e", true);
    else
        put_text(object, "e", field->evidence);
    /* NaN fails both comparisons and is left out. */
    if (field->confidence > 0)
        json_object_set_new_nocheck(object, "c",
                                    json_real(MIN(field->confidence, 1)));
    return object;
}

static json_t *
contact_to(const Contact *contact)
{
    json_t *object = json_object();
    if (contact->email != NULL && *contact->email != '\0')
        put_text(object, "email", contact->email);
    put_child(object, "first_name", field_to(&contact->first_name));
    put_child(object, "last_name", field_to(&contact->last_name));
    put_child(object, "job_title", field_to(&contact->job_title));
    put_child(object, "company", field_to(&contact->company));
    put_child(object, "website", field_to(&contact->website));
    put_child(object, "address", field_to(&contact->address));

    const AddressParts *parts = &contact->address_parts;
    json_t *address = json_object();
    put_text(address, "line1", parts->line1);
    put_text(address, "line2", parts->line2);
    put_text(address, "line3", parts->line3);
    put_text(address, "line4", parts->line4);
    put_text(address, "city", parts->city);
    put_text(address, "state", parts->state);
    put_text(address, "postal_code", parts->postal_code);
    put_text(address, "country", parts->country);
    put_child(object, "address_parts", address);

    json_t *phones = json_array();
    for (guint i = 0; contact->phones != NULL && i < contact->phones->len;
         i++) {
        const Phone *phone = &g_array_index(contact->phones, Phone, i);
        json_t *item = field_to(&phone->number);
        put_int(item, "type", (int64_t) phone->type);
        put_text(item, "x", phone->extension);
        json_array_append_new(phones, item);
    }
    put_child(object, "phones", phones);

    json_t *links = json_array();
    for (guint i = 0; contact->links != NULL && i < contact->links->len; i++)
        json_array_append_new(
            links, field_to(&g_array_index(contact->links, Field, i)));
    put_child(object, "links", links);

    put_bool(object, "role_account", contact->role_account);
    put_bool(object, "from_relay", contact->from_relay);
    put_text(object, "name_source", contact->name_source);
    return object;
}

static char *
dump(json_t *object)
{
    /* Four digits of a confidence are enough, seventeen are noise. */
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(4));
    json_decref(object);
    if (text == NULL)
        return g_strdup("{}");
    /* jansson's malloc() is not to be mixed with g_free() by the caller. */
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

char *
contact_to_json(const Contact *contact)
{
    return dump(contact_to(contact));
}

char *
observation_to_json(const Observation *observation)
{
    json_t *object = json_object();
    json_object_set_new_nocheck(object, "kind",
                                json_integer((int) observation->kind));
    put_text(object, "email", observation->email);
    if (observation->contact != NULL)
        json_object_set_new_nocheck(object, "contact",
                                    contact_to(observation->contact));

    const Bounce *bounce = &observation->bounce;
    json_t *child = json_object();
    put_text(child, "email", bounce->email);
    put_text(child, "final", bounce->final);
    put_int(child, "class", (int64_t) bounce->class);
    put_text(child, "status", bounce->status);
    put_text(child, "reason", bounce->reason);
    put_text(child, "evidence", bounce->evidence);
    put_child(object, "bounce", child);

    const ReturnedMessage *returned = &observation->returned;
    child = json_object();
    put_text(child, "message_id", returned->message_id);
    put_text(child, "from", returned->from);
    put_text(child, "return_path", returned->return_path);
    put_text(child, "to", returned->to);
    put_child(object, "returned", child);

    put_int(object, "scope", (int64_t) observation->scope);
    put_bool(object, "unsure", observation->unsure);
    put_bool(object, "complaint", observation->complaint);
    put_bool(object, "by_token", observation->by_token);
    put_text(object, "evidence", observation->evidence);
    put_strings(object, "authors", observation->authors);
    put_strings(object, "recipients", observation->recipients);

    child = json_array();
    const GArray *results = observation->auth_results;
    for (guint i = 0; results != NULL && i < results->len; i++) {
        const AuthResults *one = &g_array_index(results, AuthResults, i);
        json_t *item = json_object();
        put_text(item, "value", one->value);
        put_bool(item, "arc", one->arc);
        put_bool(item, "above", one->above_received);
        json_array_append_new(child, item);
    }
    put_child(object, "auth_results", child);

    put_text(object, "client_addr", observation->client_addr);
    put_text(object, "helo", observation->helo);
    put_text(object, "mail_from", observation->mail_from);
    put_bool(object, "local", observation->local);
    put_text(object, "queue_id", observation->queue_id);
    put_text(object, "message_id", observation->message_id);
    put_int(object, "time", observation->time);
    return dump(object);
}

/* --- reading ------------------------------------------------------------ */

static char *
get_text(const json_t *object, const char *name)
{
    return g_strdup(json_string_value(json_object_get(object, name)));
}

static void
set_text(char **member, const json_t *object, const char *name)
{
    g_free(*member);
    *member = get_text(object, name);
}

static int64_t
get_int(const json_t *object, const char *name)
{
    return (int64_t) json_integer_value(json_object_get(object, name));
}

static bool
get_bool(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* An enum's value: out of range means a newer program's word; `otherwise`. */
static int
get_enum(const json_t *object, const char *name, int last, int otherwise)
{
    int64_t value = get_int(object, name);
    return value < 0 || value > last ? otherwise : (int) value;
}

/* Static words (reasons, name sources) live as long as the program. They come
 * from our own short lists; what does not look so is not interned, lest a
 * strange file fill the memory. */
static const char *
get_word(const json_t *object, const char *name)
{
    const char *word = json_string_value(json_object_get(object, name));
    if (word == NULL)
        return NULL;
    size_t len = strlen(word);
    if (len > WORD_MAX || strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789"
                                       "-_.") != len)
        return "";
    return g_intern_string(word);
}

static void
get_field(const json_t *object, Field *out_field)
{
    const json_t *evidence = json_object_get(object, "e");
    field_clear(out_field);
    out_field->value = get_text(object, "v");
    out_field->evidence = json_is_true(evidence)
                              ? g_strdup(out_field->value)
                              : g_strdup(json_string_value(evidence));
    out_field->confidence =
        CLAMP(json_number_value(json_object_get(object, "c")), 0, 1);
}

static Contact *
contact_from(const json_t *object)
{
    const char *email = json_string_value(json_object_get(object, "email"));
    Contact *contact = contact_new(email != NULL ? email : "");

    get_field(json_object_get(object, "first_name"), &contact->first_name);
    get_field(json_object_get(object, "last_name"), &contact->last_name);
    get_field(json_object_get(object, "job_title"), &contact->job_title);
    get_field(json_object_get(object, "company"), &contact->company);
    get_field(json_object_get(object, "website"), &contact->website);
    get_field(json_object_get(object, "address"), &contact->address);

    const json_t *address = json_object_get(object, "address_parts");
    AddressParts *parts = &contact->address_parts;
    set_text(&parts->line1, address, "line1");
    set_text(&parts->line2, address, "line2");
    set_text(&parts->line3, address, "line3");
    set_text(&parts->line4, address, "line4");
    set_text(&parts->city, address, "city");
    set_text(&parts->state, address, "state");
    set_text(&parts->postal_code, address, "postal_code");
    set_text(&parts->country, address, "country");

    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(object, "phones"), i, item)
    {
        Phone phone = { 0 };
        get_field(item, &phone.number);
        if (phone.number.value == NULL) {
            field_clear(&phone.number);
            continue;
        }
        phone.type =
            (PhoneType) get_enum(item, "type", PHONE_OTHER, PHONE_OTHER);
        phone.extension = get_text(item, "x");
        g_array_append_val(contact->phones, phone);
    }
    json_array_foreach(json_object_get(object, "links"), i, item)
    {
        Field link = { 0 };
        get_field(item, &link);
        if (link.value == NULL)
            field_clear(&link);
        else
            g_array_append_val(contact->links, link);
    }
    contact->role_account = get_bool(object, "role_account");
    contact->from_relay = get_bool(object, "from_relay");
    contact->name_source = get_word(object, "name_source");
    return contact;
}

static json_t *
parse(const char *text, GError **error)
{
    json_error_t reason;
    size_t len = strlen(text);
    if (len > JSON_TEXT_MAX) {
        g_set_error(error, json_error_quark(), 0,
                    "%zu bytes of JSON are too many", len);
        return NULL;
    }
    json_t *object = json_loadb(text, len, 0, &reason);
    if (object == NULL) {
        g_set_error(error, json_error_quark(), 0, "not JSON at byte %d: %s",
                    reason.position, reason.text);
    } else if (!json_is_object(object)) {
        g_set_error(error, json_error_quark(), 0, "not a JSON object");
        g_clear_pointer(&object, json_decref);
    }
    return object;
}

Contact *
contact_from_json(const char *text, GError **error)
{
    g_autoptr(Json) object = parse(text, error);
    return object == NULL ? NULL : contact_from(object);
}

static void
get_strings(GPtrArray **list, const json_t *array)
{
    if (*list == NULL)
        *list = g_ptr_array_new_with_free_func(g_free);
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        if (json_is_string(item))
            g_ptr_array_add(*list, g_strdup(json_string_value(item)));
    }
}

Observation *
observation_from_json(const char *text, GError **error)
{
    g_autoptr(Json) object = parse(text, error);
    if (object == NULL)
        return NULL;
    const json_t *kind = json_object_get(object, "kind");
    const char *email = json_string_value(json_object_get(object, "email"));
    if (!json_is_integer(kind) || json_integer_value(kind) < 0 ||
        json_integer_value(kind) > OBSERVATION_SENT || email == NULL) {
        g_set_error(error, json_error_quark(), 0,
                    "not an observation: kind or email is missing");
        return NULL;
    }

    Observation *observation =
        observation_new((ObservationKind) json_integer_value(kind), email);
    const json_t *child = json_object_get(object, "contact");
    if (child != NULL) {
        contact_free(observation->contact);
        observation->contact = contact_from(child);
    }

    child = json_object_get(object, "bounce");
    Bounce *bounce = &observation->bounce;
    set_text(&bounce->email, child, "email");
    set_text(&bounce->final, child, "final");
    bounce->class =
        (BounceClass) get_enum(child, "class", BOUNCE_HARD, BOUNCE_OTHER);
    set_text(&bounce->status, child, "status");
    bounce->reason = get_word(child, "reason");
    set_text(&bounce->evidence, child, "evidence");

    child = json_object_get(object, "returned");
    set_text(&observation->returned.message_id, child, "message_id");
    set_text(&observation->returned.from, child, "from");
    set_text(&observation->returned.return_path, child, "return_path");
    set_text(&observation->returned.to, child, "to");

    /* A scope that this version does not know unsubscribes nobody. */
    observation->scope = (UnsubscribeScope) get_enum(
        object, "scope", UNSUBSCRIBE_RESUBSCRIBE, UNSUBSCRIBE_PARTIAL);
    observation->unsure = get_bool(object, "unsure");
    observation->complaint = get_bool(object, "complaint");
    observation->by_token = get_bool(object, "by_token");
    set_text(&observation->evidence, object, "evidence");
    get_strings(&observation->authors, json_object_get(object, "authors"));
    get_strings(&observation->recipients,
                json_object_get(object, "recipients"));

    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(object, "auth_results"), i, item)
    {
        AuthResults result = { get_text(item, "value"), get_bool(item, "arc"),
                               get_bool(item, "above") };
        if (result.value != NULL)
            g_array_append_val(observation->auth_results, result);
    }

    set_text(&observation->client_addr, object, "client_addr");
    set_text(&observation->helo, object, "helo");
    set_text(&observation->mail_from, object, "mail_from");
    observation->local = get_bool(object, "local");
    set_text(&observation->queue_id, object, "queue_id");
    set_text(&observation->message_id, object, "message_id");
    observation->time = get_int(object, "time");
    return observation;
}
