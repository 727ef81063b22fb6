/* SPDX-License-Identifier: ISC */
/*
 * Messages on their way in, see store_body.h. Runs in smtpd-store; the octets
 * come from a session and are hostile. Nothing but whole CRLFs ends a line
 * here, so the header block that is judged is the one that is stored.
 */
#include "smtpd/store_body.h"

#include <errno.h>
#include <string.h>

#include "lib/str.h"
#include "mail/trace.h"
#include "smtpd/store_author.h"

#define HEAD_MAX	16384	/* fields we add; they are far less */
#define NAME_MAX_OCTETS	998	/* of a line, RFC 5322 section 2.1.1 */

enum store_status
body_errno(int error)
{
	return error == ENOSPC || error == EDQUOT ? STORE_NO_SPACE :
	    STORE_FAILED;
}

/* Keep the account of memory. */
static void
charge(struct body *b)
{
	size_t now = b->head.cap + b->text.cap;

	b->env->memory = b->env->memory - b->charged + now;
	b->charged = now;
}

static void
let_go(struct body *b)
{
	buf_free(&b->head);
	buf_free(&b->text);
	charge(b);
	staged_close(&b->file);
}

/* The message is not to be had any more; the session goes on sending. */
static void
spoil(struct body *b, enum store_status status, int error)
{
	if (b->status != STORE_OK)
		return;
	b->status = status;
	b->error = error;
	let_go(b);
}

int
body_open(struct body *b, struct body_env *env, const char *path,
    const struct addr *login, uint32_t flags, const char *id, int64_t now,
    const struct trace *t)
{
	struct trace full = *t;

	memset(b, 0, sizeof(*b));
	b->env = env;
	b->path = path;
	b->login = *login;
	b->now = now;
	b->binary = (flags & STORE_BINARY) != 0;
	b->status = STORE_OK;
	staged_init(&b->file);
	buf_init(&b->head, HEAD_MAX);
	buf_init(&b->text, SIZE_MAX / 2);	/* bounded by memory_max */
	if (str_copy(b->id, sizeof(b->id), id) == -1)
		return -1;
	full.hostname = env->hostname;
	full.id = b->id;
	full.now = now;
	if (trace_write(&b->head, &full) == -1) {
		buf_free(&b->head);
		return -1;
	}
	charge(b);
	return 0;
}

static void
count(struct body *b, const unsigned char *p, size_t len)
{
	const unsigned char *lf;

	b->size += len;
	if (b->binary)
		return;
	for (; len > 0 && (lf = memchr(p, '\n', len)) != NULL; b->lines++) {
		len -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
}

int
body_flush(struct body *b)
{
	const unsigned char *p = buf_data(&b->text);

	if (b->file.fd == -1 &&
	    staged_open(&b->file, b->env->root, b->path, b->id) == -1)
		return -1;
	if (b->text.len == 0)
		return 0;
	if (staged_write(&b->file, p, b->text.len) == -1)
		return -1;
	count(b, p, b->text.len);
	buf_take(&b->text, b->text.len);
	return 0;
}

/* Append text whose line ends are LF, as the message has them. */
static int
add_lines(struct buf *out, const struct body *b, const struct buf *lines)
{
	const char *s = lines->len > 0 ? (const char *)buf_data(lines) : "";
	size_t len = lines->len, n;
	const char *lf;
	int r = 0;

	if (!b->binary)
		return buf_add(out, s, len);
	for (; len > 0 && (lf = memchr(s, '\n', len)) != NULL; s = lf + 1) {
		n = (size_t)(lf - s);
		r |= buf_add(out, s, n) | buf_add(out, "\r\n", 2);
		len -= n + 1;
	}
	return r;
}

/*
 * Is the header block of a binary message, with the empty line behind it,
 * lines that end in CRLF, and no NUL? What is read otherwise by others is
 * not to be stored.
 */
static bool
is_clean(const char *text, size_t end, size_t len)
{
	size_t i;

	if (end < len && (text[end] == '\r' || text[end] == '\n'))
		end = len - end < 2 ? len : end + 2;
	for (i = 0; i < end; i++) {
		if (text[i] == '\0' || text[i] == '\n')
			return false;
		if (text[i] != '\r')
			continue;
		if (++i == end || text[i] != '\n')
			return false;
	}
	return true;
}

/*
 * Append the header block without the fields that name hidden recipients:
 * all recipients share the file (RFC 5322, 3.6.3).
 */
static int
add_header(struct buf *out, const char *block, size_t len)
{
	struct header_field f;
	size_t from = 0, pos = 0;
	int r = 0;

	for (; header_next(block, len, &pos, &f); from = pos)
		if (!header_is(&f, "Bcc") && !header_is(&f, "Resent-Bcc"))
			r |= buf_add(out, block + from, pos - from);
	return r | buf_add(out, block + from, len - from);
}

/*
 * Put together what goes to the file first: trace fields, missing fields,
 * the header block, the empty line if it was missing, and the octets of the
 * body that are here already.
 */
static int
assemble(struct body *b, size_t end, const struct author_facts *facts,
    bool blank)
{
	struct trace t = { .hostname = b->env->hostname, .id = b->id,
	    .now = b->now };
	const unsigned char *text = buf_data(&b->text);
	size_t len = b->text.len;
	const char *eol = b->binary ? "\r\n" : "\n";
	struct buf out;
	int r = 0;

	buf_init(&out, SIZE_MAX / 2);
	if (!facts->date)
		r |= trace_write_date(&b->head, &t);
	if (!facts->message_id)
		r |= trace_write_message_id(&b->head, &t);
	r |= add_lines(&out, b, &b->head);
	if (end > 0)
		r |= add_header(&out, (const char *)text, end);
	if (blank)
		r |= buf_add(&out, eol, strlen(eol));
	if (len > end)
		r |= buf_add(&out, text + end, len - end);
	if (r != 0) {
		buf_free(&out);
		return -1;
	}
	buf_free(&b->head);
	buf_free(&b->text);
	b->text = out;
	return 0;
}

/*
 * The block is too long to wait for the end of this line; but what the line
 * is must be seen: where a piece of it ends is the client's choice.
 */
static enum header_end
force_end(struct body *b, const char *text, size_t *end)
{
	const char *line = text + b->search.line;
	const size_t len = b->text.len - b->search.line;

	if (b->search.line <= b->env->header_size &&
	    ((len == 1 && *line == '\r') ||
	    (len <= NAME_MAX_OCTETS && header_may_begin(line, len))))
		return HEADER_MORE;
	return header_find_end(&b->search, text, b->text.len, true, end);
}

/* The header block may be complete now, or must be (eof). */
static void
check_header(struct body *b, bool eof)
{
	const char *text = b->text.len > 0 ?
	    (const char *)buf_data(&b->text) : "";
	const uint64_t max = b->env->header_size;
	const struct author who = { &b->login, b->env->aliases };
	struct author_facts facts;
	enum store_status status;
	enum header_end r;
	size_t end;

	r = header_find_end(&b->search, text, b->text.len, eof, &end);
	if (r == HEADER_MORE && b->text.len > max)
		r = force_end(b, text, &end);
	if (r == HEADER_MORE)
		return;
	if (end > max || (b->binary && !is_clean(text, end, b->text.len))) {
		spoil(b, STORE_BAD_HEADER, 0);
		return;
	}
	status = author_check(text, end, &who, b->env->received_limit, &facts);
	if (status != STORE_OK) {
		spoil(b, status, 0);
		return;
	}
	if (assemble(b, end, &facts, r == HEADER_BROKEN &&
	    end < b->text.len) == -1) {
		spoil(b, STORE_FAILED, errno);
		return;
	}
	b->header_done = true;
}

/* Append the octets with LF for CRLF. -1: another CR or LF, or no memory. */
static int
convert(struct body *b, const unsigned char *p, size_t len)
{
	const unsigned char *lf, *cr;
	size_t n;

	errno = 0;
	while (len > 0) {
		lf = memchr(p, '\n', len);
		n = lf != NULL ? (size_t)(lf - p) : len;
		if (b->cr && n > 0)
			return -1;
		cr = n > 0 ? memchr(p, '\r', n) : NULL;
		if (cr != NULL && cr != p + n - 1)
			return -1;
		if (lf != NULL && cr == NULL && !b->cr)
			return -1;
		b->cr = lf == NULL && cr != NULL;
		if (buf_add(&b->text, p, n - (cr != NULL ? 1 : 0)) == -1 ||
		    (lf != NULL && buf_add(&b->text, "\n", 1) == -1))
			return -1;
		n += lf != NULL ? 1 : 0;
		p += n;
		len -= n;
	}
	return 0;
}

/* Append the octets as they are stored. -1 as convert(). */
static int
take(struct body *b, const void *data, size_t len)
{
	return b->binary ? buf_add(&b->text, data, len) :
	    convert(b, data, len);
}

/* All that is in memory to the file, or no message. */
static void
put_out(struct body *b)
{
	if (body_flush(b) == -1) {
		spoil(b, body_errno(errno), errno);
		return;
	}
	buf_free(&b->text);
	charge(b);
}

/* Keep within memory: to the file, when there is much or others need it. */
static void
spill(struct body *b)
{
	bool tight;

	charge(b);
	tight = b->env->memory > b->env->memory_max;
	if (!b->header_done) {
		if (tight)
			spoil(b, STORE_FAILED, ENOMEM);
		return;
	}
	if (!tight && b->text.len < BODY_SPILL)
		return;
	put_out(b);
}

void
body_yield(struct body *b, size_t most)
{
	if (b->status != STORE_OK || b->charged <= most)
		return;
	if (b->header_done)
		put_out(b);
	else
		spoil(b, STORE_FAILED, ENOMEM);
}

void
body_add(struct body *b, const void *data, size_t len)
{
	b->received += len;
	if (b->status != STORE_OK)
		return;
	if (b->received > b->env->message_size) {
		spoil(b, STORE_TOO_BIG, 0);
		return;
	}
	if (take(b, data, len) == -1) {
		spoil(b, errno != 0 ? STORE_FAILED : STORE_BAD_HEADER, errno);
		return;
	}
	if (!b->header_done)
		check_header(b, false);
	if (b->status == STORE_OK)
		spill(b);
}

enum store_status
body_end(struct body *b)
{
	if (b->status == STORE_OK && b->cr)
		spoil(b, STORE_BAD_HEADER, 0);
	if (b->status == STORE_OK && !b->header_done)
		check_header(b, true);
	if (b->status == STORE_OK)
		charge(b);
	return b->status;
}

void
body_free(struct body *b)
{
	if (b->env == NULL)
		return;
	let_go(b);
	b->env = NULL;
}
