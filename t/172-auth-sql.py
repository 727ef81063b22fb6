# SPDX-License-Identifier: ISC
# Accounts in SQLite, by the SQL plug-in of Cyrus SASL.
try:
    import sqlite3
except ImportError:
    sqlite3 = None

from stores import *

PASSWORDS = ("alice-in-sql", "it's \"bob\" \u00e4")


def change(f, *statements):
    db = sqlite3.connect(f.dir + "/sql/db", timeout=PATIENCE)
    for s in statements:
        db.execute(*(s if isinstance(s, tuple) else (s,)))
    db.commit()
    db.close()


def password(user, text):
    return ("UPDATE users SET password = ? WHERE username = ?", (text, user))


def nobody_is_null():
    """A column that is NULL is no password, least of all "NULL"."""
    eq({smtp(m, "carol", p) for m in MECHANISMS for p in ("NULL", "null")},
       {DENIED}, "a password that is NULL lets nobody in as NULL")
    eq(http("carol", "NULL").status, 401, "nor over HTTP")
    eq(smtp("PLAIN", "carol", "")[:1], "5", "nor without one")
    eq([smtp(m, "dave", "") [:1] for m in MECHANISMS] +
       [str(http("dave", "").status)], len(MECHANISMS) * ["5"] + ["401"],
       "an empty one lets nobody in")


def injected():
    """A name is never a part of the query."""
    names = ("'or'1'='1", "'or/**/1=1--", "'union/**/select/**/'x'--",
             "alice'--", "alice'/*", "''", "'", "\\'or'1'='1", "al\"ice")
    got = [smtp(m, n, p) for m in MECHANISMS for n in names
           for p in (PASSWORDS[0], "x")]
    eq(set(got), {DENIED}, "names with quotes are nobody's")
    eq({http(n, p).status for n in names for p in (PASSWORDS[0], "x")},
       {401}, "over HTTP too")


def changes(f):
    with Smtp() as a, Smtp() as b, Conn() as c:
        eq((a.scram("alice", PASSWORDS[0]), b.plain("bob", PASSWORDS[1]),
            c.ask("/mail/", fields=["Authorization: " + basic(
                "alice", PASSWORDS[0])]).status),
           (WELCOME, WELCOME, 200), "three are logged in")
        change(f, "CREATE TABLE other (x)")
        time.sleep(0.2)
        eq((a("NOOP")[:3], b("NOOP")[:3]), ("250", "250"),
           "another change of the database is nothing to them")
        change(f, password("alice", "another one"))
        eq(a.reply()[:9], "421 4.7.0", "a new password ends the session")
        eq(wait_for(lambda: c.ask("/mail/", fields=["Authorization: " + basic(
            "alice", PASSWORDS[0])]).status == 401), True,
           "and the login over HTTP")
        eq(smtp("SCRAM-SHA-256", "alice", PASSWORDS[0]), DENIED,
           "the old one is refused at once")
        eq({smtp(m, "alice", "another one") for m in MECHANISMS}, {WELCOME},
           "the new one is taken")
        eq(b("NOOP")[:3], "250", "who is not concerned goes on")
        change(f, "DELETE FROM users WHERE username = 'bob'")
        eq(b.reply()[:9], "421 4.7.0", "an account that is removed")
        change(f, ("INSERT INTO users VALUES ('bob', ?, ?)",
                   (DOMAIN, PASSWORDS[1])), password("alice", PASSWORDS[0]))


def broken(f):
    """The database is there, and the query fails: away all the same."""
    change(f, "ALTER TABLE users RENAME TO away")
    eq([smtp(m, u, "wrong") for m in MECHANISMS for u in ("alice", "nobody")],
       2 * len(MECHANISMS) * [AWAY], "the table is missing: 454 and never 535")
    change(f, "ALTER TABLE away RENAME TO users")
    eq(smtp("PLAIN", "alice", "wrong"), DENIED, "it is back")
    with open(f.dir + "/sql/db", "r+b") as db:
        octets = db.read()
        db.seek(0)
        db.write(b"x" * 100)
    eq((smtp("PLAIN", "alice", PASSWORDS[0]), http("bob", "x").status),
       (AWAY, 503), "the file is no database: 454, 503")
    with open(f.dir + "/sql/db", "r+b") as db:
        db.write(octets)
    eq(smtp("PLAIN", "alice", PASSWORDS[0]), WELCOME, "it is one again")
    held = sqlite3.connect(f.dir + "/sql/db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    eq({smtp(m, "alice", PASSWORDS[0]) for m in MECHANISMS}, {AWAY},
       "somebody keeps it locked: 454")
    held.execute("ROLLBACK")
    held.close()
    eq({smtp(m, "alice", PASSWORDS[0]) for m in MECHANISMS}, {WELCOME},
       "and lets it go")


def columns(f):
    """A query as Cyrus documents it: %p is the name of the column."""
    f.stop()
    change(f, "ALTER TABLE users RENAME COLUMN password TO userPassword")
    f.conf("auth { sql_select = \"SELECT %p FROM users WHERE username || "
           "'@' || realm = '%u@%r'\" }")
    f.start(*MASTERS)
    eq([smtp(m, "alice", p) for m in MECHANISMS
        for p in (PASSWORDS[0], "wrong")], len(MECHANISMS) * [WELCOME, DENIED],
       "a query of one's own")
    eq({smtp(m, "carol", "NULL") for m in MECHANISMS}, {DENIED},
       "that does not exclude NULL: it lets nobody in")
    change(f, "ALTER TABLE users RENAME COLUMN userPassword TO password")


def untouched(f):
    """The workers only read: the folder is as it was."""
    eq(sorted(os.listdir(f.dir + "/sql")), ["db"], "no file was made")


def setup():
    f = lib.fixture = Fixture()
    os.mkdir(f.dir + "/sql", 0o700)
    give(f.dir + "/sql")
    change(f, "CREATE TABLE users (username, realm, password)",
           *[("INSERT INTO users VALUES (?, ?, ?)", (u, DOMAIN, p))
             for u, p in (("alice", PASSWORDS[0]), ("bob", PASSWORDS[1]),
                          ("carol", None), ("dave", ""))])
    # In the store, and in no domain of ours.
    change(f, ("INSERT INTO users VALUES ('alice', 'other.test', ?)",
               (PASSWORDS[0],)))
    own(f.dir + "/sql/db")
    begin(f, 'store = sql sql_database = "%s/sql/db"' % f.dir)
    return f


def test():
    f = setup()
    db = f.dir + "/sql/db"
    basics(PASSWORDS, MECHANISMS)
    unknown_scram()
    nobody_is_null()
    injected()
    changes(f)
    away(PASSWORDS, MECHANISMS, lambda: os.rename(db, db + ".away"),
         lambda: os.rename(db + ".away", db))
    broken(f)
    untouched(f)
    confined(f)
    columns(f)


if sqlite3 is None:
    skip_all("no sqlite3 in Python")
need_plugin("libsql.so")
run(59, test)
