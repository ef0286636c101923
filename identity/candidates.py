"""Candidates: the pairs of records that share something, and what each pair weighs.

Belongs here: keys, which of them too many share to tell people apart, and the weighing of the pairs of a
key. Everything about a key follows from its own records alone, so that a change costs by what it
touches and the order in which records come does not matter. Does not belong here: which pairs become
customers (`clusters`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from identity.compare import COMPARISONS, EMAIL, IDENTIFIER, NAME, PHONE, VALUES, Model, number
from identity.store import RECORD

PEOPLE = 25
"""Of more people than these a value is nobody's: a placeholder, a shop's mailbox, a default."""
RARE = 8
"""Records with one name above which the name alone makes no candidate."""
STAR = 30
"""Records of a key above which only those of one name are compared with the first of them."""
LONGEST_NAME, LONGEST_EMAIL = 100, 254
"""Letters that are compared of a name, and bytes of an e-mail (RFC 5321) above which it is none: two
texts are compared in the square of their length."""
FEW = 4
"""Times more records than pairs, from which on their profiles are gathered before they are compared."""
CONTESTED = -3.5
"""Bits of a nameless record that has nothing but what two people share."""


@dataclass(frozen=True)
class Key:
    """Something that two records share when they may be one person.

    Attributes:
        name: as it is told.
        sql: texts of a record; NULL where it has none.
        people: more than these, told apart by name, and it is left out.
        records: more than these, and it is left out.
        is_identifier: it is one person's alone, unless people with differing first names share it.
    """

    name: str
    sql: tuple[str, ...]
    people: int = PEOPLE
    records: int = 1_000_000
    is_identifier: bool = False


KEYS = (
    Key("e-mail", ("email",), is_identifier=True),
    Key("phone", ("mobile_phone", "phone"), is_identifier=True),
    Key("card", ("card_key",), is_identifier=True),
    Key("cookie", ("visitor_key",), is_identifier=True),
    Key("device", ("device_key",), is_identifier=True),
    Key("handle", ("social_handle",), is_identifier=True),
    Key("house", ("house_key",)),
    Key("name and place", ("name_key || '|' || place",)),
    Key("name and birthday", ("name_key || '|' || cast(birth_date as varchar)",)),
    Key("first name and birthday", ("first_name || '|' || cast(birth_date as varchar)",), RARE),
    Key("surname and birthday", ("last_name || '|' || cast(birth_date as varchar)",), RARE),
    # What follows only tells people apart while few bear it: in a large file most of it is left out.
    Key("name", ("name_key",), records=RARE),
    Key("surname", ("last_name",), records=RARE),
    Key("birthday", ("cast(birth_date as varchar)",), records=RARE),
    Key("first name and place", ("first_name || '|' || place",), records=RARE),
    Key("mailbox", ("regexp_extract(email, '^[^@]+')",), records=RARE),
)
_PAIR_VALUES = ", ".join(f"{side}.{name} as {name}_{side}" for side in "lr" for name in VALUES)


def take_changes(con: duckdb.DuckDBPyConnection, records: pa.Table, model: Model) -> int:
    """Bring the profiles of the store up to date and list in `changed` whose profile did change.

    Args:
        con: the store.
        records: shape PROFILES: every record, those without a profile with nothing but its key.
        model: whose frequencies of names are taken.

    Returns:
        How many records are new, changed or gone.
    """
    values = ", ".join(VALUES)
    con.register("given", records)
    # One pass over all that is given: what the store has not, and what of the store is not given. The
    # store's side is the one to keep in memory, which DuckDB, not knowing the size of the other, may
    # take the wrong way round.
    con.execute("set disabled_optimizers = 'build_side_probe_side'")
    con.execute(f"""
        create or replace temp table fresh as
        select {RECORD} as record, source_system, source_key, given.profile, old.record as old_record,
            * exclude (source_system, source_key, profile, record)
                replace (left(first_name, {LONGEST_NAME}) as first_name,
                    left(last_name, {LONGEST_NAME}) as last_name,
                    case when strlen(email) <= {LONGEST_EMAIL} then email end as email)
        from (select *, hash(source_system, source_key, {values}) as profile from given) as given
        full join (select record, profile from records) as old on given.profile = old.profile
        where given.profile is null or old.profile is null
    """)
    con.execute("reset disabled_optimizers")
    con.unregister("given")
    con.execute("""
        create or replace temp table changed as
        select coalesce(fresh.record, stale.record) as record, stale.record is null as is_new
        from (select record from fresh where profile is not null) as fresh
        full join (select old_record as record from fresh where profile is null) as stale
            on fresh.record = stale.record
    """)
    count = int(con.execute("select count(*) from changed").fetchall()[0][0])
    if count:
        _replace_profiles(con, model)
    return count


def _replace_profiles(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    con.execute("delete from fresh where profile is null")
    con.execute("""
        delete from records where record in (select record from changed where not is_new)
    """)
    con.register("frequencies", model.frequencies)
    # A name that nobody bore when frequencies were counted is as rare as the rarest.
    con.execute("""
        create or replace temp table name_frequency as
        with names as (
            select distinct first_name, last_name from fresh
            where name_key is not null and (select count(*) from frequencies) > 0
        ),
        rarest as (select min(frequency) * min(share) as least from frequencies)
        select names.first_name, names.last_name,
            coalesce(sum(given.share * given.frequency * family.frequency),
                any_value(rarest.least * rarest.least)) as frequency
        from names cross join rarest
        left join (select * from frequencies where part = 'first') as given
            on names.first_name = given.name
        left join (select * from frequencies where part = 'last') as family
            on names.last_name = family.name and given.country_code = family.country_code
        group by 1, 2
    """)
    con.execute(f"""
        insert into records
        select fresh.record, source_system, source_key, {", ".join("fresh." + v for v in VALUES)},
            profile, name_frequency.frequency
        from fresh left join name_frequency using (first_name, last_name)
    """)
    con.unregister("frequencies")


def compare_changed(con: duckdb.DuckDBPyConnection, model: Model) -> int:
    """Weigh anew the pairs of every key that a changed record has or had.

    Leaves `touched`: the records whose links are others than before, and those that changed.

    Returns:
        How many pairs were weighed.
    """
    con.execute(f"create or replace temp table new_keys as {_keys_of_fresh()}")
    con.execute("""
        create or replace temp table touched_keys as
        select kind, key from keys semi join (select record from changed where not is_new)
            using (record)
        union
        select kind, key from new_keys
    """)
    con.execute("delete from keys where record in (select record from changed where not is_new)")
    con.execute("insert into keys from new_keys")
    con.execute("drop table new_keys")
    con.execute("drop table fresh")
    _find_candidates(con, "touched")
    _note_hubs(con)
    _add_supported(con)
    profiles = levels_of(con, "touched_candidates", "compared")
    _find_contested(con, model)
    _weigh(con, model, profiles)
    _replace_pairs(con, model)
    return int(con.execute("select count(*) from weighed").fetchall()[0][0])


def _keys_of_fresh() -> str:
    """Keys of the new and changed records, each once."""
    selects = []
    for kind, one in enumerate(KEYS):
        texts = f"unnest([{', '.join(one.sql)}])" if len(one.sql) > 1 else one.sql[0]
        distinct = "distinct" if len(one.sql) > 1 else ""
        selects.append(f"""
            select {distinct} {kind}::utinyint as kind, {_key(kind, "text")} as key, record, name
            from (select record, hash(name_key) as name, {texts} as text from fresh)
            where text is not null
        """)
    return " union all ".join(selects)


def _key(kind: int, text: str) -> str:
    """Number of a key; pairs are compared by their values, so that two keys with one number do no harm."""
    return f"hash({text}, {kind}::utinyint)"


def _find_candidates(con: duckdb.DuckDBPyConnection, of: str) -> None:
    """The pairs of the keys `{of}_keys`, without those that too many people or records share.

    Leaves `{of}_members`, who has the keys, `{of}_degrees`, `{of}_sharing`, those whom it brings
    together, `{of}_firsts`, the first of each name of a large key, and `{of}_candidates`.
    """
    people = " ".join(f"when {kind} then {key.people}" for kind, key in enumerate(KEYS))
    records = " ".join(f"when {kind} then {key.records}" for kind, key in enumerate(KEYS))
    con.execute(f"""
        create or replace temp table {of}_members as from keys semi join {of}_keys using (kind, key)
    """)
    con.execute(f"""
        create or replace temp table {of}_degrees as
        with sizes as (
            select kind, key, count(*) as size from {of}_members group by kind, key having size > 1
        ),
        names as (
            select kind, key, count(distinct name) as people
            from {of}_members
            semi join (from sizes where size > {min(key.people for key in KEYS)}) using (kind, key)
            group by kind, key
        )
        select kind, key, size > {STAR} as is_large,
            size > case kind {records} end or coalesce(people > case kind {people} end, false) as is_hub
        from sizes left join names using (kind, key)
    """)
    con.execute(f"""
        create or replace temp table {of}_sharing as
        select kind, key, record, name, is_large
        from {of}_members join {of}_degrees using (kind, key) where not is_hub
    """)
    # Of a large key each record is compared with the first of its name, and these with each other.
    con.execute(f"""
        create or replace temp table {of}_firsts as
        select kind, key, name, min(record) as record
        from {of}_sharing where is_large group by kind, key, name
    """)
    con.execute(f"""
        create or replace temp table {of}_candidates as
        select l.record as a, r.record as b
        from {of}_sharing as l join {of}_sharing as r using (kind, key)
        where not l.is_large and not r.is_large and l.record < r.record
        union
        select firsts.record, sharing.record
        from {of}_sharing as sharing join {of}_firsts as firsts using (kind, key, name)
        where firsts.record < sharing.record
        union
        select least(l.record, r.record), greatest(l.record, r.record)
        from {of}_firsts as l join {of}_firsts as r using (kind, key) where l.record < r.record
    """)


def _note_hubs(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the hubs of the store up to date, and leave alone keys that are one as they were before."""
    con.execute("""
        create or replace temp table still_hubs as
        select key from hubs semi join (from touched_degrees where is_hub) using (key)
    """)
    con.execute("delete from hubs where key in (select key from touched_keys)")
    con.execute("insert into hubs select key from touched_degrees where is_hub")
    con.execute("delete from touched_keys where key in (from still_hubs)")
    con.execute("delete from touched_members where key in (from still_hubs)")


def _add_supported(con: duckdb.DuckDBPyConnection) -> None:
    """Find the pairs `before`, which touched keys may have brought, and keep those still brought.

    A key that too many share now takes back its pairs, but for those that another key brings: they
    are weighed anew, too, as who else has a mailbox or number counts for what it is worth.
    """
    con.execute("""
        create or replace temp table around as
        with known as (select record from touched_members union select record from changed)
        select pairs.*, a in (select record from changed) or b in (select record from changed)
            as is_changed
        from pairs semi join known as l on pairs.a = l.record semi join known as r on pairs.b = r.record
    """)
    # Step by step: joined at once, the members of a large key might be paired with each other.
    con.execute("""
        create or replace temp table around_keys as
        select a, b, kind, key from around join touched_members on a = record where not is_changed
    """)
    con.execute("""
        create or replace temp table shared as
        select distinct a, b from around_keys as l
        semi join touched_members as r on l.b = r.record and l.kind = r.kind and l.key = r.key
    """)
    con.execute("""
        create or replace temp table before as
        select * exclude (is_changed) from around where is_changed
        union all
        select * exclude (is_changed) from around semi join shared using (a, b)
    """)
    con.execute("""
        create or replace temp table lost as from shared anti join touched_candidates using (a, b)
    """)
    if not con.execute("select 1 from lost limit 1").fetchall():
        return
    con.execute("""
        create or replace temp table lost_keys as
        from keys semi join (select unnest([a, b]) as record from lost) using (record)
    """)
    con.execute("""
        create or replace temp table other_keys as
        select distinct l.kind, l.key from lost
        join lost_keys as l on a = l.record
        join lost_keys as r on b = r.record and l.kind = r.kind and l.key = r.key
        anti join touched_keys as t on l.kind = t.kind and l.key = t.key
    """)
    _find_candidates(con, "other")
    con.execute("""
        insert into touched_candidates select a, b from lost semi join other_candidates using (a, b)
    """)


def levels_of(
    con: duckdb.DuckDBPyConnection, pairs: str, into: str, profiles: str = "records"
) -> str:
    """Make a temporary table of the levels at which pairs (a, b) of records agree.

    Returns:
        The table to read the profiles of these records from: of a few they are gathered in one pass.
    """
    levels = ", ".join(f"{one.sql} as {one.name}" for one in COMPARISONS)
    if profiles == "records" and _count(con, pairs) * FEW < _count(con, "records"):
        profiles = f"profiles_of_{pairs}"
        con.execute(f"""
            create or replace temp table {profiles} as
            from records semi join (select a as record from {pairs} union select b from {pairs})
                using (record)
        """)
    con.execute(f"""
        create or replace temp table {into} as
        select a, b, {levels}, name_frequency
        from (
            select pairs.a, pairs.b, {_PAIR_VALUES},
                greatest(l.name_frequency, r.name_frequency) as name_frequency
            from {pairs} as pairs
            join {profiles} as l on pairs.a = l.record join {profiles} as r on pairs.b = r.record
        )
    """)
    return profiles


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def _find_contested(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Find the mailboxes and numbers that people with differing first names share."""
    last = max(kind for kind, key in enumerate(KEYS) if key.is_identifier)
    con.execute(f"""
        delete from contested where key in (select key from touched_keys where kind <= {last})
    """)
    # By the pairs that the key itself brings: what others bring is not all looked at with it.
    con.execute(f"""
        insert into contested
        with differing as (select a, b from compared where {model.differs_sql}),
        identifying as (
            select key, record from touched_sharing where not is_large and kind <= {last}
            union all
            select key, record from touched_firsts where kind <= {last}
        ),
        lefts as (select b, key from differing join identifying on a = record)
        select distinct key from lefts
        semi join identifying on lefts.b = identifying.record and lefts.key = identifying.key
    """)


def _weigh(con: duckdb.DuckDBPyConnection, model: Model, profiles: str) -> None:
    """Weigh the compared pairs: `weighed`."""
    # A record without a name, or with a part of one, may be of either of the two people who share what it
    # shares with a record: then only what else is alike tells which.
    alike = " + ".join(
        f"case {one.name} "
        + " ".join(
            f"when {level} then {number(model.worth(one.name, one.names[level]))}"
            for level in levels
        )
        + " else 0 end"
        for one, levels in ((EMAIL, (2,)), (PHONE, (2, 3)), (IDENTIFIER, (1,)))
    )
    is_contested = " and ".join(
        f"(coalesce(l.{value} <> r.{value}, true) or {_key(kind, f'l.{value}')} in (from contested))"
        for kind, value in (
            (0, "email"), (2, "card_key"), (3, "visitor_key"), (4, "device_key"), (5, "social_handle")
        )
    )  # fmt: skip
    line = (
        "case when l.mobile_phone in (r.mobile_phone, r.phone) then l.mobile_phone else l.phone end"
    )
    con.execute(f"""
        create or replace temp table doubts as
        with nameless as (
            select a, b, phone, greatest({number(model.prior - CONTESTED)} + {alike}, 0) as bits
            from compared
            where ({NAME.is_one_of("part of a name")} or name = -1)
                and (email = 2 or phone >= 2 or identifier = 1)
                and cast(email = 2 as int) + cast(phone = 3 as int) + cast(identifier = 1 as int) < 2
        )
        select a, b, bits
        from nameless join {profiles} as l on a = l.record join {profiles} as r on b = r.record
        where (nameless.phone < 2 or {_key(1, line)} in (from contested)) and {is_contested}
    """)
    levels = ", ".join(one.name for one in COMPARISONS)
    con.execute(f"""
        create or replace temp table weighed as
        select a, b, {model.contradicts_sql} as is_vetoed, {levels},
            round({model.weight_sql} - coalesce(bits, 0.0), 6) as weight
        from compared left join doubts using (a, b)
    """)


def _replace_pairs(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Put the weighed pairs into the store, and those out of it that no key supports any more."""
    con.execute("delete from pairs using before where pairs.a = before.a and pairs.b = before.b")
    con.execute(f"""
        create or replace temp table fresh_pairs as
        select a, b, weight, is_vetoed, {", ".join(one.name for one in COMPARISONS)} from weighed
        where weight >= {number(model.review)} or email = 2 or phone >= 2 or identifier = 1
            or (address = 2 and name between 1 and 2)
    """)
    con.execute("insert into pairs select * from fresh_pairs")
    linked = f"where weight >= {number(model.link)} and not is_vetoed"
    con.execute(f"""
        create or replace temp table touched as
        with links as (
            (select a, b, weight from before {linked} except select a, b, weight from fresh_pairs {linked})
            union all
            (select a, b, weight from fresh_pairs {linked} except select a, b, weight from before {linked})
        )
        select a as record from links union select b from links union select record from changed
    """)
