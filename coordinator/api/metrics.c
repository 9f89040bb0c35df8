#include "coordinator/api/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/api/api.h"
#include "coordinator/api/spending.h"

void sotto_metrics_health(struct sotto_call *call)
{
    sotto_call_answer(call, 200, "text/plain", sotto_view_text("ok\n"));
}

struct metric {
    const char *name;
    const char *type;
    const char *meaning;
    uint64_t value;
};

static void metric_print(FILE *out, const struct metric *metric)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", metric->name, metric->meaning,
            metric->name, metric->type, metric->name, metric->value);
}

static void active_count(void *context, const struct sotto_site *site)
{
    uint64_t *count = context;

    *count += site->revoked_ms == 0;
}

static void server_print(FILE *out, const struct sotto_server *server)
{
    struct sotto_server_counters counters = {0};

    if (server != NULL)
        sotto_server_counters(server, &counters);
    const struct metric metrics[] = {
        {"sotto_http_connections", "gauge", "Connections that are open.",
         counters.connections_open},
        {"sotto_http_connections_total", "counter", "Connections accepted.",
         counters.connections_total},
        {"sotto_http_requests_total", "counter", "Requests seen.", counters.requests_total},
        {"sotto_http_received_bytes_total", "counter", "Bytes received, TLS included.",
         counters.bytes_in_total},
        {"sotto_http_sent_bytes_total", "counter", "Bytes sent, TLS included.",
         counters.bytes_out_total},
        {"sotto_http_refused_total", "counter", "Connections and requests refused.",
         counters.refused_total},
    };

    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        metric_print(out, &metrics[i]);
}

static void round_print(FILE *out, const struct sotto_live *live)
{
    enum sotto_round_phase now =
        live == NULL ? SOTTO_ROUND_PHASE_COUNT : sotto_round_phase(live->round);

    fprintf(out, "# HELP sotto_round_phase 1 for the phase of the running round.\n"
                 "# TYPE sotto_round_phase gauge\n");
    for (size_t phase = 0; phase < SOTTO_ROUND_PHASE_COUNT; phase++)
        fprintf(out, "sotto_round_phase{phase=\"%s\"} %d\n",
                sotto_round_phase_name((enum sotto_round_phase)phase), phase == now);
}

struct epsilon_print {
    FILE *out;
    struct sotto_ledger *ledger;
    const struct sotto_live *live;
};

/* A campaign's name needs no escaping. */
static void epsilon_print(void *context, const struct sotto_campaign *campaign)
{
    const struct epsilon_print *print = context;
    struct sotto_spending spending;

    if (sotto_spending_of(&spending, print->ledger, campaign, print->live) == SOTTO_OK)
        fprintf(print->out, "sotto_campaign_epsilon{campaign=\"%s\",delta=\"%g\"} %.9g\n",
                campaign->name, spending.delta, spending.epsilon);
}

static void spending_print(FILE *out, struct sotto_ledger *ledger, const struct sotto_live *live)
{
    struct epsilon_print print = {out, ledger, live};

    fprintf(out, "# HELP sotto_campaign_epsilon What a campaign with noise has cost a site.\n"
                 "# TYPE sotto_campaign_epsilon gauge\n");
    (void)!sotto_campaigns_walk(ledger, epsilon_print, &print);
}

void sotto_metrics_show(struct sotto_call *call)
{
    struct sotto_api *api = call->api;
    const struct sotto_live *live = sotto_drive_live(api->setup.drive);
    uint64_t sites = 0;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL) {
        sotto_call_refuse(call, SOTTO_NO_MEMORY, "no memory for the metrics");
        return;
    }
    (void)!sotto_sites_walk(api->setup.ledger, active_count, &sites);
    metric_print(out,
                 &(struct metric){"sotto_sites", "gauge", "Enrolled sites, not revoked.", sites});
    metric_print(out,
                 &(struct metric){"sotto_journal_entries_total", "counter",
                                  "Entries in the journal.", api->setup.ledger->head.sequence});
    metric_print(out,
                 &(struct metric){"sotto_round", "gauge", "Number of the running round; 0: none.",
                                  live == NULL ? 0 : sotto_round_plan(live->round)->round});
    round_print(out, live);
    spending_print(out, api->setup.ledger, live);
    server_print(out, api->server);
    if (fclose(out) == 0)
        sotto_call_answer(call, 200, "text/plain; version=0.0.4", sotto_view_of(text, length));
    else
        sotto_call_refuse(call, SOTTO_NO_MEMORY, "no memory for the metrics");
    free(text);
}
