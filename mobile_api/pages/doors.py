"""The blueprints of the pages and what every view needs: the world, the caller's account, CSRF, the present address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, request, send_from_directory, session
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from backend.bootstrap import World, world_of
from backend.domain.refusals import Refused
from backend.services import sign_ins
from backend.web import caller

STATIC = Path(__file__).parent.parent / "static"

front = Blueprint("front", __name__)
account = Blueprint("account", __name__, url_prefix="/me")
landlord = Blueprint("landlord", __name__, url_prefix="/l")
tenant = Blueprint("tenant", __name__, url_prefix="/t")
ALL = (front, account, landlord, tenant)

KEEP_HEADER = "X-Anju-Keep"  # sent for a page that the phone keeps for the time without a network

SHOWN_AGAIN = "anju.shown_again"  # in the environment of a request that this process makes itself

# What a page has in its address and its form says unseen; the page of a form whose address has none above it.
CARRIED = {
    "landlord.new_lease": ("joint", "after"),
    "landlord.new_report": ("kind",),
    "tenant.new_report": ("kind",),
}
PAGES_OF_FORMS = {"tenant.unlock": "/t/homes/{registration_id}/key"}

csrf = CSRFProtect()


@front.before_request
@account.before_request
@landlord.before_request
@tenant.before_request
def check_csrf() -> None:
    """Refuse an unsafe request without the page's token. Raises Refused('csrf')."""
    try:
        csrf.protect()
    except CSRFError:
        raise Refused("csrf") from None


@landlord.before_request
def _wear_landlord_hat() -> None:
    _wear("landlord")  # decides which tabs the pages under /me/ show


@tenant.before_request
def _wear_tenant_hat() -> None:
    _wear("tenant")


def _wear(hat: str) -> None:
    if session.get("hat") != hat:
        session["hat"] = hat


@front.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """Styles and modules of the pages; checked by ETag on each use."""
    answer = send_from_directory(STATIC, name)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def world() -> World:
    """The world of the present request's app."""
    return world_of(current_app)


def account_id() -> str:
    """The signed-in account; the policy has made sure there is one."""
    found = caller().account_id
    if found is None:
        raise Refused("unauthenticated")
    return found


def session_id() -> str:
    """The present sign-in."""
    found = caller().session_id
    if found is None:
        raise Refused("unauthenticated")
    return found


def over() -> sign_ins.SignInOver | None:
    """The sign-in of this browser that is over, when nobody is signed in here since."""
    if caller().account_id is not None or "sid" not in session:
        return None
    return sign_ins.find_over(world(), session_id=session["sid"], secret=session["secret"])


def is_ended() -> bool:
    """Whether this browser's sign-in was ended from elsewhere: then it forgets what it keeps for a door."""
    found = over()
    return found is not None and found.ended


def owner() -> str | None:
    """Whose page this is, for the browser to tell what it keeps of others; a page to be kept does not say it."""
    return None if KEEP_HEADER in request.headers else caller().account_id


def is_demo() -> bool:
    """Whether this house is a demo."""
    return world().house.demo


def is_elder() -> bool:
    """Whether the pages are shown in elder mode."""
    return chosen_elder() is True


def chosen_elder() -> bool | None:
    """What this device was told of elder mode; None while nobody has chosen."""
    return {"1": True, "0": False}.get(request.cookies.get("anju-elder", ""))


def here() -> str:
    """The address to come back to: this page's, or after a form was sent that of the page it stands on."""
    if request.method == "GET":
        return request.full_path.removesuffix("?")
    if request.endpoint == "front.show_form":
        return safe_path(request.form.get("next"))
    carried = [(name, value) for name in CARRIED.get(request.endpoint or "", ()) if (value := request.form.get(name))]
    asked = request.query_string.decode() or urlencode(carried)
    path = PAGES_OF_FORMS.get(request.endpoint or "", "").format(**request.view_args or {}) or request.path
    while not endpoint_of(path, "GET"):
        path, asked = path.rsplit("/", 1)[0] or "/", ""
    return f"{path}?{asked}" if asked else path


def endpoint_of(path: str, method: str) -> str | None:
    """What answers at this address; None where nothing does."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None  # there is a request
    try:
        return str(adapter.match(path, method=method)[0])
    except HTTPException:
        return None


def is_shown_again() -> bool:
    """Whether the form of this request is only to be shown as it was sent: `shown_page` asks for it, no browser can."""
    return SHOWN_AGAIN in request.environ


def safe_path(path: str | None, otherwise: str = "/") -> str:
    """`path` when it stays in this app, else `otherwise`: nobody is sent away by a link."""
    if path and path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path:
        return path
    return otherwise


def wants_json() -> bool:
    """Whether a module of ours is asking, not a person's navigation."""
    return request.headers.get("Accept", "") == "application/json"
