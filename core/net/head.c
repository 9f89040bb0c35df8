#include "core/net/head.h"

#include <ctype.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BAD_REQUEST = 400,
    EXPECTATION_FAILED = 417,
    HEADERS_TOO_LARGE = 431,
    NOT_IMPLEMENTED = 501,
    UNAVAILABLE = 503,
    VERSION_UNSUPPORTED = 505,
    CONTENT_LENGTH_DIGITS_MAX = 18,
    STRINGS_SLACK = 16, /* for the zeros of an empty path or value at the end of the block */
};

/* What llhttp's callbacks fill. */
struct parse {
    struct sotto_head *head;
    char *target;
    char *at; /* end of the text so far */
};

static void append(struct parse *parse, const char *from, size_t length)
{
    memcpy(parse->at, from, length);
    parse->at += length;
    *parse->at = '\0';
}

/* Ends the string that was appended last; the next one begins after its zero. */
static int end_string(llhttp_t *parser)
{
    struct parse *parse = parser->data;

    parse->at++;
    return 0;
}

static int on_target(llhttp_t *parser, const char *from, size_t length)
{
    struct parse *parse = parser->data;

    append(parse, from, length);
    return 0;
}

static int on_name(llhttp_t *parser, const char *from, size_t length)
{
    struct parse *parse = parser->data;
    struct sotto_field *field = &parse->head->headers[parse->head->header_count];

    if (field->name == NULL)
        field->name = parse->at;
    append(parse, from, length);
    for (char *at = parse->at - length; at < parse->at; at++)
        *at = (char)tolower((unsigned char)*at);
    return 0;
}

static int on_name_end(llhttp_t *parser)
{
    struct parse *parse = parser->data;

    end_string(parser);
    *parse->at = '\0';
    parse->head->headers[parse->head->header_count].value = parse->at;
    return 0;
}

static int on_value(llhttp_t *parser, const char *from, size_t length)
{
    append(parser->data, from, length);
    return 0;
}

static int on_value_end(llhttp_t *parser)
{
    struct parse *parse = parser->data;

    while (parse->at[-1] == ' ' || parse->at[-1] == '\t')
        *--parse->at = '\0';
    parse->head->header_count++;
    return end_string(parser);
}

/* The body is framed elsewhere: see core/net/framing.h. */
static int on_headers_end(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static int run_parser(struct parse *parse, struct sotto_view block)
{
    llhttp_settings_t settings;
    llhttp_t parser;

    llhttp_settings_init(&settings);
    settings.on_url = on_target;
    settings.on_url_complete = end_string;
    settings.on_header_field = on_name;
    settings.on_header_field_complete = on_name_end;
    settings.on_header_value = on_value;
    settings.on_header_value_complete = on_value_end;
    settings.on_headers_complete = on_headers_end;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = parse;
    if (llhttp_execute(&parser, (const char *)block.at, block.length) != HPE_PAUSED)
        return BAD_REQUEST;
    if (parser.http_major != 1 || parser.http_minor != 1)
        return VERSION_UNSUPPORTED;
    parse->head->method = llhttp_method_name(parser.method);
    parse->head->keeps_alive = !(parser.flags & F_CONNECTION_CLOSE);
    return 0;
}

static size_t count_headers(const struct sotto_head *head, const char *name)
{
    size_t count = 0;

    for (size_t index = 0; index < head->header_count; index++)
        count += strcmp(head->headers[index].name, name) == 0;
    return count;
}

static int read_length(struct sotto_head *head, const char *digits)
{
    size_t length = strspn(digits, "0123456789");

    if (length < 1 || length > CONTENT_LENGTH_DIGITS_MAX || digits[length])
        return BAD_REQUEST;
    head->content_length = strtoull(digits, NULL, 10);
    return 0;
}

/* RFC 9112 section 6.3, without any of its ways to go on after a doubt. */
static int check_framing(struct sotto_head *head)
{
    size_t lengths = count_headers(head, "content-length");
    size_t codings = count_headers(head, "transfer-encoding");

    if (lengths + codings > 1)
        return BAD_REQUEST;
    if (lengths == 1)
        return read_length(head, sotto_head_header(head, "content-length"));
    if (codings == 0)
        return 0;
    head->content_length = UINT64_MAX;
    return strcasecmp(sotto_head_header(head, "transfer-encoding"), "chunked") == 0
               ? 0
               : NOT_IMPLEMENTED;
}

static int check_method(const struct sotto_head *head)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};

    for (size_t index = 0; index < sizeof known / sizeof *known; index++)
        if (strcmp(head->method, known[index]) == 0)
            return 0;
    return NOT_IMPLEMENTED;
}

static int check_headers(struct sotto_head *head)
{
    const char *expect = sotto_head_header(head, "expect");

    if (count_headers(head, "host") != 1 || count_headers(head, "expect") > 1)
        return BAD_REQUEST;
    if (expect != NULL && strcasecmp(expect, "100-continue") != 0)
        return EXPECTATION_FAILED;
    head->expects_continue = expect != NULL;
    return 0;
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

/* Undoes percent-escapes in place. False: a bad one, or one that hides a control character. */
static bool unescape(char *text)
{
    char *out = text;

    for (const char *in = text; *in; in++) {
        int high = 0;
        int low = 0;

        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        high = hex_value(in[1]);
        low = high < 0 ? -1 : hex_value(in[2]);
        if (low < 0 || high * 16 + low < ' ' || high * 16 + low == 0x7f)
            return false;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return true;
}

/* No segment that a route or a file system could take for another path. */
static bool is_plain_path(const char *path)
{
    for (const char *at = path; (at = strchr(at, '/')) != NULL;) {
        size_t length = strcspn(++at, "/");

        if ((length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
            return false;
    }
    return true;
}

static int add_parameter(struct sotto_head *head, char *parameter)
{
    struct sotto_field *field = &head->query[head->query_count];
    char *value = strchr(parameter, '=');

    if (head->query_count == SOTTO_QUERY_MAX)
        return HEADERS_TOO_LARGE;
    if (value != NULL)
        *value++ = '\0';
    else
        value = parameter + strlen(parameter);
    if (!unescape(parameter) || !unescape(value) || sotto_head_query(head, parameter) != NULL)
        return BAD_REQUEST;
    *field = (struct sotto_field){.name = parameter, .value = value};
    head->query_count++;
    return 0;
}

static int split_target(struct sotto_head *head, char *target)
{
    char *rest = strchr(target, '?');
    int refusal = 0;

    if (rest != NULL)
        *rest++ = '\0';
    if (strcasestr(target, "%2f") != NULL || strchr(target, '#') != NULL || !unescape(target) ||
        !is_plain_path(target))
        return BAD_REQUEST;
    head->path = target;
    while (!refusal && rest != NULL && *rest) {
        char *parameter = strsep(&rest, "&");

        if (*parameter)
            refusal = add_parameter(head, parameter);
    }
    return refusal;
}

int sotto_head_parse(struct sotto_head *head, struct sotto_view block)
{
    struct parse parse = {.head = head};
    int refusal = 0;

    *head = (struct sotto_head){.length = block.length};
    head->text = calloc(1, block.length + STRINGS_SLACK);
    if (head->text == NULL)
        return UNAVAILABLE;
    parse.at = head->text;
    parse.target = head->text;
    refusal = run_parser(&parse, block);
    if (!refusal)
        refusal = check_method(head);
    if (!refusal)
        refusal = check_framing(head);
    if (!refusal)
        refusal = check_headers(head);
    if (!refusal)
        refusal = split_target(head, parse.target);
    return refusal;
}

void sotto_head_wipe(struct sotto_head *head)
{
    free(head->text);
    *head = (struct sotto_head){0};
}

static const char *find(const struct sotto_field *fields, size_t count, const char *name)
{
    for (size_t index = 0; index < count; index++)
        if (strcmp(fields[index].name, name) == 0)
            return fields[index].value;
    return NULL;
}

const char *sotto_head_header(const struct sotto_head *head, const char *name)
{
    return find(head->headers, head->header_count, name);
}

const char *sotto_head_query(const struct sotto_head *head, const char *name)
{
    return find(head->query, head->query_count, name);
}
