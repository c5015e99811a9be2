/*
 * observation_json.h - observations and contacts as JSON text, for the disk
 *
 * Ownership  the caller frees results.
 * Threads    pure.
 * Errors     NULL and a GError for text that is not such an object.
 */
#ifndef OBSERVATION_JSON_H
#define OBSERVATION_JSON_H

#include "analysis/observation.h"

char *observation_to_json(const Observation *observation);
Observation *observation_from_json(const char *json, GError **error);

char *contact_to_json(const Contact *contact);
Contact *contact_from_json(const char *json, GError **error);

#endif
