"""Reports about a dwelling or one's own record, and requests for help."""

from __future__ import annotations

from typing import Any

from backend.domain.refusals import Refused
from backend.services import help_requests, reports
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.paging import page_by_id
from mobile_api.api.schemas.base import Cursor
from mobile_api.api.schemas.reports import (
    HelpContactChosen,
    HelpContactShown,
    PlaceShown,
    PlaceWish,
    Rating,
    Reopening,
    ReportFiled,
    ReportLineShown,
    ReportShown,
)

blueprint = Blueprint("reports", "反映问题与求助", "Reports and help")


@blueprint.get("/report-places")
@blueprint.etag
@blueprint.arguments(PlaceWish, location="query")
@blueprint.response(200, PlaceShown(many=True))
def list_places(query: dict[str, Any]) -> Any:
    """List the dwellings one lives in (tenant) or lets (landlord), to report about.

    可以反映的自己的住处（租客）或房屋（房东）。
    """
    return reports.list_places(world(), account_id=me(), **query)


@blueprint.post("/reports")
@blueprint.arguments(ReportFiled)
@blueprint.response(201, ReportShown)
@blueprint.refuses("report.facts", "report.number", "report.unit", "report.not_own", "report.too_many")
@blueprint.creates
def file_report(body: dict[str, Any], idempotency_key: str | None) -> Any:
    """Report something about a dwelling, or about one's own record there; routed to the entitled office.

    反映房屋、门锁或本人登记上的问题，送到有权处理的部门。
    """
    return reports.file_report(world(), account_id=me(), **body, idempotency_key=idempotency_key)


@blueprint.get("/reports")
@blueprint.etag
@blueprint.arguments(Cursor, location="query")
@blueprint.response_page(ReportLineShown(many=True))
def list_reports(query: dict[str, Any]) -> Any:
    """List what one has reported, newest first.

    我的反映，新的在前。
    """
    limit = query["limit"]
    found = reports.list_reports(world(), account_id=me(), before=query.get("before"), limit=limit + 1)
    return page_by_id(found, limit)


@blueprint.get("/reports/<id:report_id>")
@blueprint.etag
@blueprint.response(200, ReportShown)
def get_report(report_id: str) -> Any:
    """Show a report: its steps, office and day, and the answer once it was checked.

    查看一件反映：进展、承办部门、期限和答复。
    """
    return reports.get_report(world(), account_id=me(), report_id=report_id)


@blueprint.put("/reports/<id:report_id>/rating")
@blueprint.arguments(Rating)
@blueprint.response(200, ReportShown)
@blueprint.refuses("transition")
def rate_report(body: dict[str, Any], report_id: str) -> Any:
    """Rate the answer, which closes the case.

    评价答复，事项办结。
    """
    return reports.rate_report(world(), account_id=me(), report_id=report_id, **body)


@blueprint.post("/reports/<id:report_id>/reopening")
@blueprint.arguments(Reopening)
@blueprint.response(200, ReportShown)
@blueprint.refuses("transition", "report.reopened", "report.reopen_late", "report.number")
def reopen_report(body: dict[str, Any], report_id: str) -> Any:
    """It is not solved: have it done again, once, within 30 days of the answer.

    没有解决：答复后 30 天内可以重新办理一次。
    """
    return reports.reopen_report(world(), account_id=me(), report_id=report_id, **body)


@blueprint.get("/me/help-contact")
@blueprint.etag
@blueprint.response(200, HelpContactShown)
@blueprint.refuses("not_found")
def get_help_contact() -> Any:
    """Show whom one wants to have told when asking for help; 404 when nobody was chosen.

    查看求助时通知谁；没有选人时为 404。
    """
    found = help_requests.find_help_contact(world(), account_id=me())
    if found is None:
        raise Refused("not_found")
    return found


@blueprint.put("/me/help-contact")
@blueprint.arguments(HelpContactChosen)
@blueprint.response(200, HelpContactShown)
@blueprint.refuses("phone.invalid", "help.own_phone")
def choose_help_contact(body: dict[str, Any]) -> Any:
    """Choose whom to tell, or change it.

    选择或更换求助时通知的人。
    """
    return help_requests.choose_help_contact(world(), account_id=me(), **body)


@blueprint.delete("/me/help-contact")
@blueprint.response(204)
def forget_help_contact() -> None:
    """Nobody is to be told any more.

    不再通知任何人。
    """
    help_requests.forget_help_contact(world(), account_id=me())


@blueprint.post("/registrations/<id:registration_id>/help-requests")
@blueprint.response(201, ReportShown)
@blueprint.refuses("report.stay")
@blueprint.creates
def ask_for_help(registration_id: str, idempotency_key: str | None) -> Any:
    """Ask for help where one lives: a message to the chosen person at once, and a case before all others. In an
    emergency the number is 110.

    在住处求助：立即发短信给所选的人，并排到事项列表最前面。紧急情况请拨 110。
    """
    return help_requests.ask_for_help(
        world(), account_id=me(), registration_id=registration_id, idempotency_key=idempotency_key
    )
