/*
 * forecast.h - what the sync will refuse or hold of what an import finds
 *
 * Asks the function that the sync asks (judge_one()), without the contacts
 * store: what only that knows (which mail left here, status changes before
 * the import) is left out.
 *
 * Ownership  forecast_free(); the settings are borrowed.
 */
#ifndef FORECAST_H
#define FORECAST_H

#include <jansson.h>

#include "analysis/observation.h"
#include "base/settings.h"

typedef struct Forecast Forecast;

Forecast *forecast_new(const Settings *settings);
void forecast_add(Forecast *forecast, const Observation *observation);

/* "people refused: [trust] contact = pass" and how many, in order. A person
 * of whom one mail is taken is not refused. */
typedef void (*ForecastRow)(const char *label, guint count, void *data);
void forecast_rows(const Forecast *forecast, ForecastRow row, void *data);
/* The same as an object, by label. */
json_t *forecast_json(const Forecast *forecast);

void forecast_free(Forecast *forecast);

#endif
