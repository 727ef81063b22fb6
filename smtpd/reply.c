/* SPDX-License-Identifier: ISC */
/*
 * The reply table. Runs in smtpd-session; pure. Codes are those of RFC 5321
 * section 4.2, RFC 3463 and RFC 4954; a new reply is one row here and one
 * name in reply.h. The table of postern-smtp(7) is made from it.
 */
#include <string.h>

#include "lib/buf.h"
#include "smtpd/reply.h"

static const struct reply_row rows[REPLY_COUNT] = {
	[REPLY_HELP] = { 214, "2.0.0",
	    "See RFC 5321 and postern-smtp(7)" },
	[REPLY_GREETING] = { 220, "", "%s ESMTP" },
	[REPLY_TLS_GO] = { 220, "2.0.0", "Ready to start TLS" },
	[REPLY_BYE] = { 221, "2.0.0", "%s closing connection" },
	[REPLY_LOGIN_OK] = { 235, "2.7.0", "Authentication succeeded" },
	[REPLY_HELLO] = { 250, "", "%s" },
	[REPLY_OK] = { 250, "2.0.0", "Ok" },
	[REPLY_DELIVERED] = { 250, "2.0.0", "Ok: delivered as %s" },
	[REPLY_CHUNK] = { 250, "2.0.0", "%s octets received" },
	[REPLY_SENDER_OK] = { 250, "2.1.0", "Sender ok" },
	[REPLY_RCPT_OK] = { 250, "2.1.5", "Recipient ok" },
	[REPLY_VRFY] = { 252, "2.5.2",
	    "Cannot verify the user, try RCPT to deliver" },
	[REPLY_CHALLENGE] = { 334, "", "%s" },
	[REPLY_GO_AHEAD] = { 354, "", "End data with <CR><LF>.<CR><LF>" },

	[REPLY_HELPER_STUCK] = { 421, "4.3.0",
	    "%s internal time-out, closing connection" },
	[REPLY_SHUTDOWN] = { 421, "4.3.2", "%s shutting down" },
	[REPLY_BUSY] = { 421, "4.3.2",
	    "%s too many connections, try again later" },
	[REPLY_TIMEOUT] = { 421, "4.4.2", "%s timed out waiting for input" },
	[REPLY_SESSION_TIME] = { 421, "4.4.2", "%s session lasts too long" },
	[REPLY_SLOW] = { 421, "4.4.2", "%s data comes too slowly" },
	[REPLY_CROWDED] = { 421, "4.7.0",
	    "%s too many connections from your address" },
	[REPLY_LOGIN_TIME] = { 421, "4.7.0", "%s no login in time" },
	[REPLY_ERRORS] = { 421, "4.7.0", "%s too many errors" },
	[REPLY_THROTTLED] = { 421, "4.7.0",
	    "%s too many failed logins, try again later" },
	[REPLY_REVOKED] = { 421, "4.7.0", "%s login is no longer valid" },

	[REPLY_RATE] = { 450, "4.7.1",
	    "Too much mail from this login, try again in %s seconds" },
	[REPLY_FAILED] = { 451, "4.3.0",
	    "Temporary failure, try again later" },
	[REPLY_QUOTA] = { 452, "4.2.2", "Mailbox is full" },
	[REPLY_NO_SPACE] = { 452, "4.3.1", "Not enough space" },
	[REPLY_RCPT_LIMIT] = { 452, "4.5.3", "Too many recipients" },
	[REPLY_MAIL_LIMIT] = { 452, "4.5.3",
	    "Too many messages in this session" },
	[REPLY_AUTH_AWAY] = { 454, "4.7.0",
	    "Temporary authentication failure" },

	[REPLY_UNKNOWN] = { 500, "5.5.2", "Command not recognized" },
	[REPLY_BARE_COMMAND] = { 500, "5.5.2",
	    "CR or LF on its own, or NUL, in a command" },
	[REPLY_LONG_COMMAND] = { 500, "5.5.2", "Line too long" },
	[REPLY_LONG_SASL] = { 500, "5.5.6",
	    "Authentication exchange line is too long" },
	[REPLY_BASE64] = { 501, "5.5.2", "Cannot decode BASE64" },
	[REPLY_SASL_SYNTAX] = { 501, "5.5.2",
	    "Authentication exchange is malformed" },
	[REPLY_ARGUMENT] = { 501, "5.5.4", "Syntax error in arguments" },
	[REPLY_NO_ARGUMENT] = { 501, "5.5.4", "No argument allowed" },
	[REPLY_HELLO_NAME] = { 501, "5.5.4",
	    "A domain or address literal is needed" },
	[REPLY_PATH] = { 501, "5.5.4", "Syntax error in path" },
	[REPLY_PATH_LONG] = { 501, "5.5.4", "Path too long" },
	[REPLY_PARAM_SYNTAX] = { 501, "5.5.4", "Syntax error in parameter" },
	[REPLY_PARAM_TWICE] = { 501, "5.5.4", "Parameter given twice" },
	[REPLY_CHUNK_SIZE] = { 501, "5.5.4", "Malformed chunk size" },
	[REPLY_CANCELLED] = { 501, "5.7.0", "Authentication cancelled" },
	[REPLY_LATER] = { 502, "5.5.1", "Command not implemented" },
	[REPLY_HELLO_FIRST] = { 503, "5.5.1", "Say EHLO first" },
	[REPLY_TLS_ALREADY] = { 503, "5.5.1", "TLS is active already" },
	[REPLY_LOGGED_IN] = { 503, "5.5.1", "Already logged in" },
	[REPLY_MAIL_FIRST] = { 503, "5.5.1", "Say MAIL first" },
	[REPLY_RCPT_FIRST] = { 503, "5.5.1", "No valid recipient yet" },
	[REPLY_NESTED] = { 503, "5.5.1", "Sender given already" },
	[REPLY_IN_TRANSACTION] = { 503, "5.5.1",
	    "Not allowed in a mail transaction" },
	[REPLY_IN_DATA] = { 503, "5.5.1", "Chunks have begun, use BDAT" },
	[REPLY_NEEDS_BDAT] = { 503, "5.5.1", "BODY=BINARYMIME needs BDAT" },
	[REPLY_MECHANISM] = { 504, "5.5.4",
	    "Unknown authentication mechanism" },
	[REPLY_BODY_VALUE] = { 504, "5.5.4", "Unknown value of BODY" },
	[REPLY_NO_HELP] = { 504, "5.5.4", "No help for that" },
	[REPLY_NEED_TLS] = { 530, "5.7.0", "Must issue STARTTLS first" },
	[REPLY_NEED_AUTH] = { 530, "5.7.0", "Authentication required" },
	[REPLY_LOGIN_FAILED] = { 535, "5.7.8",
	    "Authentication credentials invalid" },
	[REPLY_AUTH_NEEDS_TLS] = { 538, "5.7.11",
	    "Encryption required for authentication" },
	[REPLY_NO_USER] = { 550, "5.1.1", "No such mailbox" },
	[REPLY_BARE_CONTENT] = { 550, "5.5.2",
	    "CR or LF on its own in the message" },
	[REPLY_NUL] = { 550, "5.6.0", "NUL in the message" },
	[REPLY_TEXT_LINE] = { 550, "5.6.0", "Line too long in the message" },
	[REPLY_EIGHT_BIT] = { 550, "5.6.0",
	    "8-bit octet in the header without SMTPUTF8" },
	[REPLY_HEADER_UTF8] = { 550, "5.6.0", "Header is not valid UTF-8" },
	[REPLY_BAD_HEADER] = { 550, "5.6.0",
	    "Header is too big, or its From or Sender field is malformed" },
	[REPLY_NOT_LOCAL] = { 550, "5.7.1", "Relaying denied" },
	[REPLY_NOT_AUTHOR] = { 550, "5.7.1",
	    "From or Sender field does not belong to this login" },
	[REPLY_TOO_BIG] = { 552, "5.3.4", "Message too big" },
	[REPLY_RCPT_DOMAIN] = { 553, "5.1.3",
	    "Recipient's domain is not valid by IDNA" },
	[REPLY_SENDER_DOMAIN] = { 553, "5.1.7",
	    "Sender's domain is not valid by IDNA" },
	[REPLY_NON_ASCII] = { 553, "5.6.7",
	    "Address must be ASCII without SMTPUTF8" },
	[REPLY_NOT_UTF8] = { 553, "5.6.7", "Address is not valid UTF-8" },
	[REPLY_NOT_SENDER] = { 553, "5.7.1",
	    "Sender address does not belong to this login" },
	[REPLY_LOOP] = { 554, "5.4.6", "Too many Received fields" },
	[REPLY_TLS_PIPELINED] = { 554, "5.5.0",
	    "Octets sent behind STARTTLS" },
	[REPLY_PARAM] = { 555, "5.5.4", "Parameter not recognized" },
};

const struct reply_row *
reply_row(enum reply r)
{
	return &rows[r < REPLY_COUNT ? r : REPLY_NONE];
}

static int
add_code(struct buf *out, const struct reply_row *row, char sep)
{
	return buf_addf(out, "%03d%c%s%s", row->code, sep, row->enhanced,
	    row->enhanced[0] != '\0' ? " " : "");
}

int
reply_add(struct buf *out, enum reply r, const char *arg)
{
	const struct reply_row *row = reply_row(r);
	const char *at = strstr(row->text, "%s");
	size_t head = at == NULL ? strlen(row->text) :
	    (size_t)(at - row->text);

	if (add_code(out, row, ' ') == -1 ||
	    buf_add(out, row->text, head) == -1)
		return -1;
	if (at != NULL && arg != NULL && buf_add(out, arg, strlen(arg)) == -1)
		return -1;
	return buf_addf(out, "%s\r\n", at != NULL ? at + 2 : "");
}

int
reply_add_line(struct buf *out, enum reply r, bool more, const char *text)
{
	if (add_code(out, reply_row(r), more ? '-' : ' ') == -1)
		return -1;
	return buf_addf(out, "%s\r\n", text);
}
