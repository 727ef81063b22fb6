/* SPDX-License-Identifier: ISC */
/*
 * Server side of SASL: one attempt to log in. Runs in auth-sasl. What comes
 * from clients is not trusted and goes through Cyrus SASL, so this process
 * has nothing but the accounts to lose. Invariant: one sasl_conn_t serves one
 * attempt (a second start on it was seen to succeed as the first user).
 */
#include "auth/sasl_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"

struct saslauth_dialogue *
saslauth_begin(struct saslauth *s, enum auth_service service,
    const struct auth_channel *channel)
{
	struct saslauth_dialogue *d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	d->auth = s;
	d->service = service;
	d->channel = *channel;
	d->callbacks[0] = (sasl_callback_t){ SASL_CB_CANON_USER,
	    SASLAUTH_CALL(saslauth_on_canon), d };
	d->callbacks[1] = (sasl_callback_t){ SASL_CB_SERVER_USERDB_CHECKPASS,
	    SASLAUTH_CALL(saslauth_on_checkpass), d };
	d->callbacks[2] = (sasl_callback_t){ SASL_CB_PROXY_POLICY,
	    SASLAUTH_CALL(saslauth_on_proxy), d };
	d->callbacks[3] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	if (saslauth_is_foreign(s)) {
		d->callbacks[5] = d->callbacks[3];
		d->callbacks[4] = (sasl_callback_t){ SASL_CB_GETOPT,
		    SASLAUTH_CALL(saslauth_on_store_getopt), d };
		d->callbacks[3] = (sasl_callback_t){ SASL_CB_LOG,
		    SASLAUTH_CALL(saslauth_on_store_log), d };
	}
	d->conn = saslauth_connection(s, service, d->callbacks);
	if (d->conn == NULL || (saslauth_is_foreign(s) &&
	    saslauth_store_begin(d) == -1))
		saslauth_end(&d);
	return d;
}

void
saslauth_end(struct saslauth_dialogue **dp)
{
	struct saslauth_dialogue *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	if (d->conn != NULL && saslauth_is_foreign(d->auth))
		saslauth_store_end(d);
	if (d->conn != NULL)
		sasl_dispose(&d->conn);
	str_wipe(d, sizeof(*d));
	free(d);
}

static enum auth_status
status_of(const struct saslauth_dialogue *d, int rc)
{
	if (d->away)
		return AUTH_TEMP;
	switch (rc) {
	case SASL_OK:
		return d->found ? AUTH_OK : AUTH_FAIL;
	case SASL_CONTINUE:
		return AUTH_MORE;
	case SASL_NOMECH:
	case SASL_TOOWEAK:
	case SASL_ENCRYPT:
		return AUTH_NO_MECHANISM;
	case SASL_BADPROT:
	case SASL_BADPARAM:
	case SASL_BUFOVER:
	case SASL_BADBINDING:
		return AUTH_BAD_PROTOCOL;
	case SASL_NOAUTHZ:
		return AUTH_NOT_AUTHORIZED;
	case SASL_FAIL:
	case SASL_NOMEM:
	case SASL_TRYAGAIN:
	case SASL_UNAVAIL:
		return AUTH_TEMP;
	default:
		return AUTH_FAIL;
	}
}

static struct saslauth_result
result_of(struct saslauth_dialogue *d, int rc, const char *data,
    unsigned int len)
{
	struct saslauth_result r = { status_of(d, rc), NULL, 0 };
	const char *detail;
	char text[256];

	if (rc != SASL_OK && rc != SASL_CONTINUE && log_is_verbose()) {
		detail = sasl_errdetail(d->conn);
		str_quote(text, sizeof(text), detail, strlen(detail));
		log_debug("sasl: refused code=%d detail=\"%s\"", rc, text);
	}
	if (saslauth_is_foreign(d->auth))
		saslauth_store_note(d, r.status);
	if (r.status == AUTH_MORE && data != NULL) {
		r.data = data;
		r.len = len;
	}
	if (r.len > AUTH_DATA_MAX)
		return (struct saslauth_result){ AUTH_TEMP, NULL, 0 };
	return r;
}

/* Is the mechanism there for this client? HTTP's Basic is PLAIN. */
static bool
is_offered(const struct saslauth_dialogue *d)
{
	if ((d->plus && !saslauth_has_binding(d)) ||
	    (d->external && d->channel.names[0] == '\0'))
		return false;
	return str_has_word(d->auth->mechanisms, d->mechanism) ||
	    (d->service == AUTH_HTTP && strcmp(d->mechanism, "PLAIN") == 0);
}

/*
 * Hand the first message, or that there is none, to the library. For SCRAM
 * and EXTERNAL there is one: it says what the library has to be told of the
 * connection before.
 */
static struct saslauth_result
open_library(struct saslauth_dialogue *d, const char *data, size_t len)
{
	const char *out = NULL;
	unsigned int outlen = 0;
	int rc = SASL_OK;

	d->begun = true;
	if (d->external)
		return result_of(d, saslauth_external(d, data, len), NULL, 0);
	if (d->scram)
		rc = saslauth_bind(d, data, len);
	if (rc == SASL_OK)
		rc = sasl_server_start(d->conn, d->mechanism, data,
		    (unsigned int)len, &out, &outlen);
	return result_of(d, rc, out, outlen);
}

struct saslauth_result
saslauth_start(struct saslauth_dialogue *d, const char *mechanism,
    const void *data, size_t len)
{
	BUG_IF(d->started);
	d->started = true;
	d->plus = strcmp(mechanism, SASL_PLUS) == 0;
	d->scram = d->plus || strcmp(mechanism, SASL_SCRAM) == 0;
	d->external = strcmp(mechanism, SASL_EXTERNAL) == 0;
	if (str_copy(d->mechanism, sizeof(d->mechanism), mechanism) == -1 ||
	    !is_offered(d))
		return result_of(d, SASL_NOMECH, NULL, 0);
	if (d->away)
		return result_of(d, SASL_UNAVAIL, NULL, 0);
	/* The client goes first; its message is not empty in SCRAM. */
	if ((d->external && data == NULL) || (d->scram && len == 0))
		return result_of(d, SASL_CONTINUE, NULL, 0);
	return open_library(d, data, len);
}

struct saslauth_result
saslauth_step(struct saslauth_dialogue *d, const void *data, size_t len)
{
	const char *out = NULL;
	unsigned int outlen = 0;
	int rc;

	if (!d->begun)
		return open_library(d, len == 0 ? "" : data, len);
	/* RFC 4954 section 4: the answer to that message is empty; the
	   library would take any. */
	if (d->proven && len != 0)
		return result_of(d, SASL_BADPROT, NULL, 0);
	if (d->plus && (rc = saslauth_bound(d, data, len)) != SASL_OK)
		return result_of(d, rc, NULL, 0);
	rc = sasl_server_step(d->conn, len == 0 ? "" : data,
	    (unsigned int)len, &out, &outlen);
	d->proven = d->scram && rc == SASL_CONTINUE && outlen > 2 &&
	    memcmp(out, "v=", 2) == 0;
	return result_of(d, rc, out, outlen);
}

const char *
saslauth_user(const struct saslauth_dialogue *d)
{
	/* Other stores have no app passwords, and set no base. */
	if (d->right && d->base[0] != '\0')
		return d->base;
	return strcmp(d->user, SASL_NO_NAME) == 0 ? "" : d->user;
}

const char *
saslauth_app(const struct saslauth_dialogue *d)
{
	return d->right ? d->app : "";
}

enum apppass_refusal
saslauth_refusal(const struct saslauth_dialogue *d)
{
	return d->right ? d->refusal : APPPASS_USABLE;
}

const unsigned char *
saslauth_proof(const struct saslauth_dialogue *d)
{
	return d->proof;
}
