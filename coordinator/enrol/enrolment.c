#include "coordinator/enrol/enrolment.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/ledger/tokens.h"

enum { TTL_MAX_S = 30 * 24 * 3600 };

/* a-z 0-9 and -, 1 .. SOTTO_SITE_NAME_MAX, no - at an end. */
static bool site_name_is_good(const char *name)
{
    size_t length = strlen(name);

    return length >= 1 && length <= SOTTO_SITE_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length && name[0] != '-' &&
           name[length - 1] != '-';
}

enum sotto_status sotto_enrolment_invite(struct sotto_ledger *ledger,
                                         char text[SOTTO_TOKEN_TEXT_MAX],
                                         const struct sotto_keys *keys,
                                         const struct sotto_token_wish *wish,
                                         struct sotto_entropy *entropy, struct sotto_fault *fault)
{
    struct sotto_token token = {.authority = keys->authority_digest,
                                .expires_s = wish->now_ms / 1000 + wish->ttl_s};
    const char *organisation = wish->organisation == NULL ? wish->site : wish->organisation;
    struct sotto_site site;
    enum sotto_status status;

    if (!site_name_is_good(wish->site))
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "a site's name is 1 to %d of a-z, 0-9 and -, with no - at an end",
                               SOTTO_SITE_NAME_MAX);
    if (!sotto_organisation_is_valid(organisation))
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "an organisation's name is 1 to %d printable characters of ASCII, "
                               "with no space at an end",
                               SOTTO_ORGANISATION_MAX);
    if (wish->ttl_s < 1 || wish->ttl_s > TTL_MAX_S)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "a token lives 1 to %d seconds", TTL_MAX_S);
    if (sotto_sites_by_name(ledger, wish->site, &site) == SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "site %s is enrolled already: revoke it before it enrols anew",
                               wish->site);
    snprintf(token.site, sizeof token.site, "%s", wish->site);
    snprintf(token.organisation, sizeof token.organisation, "%s", organisation);
    snprintf(token.url, sizeof token.url, "%s", wish->url);
    sotto_entropy_fill(entropy, token.secret, sizeof token.secret);
    status = sotto_token_encode(text, &token);
    if (status == SOTTO_OK)
        status = sotto_tokens_issue(ledger, &token, wish->now_ms, fault);
    sotto_wipe(&token, sizeof token);
    return status;
}

static enum sotto_status request_verify(const struct sotto_enrol_request *request,
                                        struct sotto_fault *fault)
{
    uint8_t bytes[sizeof request->token_secret + SOTTO_REQUEST_DER_MAX];
    struct sotto_buffer signed_bytes = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_ed25519_public identity;
    struct sotto_signature signature;

    if (sotto_buffer_add(&signed_bytes, sotto_view_of(request->token_secret,
                                                      sizeof request->token_secret)) != SOTTO_OK ||
        sotto_buffer_add(&signed_bytes, request->certificate_request) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the certificate request is too long");
    memcpy(identity.bytes, request->identity, sizeof identity.bytes);
    memcpy(signature.bytes, request->signature, sizeof signature.bytes);
    if (sotto_verify(&signature, &identity, "sotto/1 enrol", sotto_view_buffer(&signed_bytes)) !=
        SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the request is not signed by the identity that it names");
    return SOTTO_OK;
}

/* What a walk over the sites looks for. */
struct identity_search {
    const uint8_t *identity;
    bool is_found;
};

static void identity_compare(void *context, const struct sotto_site *site)
{
    struct identity_search *search = context;

    if (site->revoked_ms == 0 &&
        memcmp(site->identity, search->identity, sizeof site->identity) == 0)
        search->is_found = true;
}

/* Two seats under one identity would be one voice that counts twice. */
static enum sotto_status identity_check(struct sotto_ledger *ledger, const uint8_t identity[32],
                                        struct sotto_fault *fault)
{
    struct identity_search search = {.identity = identity};
    enum sotto_status status = sotto_sites_walk(ledger, identity_compare, &search);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the sites cannot be read from the journal");
    if (search.is_found)
        return sotto_fault_set(
            fault, SOTTO_REFUSED,
            "this identity is enrolled already: enrol with a fresh state folder, "
            "or have the other site revoked");
    return SOTTO_OK;
}

static enum sotto_status response_write(struct sotto_buffer *out, const struct sotto_keys *keys,
                                        const struct sotto_site *site,
                                        const struct sotto_certificate *certificate)
{
    uint8_t bytes[4 + sizeof site->identity + SOTTO_CERTIFICATE_DER_MAX];
    struct sotto_enrol_response response = {
        .id = site->id,
        .certificate = sotto_certificate_der(certificate),
        .authority = sotto_certificate_der(&keys->authority.certificate)};
    struct sotto_signature signature;

    sotto_store_u32(bytes, site->id);
    memcpy(bytes + 4, site->identity, sizeof site->identity);
    memcpy(bytes + 4 + sizeof site->identity, certificate->der, certificate->length);
    sotto_sign(&signature, &keys->signing, "sotto/1 admitted",
               sotto_view_of(bytes, 4 + sizeof site->identity + certificate->length));
    memcpy(response.coordinator, keys->signer.bytes, sizeof response.coordinator);
    memcpy(response.signature, signature.bytes, sizeof response.signature);
    return sotto_enrol_response_encode(out, &response);
}

enum sotto_status sotto_enrolment_admit(struct sotto_ledger *ledger, struct sotto_buffer *out,
                                        const struct sotto_keys *keys, struct sotto_view bytes,
                                        uint64_t now_ms, struct sotto_fault *fault)
{
    struct sotto_enrol_request request;
    struct sotto_certificate certificate;
    struct sotto_invitation invitation;
    struct sotto_site site = {.enrolled_ms = now_ms};
    struct sotto_client_subject subject = {.common_name = invitation.site,
                                           .organisational_unit = "site",
                                           .organisation = invitation.organisation,
                                           .now_s = now_ms / 1000};
    enum sotto_status status = sotto_enrol_request_decode(&request, bytes);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the enrolment request does not parse");
    status = request_verify(&request, fault);
    if (status == SOTTO_OK)
        status = sotto_tokens_check(ledger, &invitation, request.token_secret, now_ms, fault);
    if (status == SOTTO_OK)
        status = identity_check(ledger, request.identity, fault);
    if (status == SOTTO_OK)
        status = sotto_authority_issue_client(&keys->authority, &certificate,
                                              request.certificate_request, &subject, fault);
    if (status != SOTTO_OK)
        return status;
    memcpy(site.name, invitation.site, sizeof site.name);
    memcpy(site.organisation, invitation.organisation, sizeof site.organisation);
    memcpy(site.identity, request.identity, sizeof site.identity);
    sotto_certificate_digest(&site.certificate, &certificate);
    status = sotto_sites_add(ledger, &site, fault);
    if (status == SOTTO_OK)
        status = sotto_tokens_use(ledger, request.token_secret, now_ms, fault);
    if (status == SOTTO_OK)
        status = response_write(out, keys, &site, &certificate);
    return status;
}
