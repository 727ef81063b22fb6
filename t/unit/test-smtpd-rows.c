/* SPDX-License-Identifier: ISC */
/*
 * What each verb takes and refuses, a row for each production of the
 * grammar, each limit (at it, and one over) and each refusal. In a text
 * {65a} stands for 65 letters a.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "t/unit/smtpd-play.h"

#define ROWS(a)	(sizeof(a) / sizeof((a)[0]))

/* The text with its {65a} written out; the caller frees. */
static char *
expand(const char *s)
{
	struct buf b;
	char *end, *text;
	size_t n;

	buf_init(&b, 1024 * 1024);
	for (; *s != '\0'; s++) {
		n = 1;
		if (*s == '{' && isdigit((unsigned char)s[1])) {
			n = strtoul(s + 1, &end, 10);
			assert_int_equal(end[1], '}');
			while (n-- > 0)
				assert_int_equal(buf_add(&b, end, 1), 0);
			s = end + 1;
		} else
			assert_int_equal(buf_add(&b, s, 1), 0);
	}
	assert_int_equal(buf_add(&b, "", 1), 0);
	text = malloc(b.len);
	assert_non_null(text);
	memcpy(text, buf_data(&b), b.len);
	buf_free(&b);
	return text;
}

struct row {
	enum state	 at;
	const char	*say, *codes;
	const char	*told;		/* to the helpers; NULL: any */
};

static void
check_row(const struct row *r)
{
	char *say = expand(r->say), *codes;
	struct play p;

	play_reach(&p, r->at);
	play_say(&p, say);
	codes = play_codes(&p);
	if (strcmp(codes, r->codes) != 0)
		fail_msg("%s in %s: %s", r->say, table_state_name(r->at),
		    codes);
	if (r->told != NULL) {
		free(say);
		say = expand(r->told);
		buf_add(&p.log, "", 1);
		if (strcmp((const char *)buf_data(&p.log), say) != 0)
			fail_msg("%s: %s", r->say,
			    (const char *)buf_data(&p.log));
	}
	free(say);
	free(codes);
	play_end(&p);
}

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&rows[i]);
}

/*
 * RFC 5321 section 4.1.2, Path. What is told to the store shows how the path
 * was read; NULL: no path.
 */
static const struct path {
	const char	*path, *told;
} paths[] = {
	/* Path = "<" [ A-d-l ":" ] Mailbox ">" */
	{ "<a@b.test>", "a@b.test" },
	{ "a@b.test", NULL }, { "<a@b.test", NULL }, { "a@b.test>", NULL },
	{ "<a@b.test>>", NULL }, { "<<a@b.test>>", NULL },
	{ "< a@b.test>", NULL }, { "<a@b.test >", NULL }, { "<", NULL },
	{ "", NULL }, { ">", NULL }, { "<a b@c.test>", NULL },
	{ "(x)<a@b.test>", NULL }, { "a <a@b.test>", NULL },
	/* A-d-l = At-domain *( "," At-domain ) */
	{ "<@r.test:a@b.test>", "a@b.test" },
	{ "<@r.test,@s.test,@t.test:a@b.test>", "a@b.test" },
	{ "<@{63r}:a@b.test>", "a@b.test" }, { "<@{64r}:a@b.test>", NULL },
	{ "<@r.test>", NULL }, { "<@r.test:>", NULL }, { "<@:a@b.test>",
	    NULL }, { "<@r.test,:a@b.test>", NULL },
	{ "<@r.test,s.test:a@b.test>", NULL }, { "<r.test:a@b.test>", NULL },
	{ "<@r.test,,@s.test:a@b.test>", NULL },
	{ "<@r.test @s.test:a@b.test>", NULL },
	{ "<@r.test;a@b.test>", NULL }, { "<@r.test.:a@b.test>", NULL },
	{ "<@[192.0.2.1]:a@b.test>", NULL }, { "<:a@b.test>", NULL },
	/* Mailbox = Local-part "@" ( Domain / address-literal ) */
	{ "<a>", NULL }, { "<@b.test>", NULL }, { "<a@>", NULL },
	{ "<a@@b.test>", NULL }, { "<a@b@c.test>", NULL }, { "<@>", NULL },
	{ "<a%b.test>", NULL },
	/* Dot-string = Atom *("."  Atom) */
	{ "<a.b@c.test>", "a.b@c.test" },
	{ "<a.b.c.d@e.test>", "a.b.c.d@e.test" },
	{ "<.a@b.test>", NULL }, { "<a.@b.test>", NULL },
	{ "<a..b@c.test>", NULL }, { "<.@b.test>", NULL },
	/* atext, and what is none */
	{ "<aZ09@b.test>", "aZ09@b.test" },
	{ "<!#$%&'*+@b.test>", "!#$%&'*+@b.test" },
	{ "<-/=?^_`@b.test>", "-/=?^_`@b.test" },
	{ "<{1{}|{1}}~@b.test>", "{1{}|{1}}~@b.test" },
	{ "<a(@b.test>", NULL }, { "<a)@b.test>", NULL },
	{ "<a<@b.test>", NULL }, { "<a[@b.test>", NULL },
	{ "<a]@b.test>", NULL }, { "<a:@b.test>", NULL },
	{ "<a;@b.test>", NULL }, { "<a\\@b.test>", NULL },
	{ "<a,@b.test>", NULL }, { "<a\"@b.test>", NULL },
	{ "<a\t@b.test>", NULL }, { "<a\x01@b.test>", NULL },
	{ "<a\x1f@b.test>", NULL }, { "<a\x7f@b.test>", NULL },
	/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE */
	{ "<\"\"@b.test>", "@b.test" }, { "<\"a\"@b.test>", "a@b.test" },
	{ "<\"a.b\"@c.test>", "a.b@c.test" },
	{ "<\".\"@b.test>", ".@b.test" },
	{ "<\"a@b\"@c.test>", "a@b@c.test" },
	{ "<\"a>b\"@c.test>", "a>b@c.test" },
	{ "<\" \"@b.test>", " @b.test" }, { "<\"a@b.test>", NULL },
	{ "<a\"@b.test>", NULL }, { "<\"a\"b@c.test>", NULL },
	{ "<a\"b\"@c.test>", NULL }, { "<\"a\".b@c.test>", NULL },
	{ "<a.\"b\"@c.test>", NULL }, { "<\"a\" @b.test>", NULL },
	/* qtextSMTP = 32-33, 35-91, 93-126 */
	{ "<\"!#[]~\"@b.test>", "!#[]~@b.test" },
	{ "<\"\t\"@b.test>", NULL }, { "<\"\x1f\"@b.test>", NULL },
	{ "<\"\x7f\"@b.test>", NULL },
	/* quoted-pairSMTP = "\" 32-126 */
	{ "<\"\\\"\"@b.test>", "\"@b.test" },
	{ "<\"\\\\\"@b.test>", "\\@b.test" },
	{ "<\"\\ \\~\\a\"@b.test>", " ~a@b.test" },
	{ "<\"\\\x1f\"@b.test>", NULL }, { "<\"\\\x7f\"@b.test>", NULL },
	{ "<\"\\\"@b.test>", NULL }, { "<\"a\\", NULL }, { "<\"", NULL },
	/* Domain = sub-domain *("." sub-domain) */
	{ "<a@b>", "a@b" }, { "<a@B.C.Test>", "a@b.c.test" },
	{ "<a@.b>", NULL }, { "<a@b.>", NULL }, { "<a@b..c>", NULL },
	/* sub-domain = Let-dig [Ldh-str] */
	{ "<a@0>", "a@0" }, { "<a@9-a.z9>", "a@9-a.z9" },
	{ "<a@b--c>", "a@b--c" }, { "<a@-b>", NULL }, { "<a@b->", NULL },
	{ "<a@b.-c>", NULL }, { "<a@b-.c>", NULL }, { "<a@->", NULL },
	{ "<a@b_c>", NULL }, { "<a@b/c>", NULL }, { "<a@b:c>", NULL },
	{ "<a@b`c>", NULL }, { "<a@b{1{}c>", NULL }, { "<a@\"b\">", NULL },
	{ "<a@b,c>", NULL }, { "<a@#123>", NULL },
	/* section 4.5.3.1: 64, 63 and 255 octets */
	{ "<{64a}@b.test>", "{64a}@b.test" }, { "<{65a}@b.test>", NULL },
	{ "<{31a}.{32a}@b.test>", "{31a}.{32a}@b.test" },
	{ "<{32a}.{32a}@b.test>", NULL },
	{ "<\"{64a}\"@b.test>", "{64a}@b.test" },
	{ "<\"{65a}\"@b.test>", NULL },
	{ "<\"\\{63a}a\"@b.test>", "{64a}@b.test" },
	{ "<a@{63b}>", "a@{63b}" }, { "<a@{64b}>", NULL },
	{ "<a@{63b}.{63b}.{63b}.{63b}>", "a@{63b}.{63b}.{63b}.{63b}" },
	{ "<a@{63b}.{63b}.{63b}.{62b}.b>", NULL },
	{ "<{64a}@{63b}.{63b}.{63b}.{63b}>",
	    "{64a}@{63b}.{63b}.{63b}.{63b}" },
	/* address-literal */
	{ "<a@[192.0.2.1]>", "a@[192.0.2.1]" }, { "<a@[]>", NULL },
	{ "<a@[192.0.2.1>", NULL }, { "<a@192.0.2.1]>", NULL },
	{ "<a@[192.0.2.1].b>", NULL }, { "<a@[[192.0.2.1]]>", NULL },
	{ "<a@[ 192.0.2.1]>", NULL }, { "<a@[192.0.2.1 ]>", NULL },
	/* IPv4-address-literal = Snum 3("." Snum) */
	{ "<a@[0.0.0.0]>", "a@[0.0.0.0]" },
	{ "<a@[255.255.255.255]>", "a@[255.255.255.255]" },
	{ "<a@[256.0.0.1]>", NULL }, { "<a@[1.2.3.256]>", NULL },
	{ "<a@[1.2.3]>", NULL }, { "<a@[1.2.3.4.5]>", NULL },
	{ "<a@[1.2..3]>", NULL }, { "<a@[.1.2.3]>", NULL },
	{ "<a@[1.2.3.]>", NULL }, { "<a@[1.2.3.0004]>", NULL },
	{ "<a@[1.2.3.a]>", NULL }, { "<a@[1.2.3./]>", NULL },
	{ "<a@[1.2.3.-4]>", NULL }, { "<a@[1,2,3,4]>", NULL },
	/* IPv6-full */
	{ "<a@[IPv6:1:2:3:4:5:6:7:8]>", "a@[ipv6:1:2:3:4:5:6:7:8]" },
	{ "<a@[IPV6:ffff:0:0:0:0:0:0:AbcD]>",
	    "a@[ipv6:ffff:0:0:0:0:0:0:abcd]" },
	{ "<a@[IPv6:1:2:3:4:5:6:7]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:8:9]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:8:]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:00008]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:g]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:8%1]>", NULL },
	{ "<a@[IPv6:]>", NULL }, { "<a@[IPv6]>", NULL },
	{ "<a@[1:2:3:4:5:6:7:8]>", "a@[1:2:3:4:5:6:7:8]" }, /* General */
	/* IPv6-comp: "::" for two groups at least, at each place */
	{ "<a@[IPv6:::]>", "a@[ipv6:::]" },
	{ "<a@[IPv6:::1]>", "a@[ipv6:::1]" },
	{ "<a@[IPv6:1::]>", "a@[ipv6:1::]" },
	{ "<a@[IPv6:::1:2:3:4:5:6]>", "a@[ipv6:::1:2:3:4:5:6]" },
	{ "<a@[IPv6:1::2:3:4:5:6]>", "a@[ipv6:1::2:3:4:5:6]" },
	{ "<a@[IPv6:1:2::3:4:5:6]>", "a@[ipv6:1:2::3:4:5:6]" },
	{ "<a@[IPv6:1:2:3::4:5:6]>", "a@[ipv6:1:2:3::4:5:6]" },
	{ "<a@[IPv6:1:2:3:4::5:6]>", "a@[ipv6:1:2:3:4::5:6]" },
	{ "<a@[IPv6:1:2:3:4:5::6]>", "a@[ipv6:1:2:3:4:5::6]" },
	{ "<a@[IPv6:1:2:3:4:5:6::]>", "a@[ipv6:1:2:3:4:5:6::]" },
	{ "<a@[IPv6:::1:2:3:4:5:6:7]>", NULL },
	{ "<a@[IPv6:1::2:3:4:5:6:7]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7::]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:8::]>", NULL },
	{ "<a@[IPv6:1::2::3]>", NULL }, { "<a@[IPv6:::1::]>", NULL },
	{ "<a@[IPv6::::]>", NULL }, { "<a@[IPv6:1:::2]>", NULL },
	{ "<a@[IPv6::1]>", NULL }, { "<a@[IPv6::1:2:3:4:5:6:7:8]>", NULL },
	{ "<a@[IPv6:1::00002]>", NULL }, { "<a@[IPv6:1::x]>", NULL },
	{ "<a@[IPv6:1::2:]>", NULL },
	/* IPv6v4-full */
	{ "<a@[IPv6:1:2:3:4:5:6:192.0.2.1]>",
	    "a@[ipv6:1:2:3:4:5:6:192.0.2.1]" },
	{ "<a@[IPv6:1:2:3:4:5:192.0.2.1]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:7:192.0.2.1]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:192.0.2]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:192.0.2.256]>", NULL },
	{ "<a@[IPv6:1:2:3:4:5:6:1.2.3.4:5]>", NULL },
	{ "<a@[IPv6:192.0.2.1]>", NULL },
	/* IPv6v4-comp */
	{ "<a@[IPv6:::192.0.2.1]>", "a@[ipv6:::192.0.2.1]" },
	{ "<a@[IPv6:1::192.0.2.1]>", "a@[ipv6:1::192.0.2.1]" },
	{ "<a@[IPv6:1:2:3:4::192.0.2.1]>", "a@[ipv6:1:2:3:4::192.0.2.1]" },
	{ "<a@[IPv6:::1:2:3:4:192.0.2.1]>", "a@[ipv6:::1:2:3:4:192.0.2.1]" },
	{ "<a@[IPv6:1:2::3:4:192.0.2.1]>", "a@[ipv6:1:2::3:4:192.0.2.1]" },
	{ "<a@[IPv6:1:2:3:4:5::192.0.2.1]>", NULL },
	{ "<a@[IPv6:::1:2:3:4:5:192.0.2.1]>", NULL },
	{ "<a@[IPv6:1::192.0.2.1::]>", NULL },
	{ "<a@[IPv6:192.0.2.1::]>", NULL },
	/* General-address-literal = Standardized-tag ":" 1*dcontent */
	{ "<a@[x:y]>", "a@[x:y]" }, { "<a@[0-9:y]>", "a@[0-9:y]" },
	{ "<a@[x:!Z]>", "a@[x:!z]" }, { "<a@[x:^~]>", "a@[x:^~]" },
	{ "<a@[x:]>", NULL }, { "<a@[:y]>", NULL }, { "<a@[x]>", NULL },
	{ "<a@[x-:y]>", NULL }, { "<a@[-:y]>", NULL },
	{ "<a@[x_z:y]>", NULL }, { "<a@[x:y z]>", NULL },
	{ "<a@[x:[]>", NULL }, { "<a@[x:\\]>", NULL },
	{ "<a@[x:y]z]>", NULL }, { "<a@[x:\x7f]>", NULL },
	{ "<a@[x:\x1f]>", NULL },
	{ "<a@[x:{251y}]>", "a@[x:{251y}]" }, { "<a@[x:{252y}]>", NULL },
};

static void
test_paths(void **state)
{
	char say[600], told[600];
	struct row r;

	(void)state;
	for (size_t i = 0; i < ROWS(paths); i++) {
		const struct path *p = &paths[i];

		/* none is of the login, nor local: that the store says */
		r = (struct row){ STATE_READY, say, p->told == NULL ?
		    "501 5.5.4" : "553 5.7.1", told };
		snprintf(say, sizeof(say), "MAIL FROM:%s\r\n", p->path);
		snprintf(told, sizeof(told), "%s%s%s", p->told == NULL ? "" :
		    "BEGIN ", p->told == NULL ? "" : p->told,
		    p->told == NULL ? "" : ";ABORT;");
		check_row(&r);
		r = (struct row){ STATE_MAIL, say, p->told == NULL ?
		    "501 5.5.4" : "550 5.7.1", told };
		snprintf(say, sizeof(say), "RCPT TO:%s\r\n", p->path);
		snprintf(told, sizeof(told), "%s%s%s", p->told == NULL ? "" :
		    "RCPT ", p->told == NULL ? "" : p->told,
		    p->told == NULL ? "" : ";");
		check_row(&r);
	}
}

/* Any octet at any of three places: of an atom, quoted, of a domain. */
static void
test_every_octet_of_a_path(void **state)
{
	static const char specials[] = "()<>[]:;@\\,\" ";
	struct row r = { .at = STATE_READY };
	char say[64];

	(void)state;
	r.say = say;
	for (int c = 1; c < 256; c++) {
		bool graph = c > 32 && c < 127, alnum = graph && isalnum(c);

		if (c == '\r' || c == '\n' || c == '{')
			continue;
		r.codes = c >= 128 ? "553 5.6.7" : graph &&
		    strchr(specials, c) == NULL ? "553 5.7.1" : "501 5.5.4";
		snprintf(say, sizeof(say), "MAIL FROM:<a%cb@c>\r\n", c);
		if (c != '@')		/* "a@b@c" */
			check_row(&r);
		r.codes = c >= 128 ? "553 5.6.7" : c < 32 || c == 127 ||
		    c == '"' || c == '\\' ? "501 5.5.4" : "553 5.7.1";
		snprintf(say, sizeof(say), "MAIL FROM:<\"a%c\"@c>\r\n", c);
		check_row(&r);
		r.codes = c >= 128 ? "553 5.6.7" : alnum || c == '-' ||
		    c == '.' ? "553 5.7.1" : "501 5.5.4";
		snprintf(say, sizeof(say), "MAIL FROM:<a@b%cc>\r\n", c);
		check_row(&r);
	}
}

static const struct row mail_rows[] = {
	/* "MAIL FROM:" Reverse-path [SP Mail-parameters] */
	{ STATE_READY, "MAIL FROM:<alice@example.test>\r\n",
	    "250 2.1.0", "BEGIN alice@example.test;" },
	{ STATE_READY, "mail from:<>\r\n", "250 2.1.0", "BEGIN ;" },
	{ STATE_READY, "MAIL FROM:<postmaster>\r\n", "501 5.5.4", "" },
	{ STATE_READY, "MAIL FROM:<>  \t\r\n", "250 2.1.0", NULL },
	{ STATE_READY, "MAIL FROM:< >\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<>;\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<>\tSIZE=1\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<>   SIZE=1\r\n", "250 2.1.0",
	    NULL },
	{ STATE_READY, "MAIL  FROM:<>\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL\tFROM:<>\r\n", "500 5.5.2", NULL },
	/* Keyword, Argument: each fault once; cmd has them all */
	{ STATE_READY, "MAIL FROM:<> -A=b\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> A==\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> A=b,C=d\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> A=b\r\n", "555 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> A\r\n", "555 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=1 A\r\n", "555 5.5.4", "" },
	{ STATE_READY, "MAIL FROM:<> SIZES=1\r\n", "555 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZ=1\r\n", "555 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> NOTIFY=NEVER\r\n", "555 5.5.4",
	    NULL },
	/* RFC 1870 section 3: size-value = 1*20DIGIT */
	{ STATE_READY, "MAIL FROM:<> SIZE=0\r\n", "250 2.1.0", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=5000\r\n", "250 2.1.0",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=5001\r\n", "552 5.3.4", "" },
	{ STATE_READY, "MAIL FROM:<> SIZE=00000000000000005000\r\n",
	    "250 2.1.0", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=000000000000000005000\r\n",
	    "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=18446744073709551615\r\n",
	    "552 5.3.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=18446744073709551616\r\n",
	    "552 5.3.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=+1\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=0x1\r\n", "501 5.5.4",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=/\r\n", "501 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=:\r\n", "501 5.5.4", NULL },
	/* RFC 6152 section 2, RFC 3030 section 3 */
	{ STATE_READY, "MAIL FROM:<> BODY=7bit\r\n", "250 2.1.0",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> BODY=7BIT 8BITMIME\r\n",
	    "555 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> BODY=8BIT\r\n", "504 5.5.4",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> BODY=!\r\n", "504 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> BODY=~\r\n", "504 5.5.4", NULL },
	{ STATE_READY, "MAIL FROM:<> BODY=\x7f\r\n", "501 5.5.4",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> BODY=8BITMIME=\r\n", "501 5.5.4",
	    NULL },
	/* RFC 4954 section 5: xtext; cmd has its rows */
	{ STATE_READY, "MAIL FROM:<> AUTH=+3c+3E\r\n", "501 5.5.4",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> AUTH=+3C+3E\r\n", "250 2.1.0",
	    NULL },
	/* the first fault decides */
	{ STATE_READY, "MAIL FROM:<> SIZE=9999 A\r\n", "552 5.3.4",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=9999 SIZE=x\r\n",
	    "552 5.3.4", NULL },
	{ STATE_READY, "MAIL FROM:<> SIZE=x SIZE=1\r\n", "501 5.5.4",
	    NULL },
	{ STATE_READY, "MAIL FROM:<mallory@a.test> A\r\n",
	    "555 5.5.4", "" },
	/* section 4.1.1.11: none after HELO */
	{ STATE_READY, "HELO c\r\nMAIL FROM:<> BODY=7BIT\r\n",
	    "250,555 5.5.4", "" },
	{ STATE_READY, "HELO c\r\nMAIL FROM:<> A==\r\n",
	    "250,501 5.5.4", "" },
	{ STATE_READY, "HELO c\r\nEHLO c\r\nMAIL FROM:<> SIZE=1\r\n",
	    "250,250,250 2.1.0", NULL },
	/* the store's refusals */
	{ STATE_READY, "MAIL FROM:<mallory@example.test>\r\n"
	    "MAIL FROM:<>\r\n", "553 5.7.1,250 2.1.0",
	    "BEGIN mallory@example.test;ABORT;BEGIN ;" },
	{ STATE_READY, "MAIL FROM:<busy@example.test>\r\n",
	    "450 4.7.1", NULL },
	/* messages_per_session: those that were refused are none */
	{ STATE_READY, "MAIL FROM:<m@a>\r\nMAIL FROM:<>\r\nRSET\r\n"
	    "MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\nRSET\r\n"
	    "MAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n",
	    "553 5.7.1,250 2.1.0,250 2.0.0,250 2.1.0,250 2.0.0,"
	    "250 2.1.0,250 2.0.0,250 2.1.0,250 2.0.0,452 4.5.3",
	    NULL },
	/* 4096 octets with CRLF, and one more */
	{ STATE_READY, "MAIL FROM:<> AUTH={4076a}\r\n", "250 2.1.0",
	    NULL },
	{ STATE_READY, "MAIL FROM:<> AUTH={4077a}\r\n", "500 5.5.2",
	    NULL },
};

static void
test_mail(void **state)
{
	(void)state;
	check_rows(mail_rows, ROWS(mail_rows));
}

static const struct row rcpt_rows[] = {
	/* "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" /
	   Forward-path ) [SP Rcpt-parameters] */
	{ STATE_MAIL, "RCPT TO:<bob@example.test>\r\n", "250 2.1.5",
	    "RCPT bob@example.test;" },
	{ STATE_MAIL, "rcpt to:<bob@example.test>\r\n", "250 2.1.5",
	    NULL },
	{ STATE_MAIL, "RCPT TO: <bob@example.test>\r\n", "250 2.1.5",
	    NULL },
	{ STATE_MAIL, "RCPT TO:  <bob@example.test>\r\n",
	    "501 5.5.4", NULL },
	{ STATE_MAIL, "RCPT TO:<Postmaster>\r\n", "250 2.1.5",
	    "RCPT postmaster;" },
	{ STATE_MAIL, "RCPT TO:<PostMaster@Example.test>\r\n",
	    "250 2.1.5", "RCPT PostMaster@example.test;" },
	{ STATE_MAIL, "RCPT TO:<\"postmaster\">\r\n", "501 5.5.4",
	    NULL },
	{ STATE_MAIL, "RCPT TO:<hostmaster>\r\n", "501 5.5.4", NULL },
	{ STATE_MAIL, "RCPT TO:<>\r\n", "501 5.5.4", "" },
	{ STATE_MAIL, "RCPT\r\n", "501 5.5.4", NULL },
	{ STATE_MAIL, "RCPT TO\r\n", "501 5.5.4", NULL },
	{ STATE_MAIL, "RCPT TO:\r\n", "501 5.5.4", NULL },
	{ STATE_MAIL, "RCPT TO <bob@example.test>\r\n", "501 5.5.4",
	    NULL },
	{ STATE_MAIL, "RCPT FROM:<bob@example.test>\r\n",
	    "501 5.5.4", NULL },
	/* no parameter is known, and each is parsed */
	{ STATE_MAIL, "RCPT TO:<bob@example.test> A\r\n",
	    "555 5.5.4", "" },
	{ STATE_MAIL, "RCPT TO:<bob@example.test> NOTIFY=NEVER\r\n",
	    "555 5.5.4", "" },
	{ STATE_MAIL, "RCPT TO:<bob@example.test> SIZE=1\r\n",
	    "555 5.5.4", "" },
	{ STATE_MAIL, "RCPT TO:<bob@example.test> -\r\n",
	    "501 5.5.4", "" },
	{ STATE_MAIL, "RCPT TO:<bob@example.test>A=b\r\n",
	    "501 5.5.4", "" },
	{ STATE_MAIL, "RCPT TO:<bob@example.test>  \r\n",
	    "250 2.1.5", NULL },
	/* the store's refusals; the transaction goes on */
	{ STATE_MAIL, "RCPT TO:<nobody@example.test>\r\nDATA\r\n",
	    "550 5.1.1,503 5.5.1", NULL },
	{ STATE_MAIL, "RCPT TO:<bob@other.test>\r\nBDAT 0\r\n",
	    "550 5.7.1,503 5.5.1", NULL },
	{ STATE_MAIL, "RCPT TO:<full@example.test>\r\nDATA\r\n",
	    "452 4.2.2,503 5.5.1", NULL },
	{ STATE_MAIL, "RCPT TO:<busy@example.test>\r\nDATA\r\n",
	    "450 4.7.1,503 5.5.1", NULL },
	{ STATE_RCPT, "RCPT TO:<nobody@example.test>\r\nDATA\r\n",
	    "550 5.1.1,354", NULL },
	/* recipient_limit is 3; those that were refused are none */
	{ STATE_MAIL, "RCPT TO:<nobody@example.test>\r\n"
	    "RCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\n"
	    "RCPT TO:<c@example.test>\r\nRCPT TO:<d@example.test>\r\n"
	    "RCPT TO:<c@example.test>\r\nDATA\r\n",
	    "550 5.1.1,250 2.1.5,250 2.1.5,250 2.1.5,452 4.5.3,"
	    "452 4.5.3,354", "RCPT nobody@example.test;"
	    "RCPT a@example.test;RCPT b@example.test;"
	    "RCPT c@example.test;OPEN;" },
	/* 4096 octets with CRLF, and one more */
	{ STATE_MAIL, "RCPT TO:<@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{19a}:bob@example.test>\r\n",
	    "250 2.1.5", "RCPT bob@example.test;" },
	{ STATE_MAIL, "RCPT TO:<@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{63a},@{63a}.{63a}.{63a}.{63a},"
	    "@{63a}.{63a}.{63a}.{20a}:bob@example.test>\r\n",
	    "500 5.5.2", "" },
};

static void
test_rcpt(void **state)
{
	(void)state;
	check_rows(rcpt_rows, ROWS(rcpt_rows));
}

static void
test_hello(void **state)
{
	static const struct row rows[] = {
		/* "EHLO" SP ( Domain / address-literal ) */
		{ STATE_START, "EHLO a\r\n", "250", NULL },
		{ STATE_START, "ehlo mail-1.example.test\r\n", "250", NULL },
		{ STATE_START, "EHLO 1\r\n", "250", NULL },
		{ STATE_START, "EHLO a.\r\n", "250", NULL },
		{ STATE_START, "EHLO a_b\r\n", "250", NULL },
		{ STATE_START, "EHLO -a-\r\n", "250", NULL },
		{ STATE_START, "EHLO\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO \r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO  a\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a \r\n", "250", NULL },
		{ STATE_START, "EHLO .\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a..b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a..\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO .a\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a/b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a:b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a@b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a[b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a^b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a`b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a,b\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO a\x7f\r\n", "501 5.5.4", NULL },
		/* RFC 6531 section 3.5: A-labels */
		{ STATE_START, "EHLO m\xc3\xbcller.test\r\n", "501 5.5.4",
		    NULL },
		{ STATE_START, "EHLO xn--mller-kva.test\r\n", "250", NULL },
		/* address-literal: each kind; the paths have all rows */
		{ STATE_START, "EHLO [192.0.2.1]\r\n", "250", NULL },
		{ STATE_START, "EHLO [IPv6:2001:db8::1]\r\n", "250", NULL },
		{ STATE_START, "EHLO [x:y]\r\n", "250", NULL },
		{ STATE_START, "EHLO [192.0.2.256]\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO [IPv6:1]\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO [192.0.2.1\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO [192.0.2.1]x\r\n", "501 5.5.4", NULL },
		/* section 4.5.3.1.2: 255 octets */
		{ STATE_START, "EHLO {255a}\r\n", "250", NULL },
		{ STATE_START, "EHLO {256a}\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO [x:{251y}]\r\n", "250", NULL },
		{ STATE_START, "EHLO [x:{252y}]\r\n", "501 5.5.4", NULL },
		/* 512 octets with CRLF, and one more */
		{ STATE_START, "EHLO {505a}\r\n", "501 5.5.4", NULL },
		{ STATE_START, "EHLO {506a}\r\n", "500 5.5.2", NULL },
		{ STATE_START, "HELO a\r\n", "250", NULL },
		{ STATE_START, "HELO\r\n", "501 5.5.4", NULL },
		{ STATE_START, "HELO {256a}\r\n", "501 5.5.4", NULL },
		/* section 4.1.4: again, and it ends a transaction */
		{ STATE_HELLO, "HELO b\r\nEHLO c\r\n", "250,250", NULL },
		{ STATE_IDENT, "HELO b\r\nEHLO c\r\n", "250,250", NULL },
		{ STATE_RCPT, "EHLO c\r\nDATA\r\n", "250,503 5.5.1",
		    "ABORT;" },
		{ STATE_BDAT, "HELO c\r\nBDAT 0 LAST\r\n", "250,503 5.5.1",
		    "ABORT;" },
		/* a refused one changes nothing */
		{ STATE_RCPT, "EHLO .\r\nDATA\r\n", "501 5.5.4,354", "OPEN;" },
		{ STATE_START, "EHLO .\r\nSTARTTLS\r\n",
		    "501 5.5.4,503 5.5.1", NULL },
		{ STATE_TLS, "EHLO .\r\nAUTH PLAIN\r\n",
		    "501 5.5.4,503 5.5.1", NULL },
		{ STATE_READY, "HELO .\r\nMAIL FROM:<> SIZE=1\r\n",
		    "501 5.5.4,250 2.1.0", NULL },
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

/* "AGFsaWNlAHNlY3JldA==" is alice's; "YQ==" is a. */
static const struct row auth_rows[] = {
	/* "AUTH" SP sasl-mech [SP initial-response]: RFC 4954 */
	{ STATE_IDENT, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",
	    "235 2.7.0", "START PLAIN;" },
	{ STATE_IDENT, "auth pLaIn AGFsaWNlAHNlY3JldA==\r\n",
	    "235 2.7.0", "START PLAIN;" },
	{ STATE_IDENT, "AUTH scram-sha-256 YQ==\r\n", "535 5.7.8",
	    "START SCRAM-SHA-256;END;" },
	{ STATE_IDENT, "AUTH\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH  PLAIN\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH PLAIN  YQ==\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH PLAIN YQ== YQ==\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH PLAIN YQ== \r\n", "535 5.7.8", NULL },
	{ STATE_IDENT, "AUTH PLAIN\tYQ==\r\n", "501 5.5.4", "" },
	/* RFC 4422 section 3.1: letters, digits, "-" and "_", 20 */
	{ STATE_IDENT, "AUTH X-Y_9\r\n", "504 5.5.4", "" },
	{ STATE_IDENT, "AUTH X.Y\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH X/\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH X:\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH X^\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH X`\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH =\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH PLAIN=\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH X\x80\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH PLAI\r\n", "504 5.5.4", "" },
	{ STATE_IDENT, "AUTH PLAINS\r\n", "504 5.5.4", "" },
	{ STATE_IDENT, "AUTH {20X}\r\n", "504 5.5.4", "" },
	{ STATE_IDENT, "AUTH {21X}\r\n", "504 5.5.4", "" },
	/* the TLS of this client has neither */
	{ STATE_IDENT, "AUTH SCRAM-SHA-256-PLUS\r\n", "504 5.5.4",
	    "" },
	{ STATE_IDENT, "AUTH EXTERNAL =\r\n", "504 5.5.4", "" },
	/* initial-response = base64 / "=" */
	{ STATE_IDENT, "AUTH PLAIN =\r\n", "535 5.7.8",
	    "START PLAIN;END;" },
	{ STATE_IDENT, "AUTH PLAIN ==\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN =YQ=\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN ====\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN *\r\n", "501 5.5.2", "" },
	/* RFC 4648 section 4: digits, padding, no bits left over */
	{ STATE_IDENT, "AUTH PLAIN YWJj\r\n", "535 5.7.8", NULL },
	{ STATE_IDENT, "AUTH PLAIN YWI=\r\n", "535 5.7.8", NULL },
	{ STATE_IDENT, "AUTH PLAIN +/+/\r\n", "535 5.7.8", NULL },
	{ STATE_IDENT, "AUTH PLAIN YWJ\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YW\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN Y\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN Y===\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YQ=\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YQ=a\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YQ==YQ==\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YR==\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YWK=\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN -_-_\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YQ%3D\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH PLAIN YWI\xbd\r\n", "501 5.5.2", "" },
	/* the dialogue: continue-req, *( base64 / "*" ) */
	{ STATE_IDENT, "AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n",
	    "334,235 2.7.0", "START PLAIN;STEP;" },
	{ STATE_IDENT, "AUTH LOGIN\r\nbW9yZQ==\r\nbW9yZQ==\r\n"
	    "YQ==\r\n", "334,334,334,535 5.7.8",
	    "START LOGIN;STEP;STEP;STEP;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\n\r\n", "334,535 5.7.8",
	    "START PLAIN;STEP;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\n*\r\nNOOP\r\n",
	    "334,501 5.7.0,250 2.0.0", "START PLAIN;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\n* \r\n", "334,501 5.5.2",
	    "START PLAIN;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\n**\r\n", "334,501 5.5.2",
	    "START PLAIN;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\n=\r\nNOOP\r\n",
	    "334,501 5.5.2,250 2.0.0", "START PLAIN;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\nYQ== \r\n", "334,501 5.5.2",
	    "START PLAIN;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\n YQ==\r\n", "334,501 5.5.2",
	    "START PLAIN;END;" },
	{ STATE_IDENT, "AUTH PLAIN\r\nQUIT\r\n", "334,535 5.7.8",
	    "START PLAIN;STEP;END;" },
	/* 12,288 octets without CRLF, and one more */
	{ STATE_IDENT, "AUTH PLAIN {12277A}\r\n", "501 5.5.2", "" },
	{ STATE_IDENT, "AUTH LOGIN  {12276A}\r\n", "501 5.5.4", "" },
	{ STATE_IDENT, "AUTH PLAIN {12278A}\r\n", "500 5.5.6", "" },
	{ STATE_IDENT, "AUTH PLAIN {12276A}\r\n", "535 5.7.8",
	    NULL },
	{ STATE_IDENT, "AUTH PLAIN\r\n{12288A}\r\n",
	    "334,535 5.7.8", NULL },
	{ STATE_IDENT, "AUTH PLAIN\r\n{12289A}\r\nNOOP\r\n",
	    "334,500 5.5.6,250 2.0.0", "START PLAIN;END;" },
};

static void
test_auth(void **state)
{
	(void)state;
	check_rows(auth_rows, ROWS(auth_rows));
}

/* Names that come near to those which need something of TLS, and lengths. */
static void
test_mechanisms(void **state)
{
	static const struct {
		const char	*mechs, *name;
		const char	*line;		/* of EHLO; "": none */
		const char	*codes;
	} rows[] = {
		{ "A", "A", "AUTH A\r\n", "334" },
		{ "AZ XYZ", "xyz", "AUTH AZ XYZ\r\n", "334" },
		{ "AZ XYZ", "az", "AUTH AZ XYZ\r\n", "334" },
		{ "EXT", "EXT", "AUTH EXT\r\n", "334" },
		{ "EXTERNAL", "EXT", "", "504 5.5.4" },
		{ "EXTERNALS", "EXTERNALS", "AUTH EXTERNALS\r\n", "334" },
		{ "ABCDEFGH", "ABCDEFGH", "AUTH ABCDEFGH\r\n", "334" },
		{ "A-PLUT", "A-PLUT", "AUTH A-PLUT\r\n", "334" },
		{ "A-PLUSX", "A-PLUSX", "AUTH A-PLUSX\r\n", "334" },
		{ "APLUS", "APLUS", "AUTH APLUS\r\n", "334" },
		{ "A-plus", "A-PLUS", "", "504 5.5.4" },
		{ "A  B ", "B", "AUTH A B\r\n", "334" },
		{ "A  B ", "", "AUTH A B\r\n", "501 5.5.4" },
		/* RFC 4422 section 3.1: 20 octets */
		{ "{20X}", "{20X}", "AUTH {20X}\r\n", "334" },
		{ "{21X}", "{21X}", "AUTH {21X}\r\n", "504 5.5.4" },
		/* what there is room for: 127 octets */
		{ "{62A} {64B}", "B", "AUTH {62A} {64B}\r\n", "504 5.5.4" },
		{ "{62A} {65B}", "B", "AUTH {62A}\r\n", "504 5.5.4" },
		{ "{62A} {65B} C", "C", "AUTH {62A} C\r\n", "334" },
	};
	char *mechs, *line, *codes, *say;
	const char *at;
	struct play p;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		mechs = expand(rows[i].mechs);
		line = expand(rows[i].line);
		play_init(&p);
		p.conf.mechs = mechs;
		play_begin(&p, PLAY_TLS);
		play_say(&p, "EHLO c\r\n");
		buf_add(&p.out, "", 1);
		at = strstr((const char *)buf_data(&p.out), "AUTH ");
		if ((at == NULL) != (line[0] == '\0') ||
		    (at != NULL && strncmp(at, line, strlen(line)) != 0))
			fail_msg("list of %s", rows[i].mechs);
		buf_free(&p.out);
		say = expand(rows[i].name);
		play_say(&p, "AUTH ");
		play_say(&p, say);
		play_say(&p, "\r\n");
		codes = play_codes(&p);
		if (strcmp(codes, rows[i].codes) != 0)
			fail_msg("%s of %s: %s", rows[i].name, rows[i].mechs,
			    codes);
		/* the service hears of it in capitals */
		if (strcmp(rows[i].name, "xyz") == 0)
			play_check_log(&p, "TLS;START XYZ;");
		free(codes);
		free(say);
		free(line);
		free(mechs);
		play_end(&p);
	}
}

/* Where auth_line allows more than a response may have. */
static void
test_long_responses(void **state)
{
	struct play p;
	char *say, *codes;

	(void)state;
	play_init(&p);
	p.conf.lines.auth = 20000;
	play_begin(&p, PLAY_TLS);
	say = expand("EHLO c\r\nAUTH PLAIN {12288A}\r\n"
	    "AUTH PLAIN {12292A}\r\n");
	play_say(&p, say);
	codes = play_codes(&p);
	assert_string_equal(codes, "220,250,535 5.7.8,500 5.5.6");
	free(codes);
	free(say);
	play_end(&p);
}

/* text_line 0: lines of any length. */
static void
test_lines_without_limit(void **state)
{
	struct play p;
	char *say, *codes;

	(void)state;
	play_reach(&p, STATE_RCPT);
	p.conf.text_line = 0;
	say = expand("DATA\r\nA:{4000a}\r\n.\r\n");
	play_say(&p, say);
	codes = play_codes(&p);
	assert_string_equal(codes, "354,250 2.0.0");
	free(codes);
	free(say);
	play_end(&p);
}

/* A CR that was held back is written with what follows: one octet more. */
static void
test_room_for_the_body(void **state)
{
	static const char *const heads[] = { "DATA\r\nA: b\r",
		"BDAT 75 LAST\r\nA: b\r" };
	unsigned char *scratch;
	char *codes, text[80];
	struct play p;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '\n';
	for (size_t i = 0; i < ROWS(heads); i++)
		for (size_t size = 2; size < 72; size++) {
			play_reach(&p, STATE_RCPT);
			scratch = malloc(size);
			assert_non_null(scratch);
			p.conf.scratch = scratch;
			p.conf.scratch_size = size;
			play_say(&p, heads[i]);
			play_feed(&p, text, 70, 0);
			play_say(&p, i == 0 ? "\r\n.\r\n" : "");
			codes = play_codes(&p);
			assert_string_equal(codes, i == 0 ?
			    "354,250 2.0.0" : "250 2.0.0");
			free(codes);
			play_end(&p);
			free(scratch);
		}
}

static void
test_data_and_bdat(void **state)
{
	static const struct row rows[] = {
		{ STATE_RCPT, "DATA\r\n", "354", "OPEN;" },
		{ STATE_RCPT, "data \t\r\n.\r\n", "354,250 2.0.0",
		    "OPEN;COMMIT;" },
		{ STATE_RCPT, "DATA x\r\n", "501 5.5.4", "" },
		/* section 4.5.3.1.6: 1000 octets with CRLF, and one more */
		{ STATE_RCPT, "DATA\r\nA:{996a}\r\n.\r\n", "354,250 2.0.0",
		    NULL },
		{ STATE_RCPT, "DATA\r\nA:{997a}\r\n.\r\n", "354,550 5.6.0",
		    NULL },
		/* message_size is 5000 */
		{ STATE_RCPT, "DATA\r\n{998a}\r\n{998a}\r\n{998a}\r\n"
		    "{998a}\r\n{998a}\r\n.\r\n", "354,250 2.0.0", NULL },
		{ STATE_RCPT, "DATA\r\n{998a}\r\n{998a}\r\n{998a}\r\n"
		    "{998a}\r\n{997a}\r\na\r\n.\r\n", "354,552 5.3.4", NULL },
		/* chunk-size [SP "LAST"]: RFC 3030 section 2 */
		{ STATE_RCPT, "BDAT 0\r\n", "250 2.0.0", "OPEN;" },
		{ STATE_RCPT, "BDAT 3 LAST\r\nabc", "250 2.0.0",
		    "OPEN;COMMIT;" },
		{ STATE_RCPT, "BDAT 1 LASX\r\n", "501 5.5.4",
		    "ABORT;CLOSE;" },
		{ STATE_RCPT, "BDAT 1 XAST\r\n", "501 5.5.4",
		    "ABORT;CLOSE;" },
		{ STATE_RCPT, "BDAT 5000 LAST\r\nA: b\r\n\r\n{990a}\r\n"
		    "{998a}\r\n{998a}\r\n{998a}\r\n{998a}\r\n", "250 2.0.0",
		    NULL },
		{ STATE_RCPT, "BDAT 5001 LAST\r\nA: b\r\n\r\n{990a}\r\n"
		    "{998a}\r\n{998a}\r\n{998a}\r\n{998a}\r\naNOOP\r\n",
		    "552 5.3.4,250 2.0.0", NULL },
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

static void
test_others(void **state)
{
	static const struct row rows[] = {
		/* section 4.1.1.5 */
		{ STATE_RCPT, "RSET\r\nDATA\r\n", "250 2.0.0,503 5.5.1",
		    "ABORT;" },
		{ STATE_BDAT, "RSET\r\nMAIL FROM:<>\r\n",
		    "250 2.0.0,250 2.1.0", "ABORT;BEGIN ;" },
		{ STATE_RCPT, "RSET x\r\nDATA\r\n", "501 5.5.4,354", "OPEN;" },
		/* 4.1.1.9: its argument counts for nothing */
		{ STATE_RCPT, "NOOP <>\xff\r\nDATA\r\n", "250 2.0.0,354",
		    NULL },
		{ STATE_START, "NOOP {505a}\r\n", "250 2.0.0", NULL },
		{ STATE_START, "NOOP {506a}\r\n", "500 5.5.2", NULL },
		/* 4.1.1.10 */
		{ STATE_RCPT, "QUIT\r\n", "221 2.0.0", "ABORT;CLOSE;" },
		{ STATE_RCPT, "QUIT x\r\nDATA\r\n", "501 5.5.4,354", NULL },
		/* 4.1.1.6 */
		{ STATE_RCPT, "VRFY <bob@example.test>\r\nDATA\r\n",
		    "252 2.5.2,354", NULL },
		{ STATE_READY, "VRFY \r\n", "501 5.5.4", NULL },
		/* RFC 6531 section 3.7.4.2 */
		{ STATE_READY, "VRFY \xc3\xb6\r\n", "553 5.6.7", NULL },
		{ STATE_READY, "VRFY \xc3\xb6 SMTPUTF8\r\n", "252 2.5.2",
		    NULL },
		{ STATE_READY, "VRFY \xc3\xb6 SMTPUTF9\r\n", "553 5.6.7",
		    NULL },
		{ STATE_READY, "VRFY \xc3\xb6 SMTPUTF88\r\n", "553 5.6.7",
		    NULL },
		{ STATE_READY, "VRFY \xc3\xb6 xSMTPUTF8\r\n", "553 5.6.7",
		    NULL },
		{ STATE_READY, "VRFY \xc3\xb6 SMTPUTF\r\n", "553 5.6.7",
		    NULL },
		{ STATE_READY, "VRFY \xc3\xb6\xff SMTPUTF8\r\n", "553 5.6.7",
		    NULL },
		{ STATE_READY, "VRFY a SMTPUTF8=\r\n", "501 5.5.4", NULL },
		{ STATE_READY, "VRFY \xc3\xb6 SMTPUTF8=x\r\n", "501 5.5.4",
		    NULL },
		{ STATE_READY, "HELO c\r\nVRFY \xc3\xb6 SMTPUTF8\r\n",
		    "250,553 5.6.7", NULL },
		/* 3207 section 4 */
		{ STATE_HELLO, "STARTTLS x\r\n", "501 5.5.4", "" },
		{ STATE_HELLO, "STARTTLS \r\n", "220 2.0.0", "TLS;" },
		{ STATE_HELLO, "STARTTLS\r\n\r\n", "554 5.5.0", "CLOSE;" },
		/* 4.1.1.8 */
		{ STATE_START, "HELP  NOOP\r\n", "504 5.5.4", NULL },
		{ STATE_START, "HELP NOO\r\n", "504 5.5.4", NULL },
		/* no commands, and those that are not here */
		{ STATE_READY, "EXPN x\r\nETRN x\r\nTURN\r\nATRN\r\nSEND x\r\n"
		    "SOML x\r\nSAML x\r\n", "502 5.5.1,502 5.5.1,502 5.5.1,"
		    "502 5.5.1,502 5.5.1,502 5.5.1,502 5.5.1", NULL },
		{ STATE_READY, "GET / HTTP/1.1\r\n\r\n<\r\n",
		    "500 5.5.2,500 5.5.2,500 5.5.2", NULL },
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_every_octet_of_a_path),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_mechanisms),
		cmocka_unit_test(test_long_responses),
		cmocka_unit_test(test_lines_without_limit),
		cmocka_unit_test(test_room_for_the_body),
		cmocka_unit_test(test_data_and_bdat),
		cmocka_unit_test(test_others),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("smtpd-rows", tests, NULL, NULL);
}
