"""A landlord's import from upload to the end: rehearsed, started, stopped, taken up again, and its file forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import reading, transaction
from backend.domain.refusals import Refused
from backend.models.data_keys import DataKey
from backend.models.leases import Lease
from backend.queries.imports import RunView
from backend.services import own_imports
from backend.services.import_work import forget_files, work_on_imports
from backend.services.kept_files import forget_file, keep_file, read_file
from backend.services.lease_imports import LeaseImporter
from backend.services.own_imports import ImportView
from backend.services.turns import TurnHolder
from tests.services import stories
from tests.services.test_lease_imports import HEAD, SECOND, line

CONTENT = (HEAD + line() + line(SECOND, name="李二", start="2026-01-01")).encode()


def upload(world: Any, account_id: str, content: bytes = CONTENT, **wishes: Any) -> ImportView:
    return own_imports.upload_leases(world, account_id=account_id, name="租客.csv", content=content, **wishes)


def look(world: Any, account_id: str, view: ImportView) -> ImportView:
    return own_imports.get_import(world, account_id=account_id, import_id=view.id)


def work(world: Any, name: str = "imports") -> int:
    turn = TurnHolder(world, name)
    try:
        return work_on_imports(world, turn)
    finally:
        turn.give_up()


def count_leases() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Lease)) or 0


def test_an_import_is_rehearsed_then_started_and_its_file_is_gone(core: Any, world: Any) -> None:
    me = stories.make_let_unit(world).landlord
    first = upload(world, me, idempotency_key="a-key-of-mine")
    assert (first.state, first.may_start) == ("checking", False) and world.wake_up.woken[-1] == "imports"
    assert upload(world, me, idempotency_key="a-key-of-mine").id == first.id == upload(world, me).id
    assert CONTENT[:60] not in (world.shelf.get(first.id) or b"") and read_file(world, first.id) == CONTENT
    with pytest.raises(Refused, match=r"import\.not_ready"):
        own_imports.start_import(world, account_id=me, import_id=first.id)
    assert work(world) == 1 and work(world) == 0
    ready = look(world, me, first)
    assert (ready.state, ready.counts["new"], ready.counts["failed"], count_leases()) == ("ready", 1, 1, 0)
    page = own_imports.list_import_rows(world, account_id=me, import_id=first.id, limit=1)
    assert [row.outcome for row in page.rows] == ["new"] and page.next == 2
    page = own_imports.list_import_rows(world, account_id=me, import_id=first.id, after=2)
    assert [row.errors[0].code for row in page.rows] == ["import.overlap_row"] and page.next is None
    assert own_imports.start_import(world, account_id=me, import_id=first.id).state == "running"
    assert work(world) == 1
    done = look(world, me, first)
    assert (done.state, done.counts["new"], count_leases(), world.shelf.names()) == ("done", 1, 1, [])
    assert own_imports.start_import(world, account_id=me, import_id=first.id).state == "done", "twice is once"
    assert own_imports.list_import_rows(world, account_id=me, import_id=first.id).rows[0].object_id
    with reading() as session:
        assert session.get(DataKey, first.id) is None
    assert [view.id for view in own_imports.list_imports(world, account_id=me)] == [first.id]


def test_an_import_belongs_to_whoever_uploaded_it(core: Any, world: Any) -> None:
    me = stories.make_let_unit(world).landlord
    view = upload(world, me)
    other = stories.make_account(world, "+8619900009002")
    for call in (own_imports.get_import, own_imports.start_import, own_imports.stop_import,
                 own_imports.list_import_rows):  # fmt: skip
        with pytest.raises(Refused, match="not_found"):
            call(world, account_id=other, import_id=view.id)
    with pytest.raises(Refused, match=r"landlord\.unidentified"):
        upload(world, other)
    assert own_imports.list_imports(world, account_id=other) == ()


def test_taking_it_back_before_the_start_deletes_the_file(core: Any, world: Any) -> None:
    me = stories.make_let_unit(world).landlord
    view = upload(world, me)
    stopped = own_imports.stop_import(world, account_id=me, import_id=view.id)
    assert (stopped.state, stopped.may_start, world.shelf.names(), work(world)) == ("stopped", False, [], 0)
    for call, code in ((own_imports.stop_import, r"import\.finished"), (own_imports.start_import, r"import\.file")):
        with pytest.raises(Refused, match=code):
            call(world, account_id=me, import_id=view.id)


def test_one_that_is_stopped_or_whose_worker_dies_goes_on_where_it_was(
    core: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = stories.make_let_unit(world).landlord
    rows = [line(), line(SECOND, name="李二", start="2027-11-23", end="")]
    view = upload(world, me, (HEAD + "".join(rows)).encode())
    work(world)
    own_imports.start_import(world, account_id=me, import_id=view.id)
    monkeypatch.setattr("backend.services.import_work.ROWS_PER_UNIT", 1)
    apply = LeaseImporter.apply

    def die(self: Any, world: Any, session: Any, run: RunView, row: Any) -> Any:
        if row.number == 3:
            raise RuntimeError("the worker dies")
        return apply(self, world, session, run, row)  # type: ignore[arg-type]

    monkeypatch.setattr(LeaseImporter, "apply", die)
    with pytest.raises(RuntimeError):
        work(world)
    assert (look(world, me, view).state, look(world, me, view).done, count_leases()) == ("running", 1, 1)
    assert own_imports.stop_import(world, account_id=me, import_id=view.id).state == "stopped"
    assert forget_files(world) == 0, "it may be taken up again"
    monkeypatch.setattr(LeaseImporter, "apply", apply)
    assert own_imports.start_import(world, account_id=me, import_id=view.id).state == "running"
    work(world)
    done = look(world, me, view)
    assert (done.state, done.counts["same"], done.counts["new"], count_leases()) == ("done", 1, 1, 2)


def test_a_file_is_forgotten_after_a_day_whatever_became_of_it(core: Any, world: Any, clock: Any) -> None:
    me = stories.make_let_unit(world).landlord
    ready = upload(world, me)
    work(world)
    clock.move(timedelta(hours=23))
    waiting = upload(world, me, (HEAD + line(start="2026-02-01")).encode())
    with transaction() as session:
        keep_file(world, session, "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01", b"an upload whose commit failed")
    assert forget_files(world) == 0
    clock.move(timedelta(hours=1))
    assert forget_files(world) == 1 and look(world, me, ready).state == "expired"
    with pytest.raises(Refused, match=r"import\.file_gone"):
        own_imports.start_import(world, account_id=me, import_id=ready.id)
    clock.move(timedelta(hours=23))
    assert forget_files(world) == 1
    late = look(world, me, waiting)
    assert (late.state, late.fault, work(world)) == ("failed", "import.file_gone", 0)
    with transaction() as session:
        forget_file(world, session, "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01")
    assert world.shelf.names() == []


def test_an_altered_or_missing_file_ends_the_import_with_a_reason(core: Any, world: Any) -> None:
    me = stories.make_let_unit(world).landlord
    view = upload(world, me)
    world.shelf.put(view.id, b"x" * 60)
    work(world)
    assert (look(world, me, view).state, look(world, me, view).fault) == ("failed", "import.file_gone")


def test_another_worker_leaves_it_alone_while_it_is_not_its_turn(core: Any, world: Any) -> None:
    me = stories.make_let_unit(world).landlord
    upload(world, me)
    busy = TurnHolder(world, "imports")
    assert busy.is_mine() and work_on_imports(world, TurnHolder(world, "imports")) == 0


def test_a_file_of_no_use_is_refused_at_once_and_not_kept(core: Any, world: Any) -> None:
    me = stories.make_let_unit(world).landlord
    for content, code in ((b"a,b\n1,2\n", "no_header"), (b"PK\x03\x04broken", "broken"), (b"", "no_header"),
                          ((HEAD + line() * 1001).encode(), "too_large"), (b"\xff\xff\x80", "encoding")):  # fmt: skip
        with pytest.raises(Refused, match=rf"table\.{code}"):
            upload(world, me, content)
    assert world.shelf.names() == []
