"""Sync with the residence registry: is it well, what waits, what was set aside and who must mend it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from backend.console.pages import acting, may, world
from backend.queries.sync_health import find_parked_division, get_sync_page
from backend.services.audit import Actor
from backend.services.disclosures import refuse_outside
from backend.services.registry_upkeep import retry_parked

pages = Blueprint("sync", __name__)


@pages.get("/sync")
def health() -> str:
    """The page; its upper part renews itself."""
    now = world().clock.now()
    return render_template(
        "sync.html", page=get_sync_page(acting().area, now), now=now, may_retry=may("sync.retry", "POST")
    )


@pages.get("/sync/live")
def live() -> str:
    """The part of the page that renews itself."""
    now = world().clock.now()
    return render_template("parts/sync_live.html", page=get_sync_page(acting().area, now), now=now)


@pages.post("/sync/<int:outbox_id>/retry")
def retry(outbox_id: int) -> Response:
    """Take a parked row of the own area up again."""
    who = acting()
    refuse_outside(
        world(),
        session_id=who.session_id,
        object_kind="outbox",
        object_id=str(outbox_id),
        division=find_parked_division(outbox_id, world().clock.now()),
    )
    actor = Actor("officer", who.id, who.badge, who.role, who.office, who.purpose, who.case_ref)
    retry_parked(world(), outbox_id=outbox_id, actor=actor)
    return redirect(url_for("sync.health"))
