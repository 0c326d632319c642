"""Every page of the phones' app, and who stands before it at which stage: the walker's list.

`test_walk.py` fails when a GET page of the app is missing here. A new page gets one row per state worth seeing:
endpoint, member of the cast (see cast.py; None is nobody), path with that person's ids, and, where the page is a form,
FAULTY to see it once more after it was sent empty. `more` of another person: `{registered.lease}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

FAULTY = "main form[method=post]:has(.input, .choice)"


@dataclass(frozen=True)
class Visit:
    """One page in one state."""

    endpoint: str
    who: str | None
    path: str
    send: str = ""  # the form that is sent as it stands, and what comes back is looked at
    status: int = 200
    speaks: str = ""  # the language of a page that has it in its address, whatever the device keeps

    @property
    def name(self) -> str:
        """A name for files and reports."""
        tail = f"-sent-{crc32(self.send.encode()) % 100}" if self.send not in ("", FAULTY) else ""
        spot = crc32(self.path.encode()) % 1000
        return f"{self.endpoint}-{self.who or 'nobody'}{'-faulty' if self.send == FAULTY else tail}-{spot:03d}"


def both(endpoint: str, who: str | None, path: str) -> tuple[Visit, Visit]:
    """A form as it is opened, and as it comes back when it was sent empty."""
    return Visit(endpoint, who, path), Visit(endpoint, who, path, FAULTY, 422)


# Answers to GET that are no page: files, JSON, pieces of pages.
NO_PAGES = {
    "shared.asset": "a file",
    "front.static_file": "a file",
    "front.worker": "a file",
    "front.receipt_worker": "a file",
    "front.receipt_keys": "JSON",
    "healthz": "JSON",
    "demo.messages_json": "JSON",
    "account.export": "a file",
    "account.export_pdf": "a file",
    "tenant.receipt_pdf": "a file",
    "tenant.check_out_receipt_pdf": "a file",
    "landlord.receipt_pdf": "a file",
    "landlord.own_door_sheets": "a paper for the printer, A4",
    "front.any_public": "leads on to another page",
    "front.landlord_worker": "a file",
    "landlord.import_template": "a file",
    "tenant.any_visitors": "leads on to another page",
    "tenant.divisions": "options of a select",
    "tenant.command_state": "JSON",
    "tenant.network_return": "leads on to another page",
    "tenant.begin_network": "GET leads on to another page",
    "tenant.any_key": "leads on to another page",
}

HOME, LEASE, UNIT, DWELLING = "/t/homes/{home}", "/l/leases/{lease}", "/l/units/{unit}", "/l/dwellings/{few.dwelling}"
LET, ROOM = "/l/leases/{registered.lease}", "/l/units/{registered.unit}"

NOBODYS = (
    Visit("front.home", None, "/"),
    *both("front.sign_in", None, "/sign-in?next=/t/"),
    Visit("front.sign_in_code", None, "/sign-in?next=/l/", "sign-in"),
    Visit("front.sign_in_code", None, "/sign-in?next=/l/", "sign-in-wrong", 422),
    *both("front.check_receipt", None, "/r/"),
    Visit("front.check_receipt", None, "/r/", "receipt"),
    Visit("front.invitation", None, "/i/{invited.token}"),
    Visit("front.invitation", None, "/i/{cancelled.token}", status=410),
    Visit("front.invitation", None, "/i/{visitor.token}", status=410),
    Visit("front.invitation", "invited", "/i/{token}"),
    Visit("front.invitation", "newcomer", "/i/{invited.token}"),
    Visit("front.public", None, "/public/zh", speaks="zh"),
    Visit("front.public", None, "/public/en", speaks="en"),
    Visit("front.offline", None, "/t/offline"),
    Visit("front.landlord_offline", None, "/l/offline"),
    Visit("front.receive_key", None, "/t/receive"),
    Visit("front.receive_key", "registered", "/t/receive"),
    Visit("front.door", None, "/u/{registered.door}"),
    Visit("demo.messages", None, "/demo/messages"),
    Visit("demo.specimen", None, "/demo/specimen"),
    Visit("error", None, "/nowhere", status=404),
    Visit("error", "many", "/l/units/{few.unit}", status=404),
)
OWN = (
    Visit("account.home", "newcomer", "/me/"),
    Visit("account.home", "registered", "/me/"),
    Visit("account.messages", "newcomer", "/me/messages"),
    Visit("account.messages", "many", "/me/messages"),
    Visit("account.messages", "ending", "/me/messages"),
    Visit("account.messages_alike", "many", "/me/messages/invitation_accepted/2026-11-23"),
    Visit("account.notifications", "newcomer", "/me/notifications"),
    Visit("account.notifications", "many", "/me/notifications?said=kept"),
    Visit("account.access", "newcomer", "/me/access"),
    Visit("account.access", "registered", "/me/access"),
    Visit("account.access", "looked_at", "/me/access"),
    Visit("account.ask_about_look", "looked_at", "/me/access/{other}/ask"),
    Visit("account.ask_about_look", "looked_at", "/me/access/{again}/ask"),
    Visit("account.ask_about_look", "looked_at", "/me/access/{again}/ask", FAULTY, 422),
    Visit("account.rights", "newcomer", "/me/data"),
    Visit("account.rights", "registered", "/me/data"),
    Visit("account.rights", "leaving", "/me/data"),
    Visit("account.erasure", "newcomer", "/me/delete"),
    Visit("account.erasure", "registered", "/me/delete"),
    Visit("account.erasure", "leaving", "/me/delete"),
    Visit("account.list_consents", "leaving", "/me/consents"),
    *both("account.children", "registered", "/me/children"),
    Visit("account.children", "newcomer", "/me/children"),
    Visit("account.list_consents", "newcomer", "/me/consents"),
    Visit("account.list_consents", "consented", "/me/consents"),
    Visit("account.withdraw_consent", "consented", "/me/consents/face_check/withdraw"),
    Visit("account.withdraw_consent", "registered", "/me/consents/registration_notice/withdraw"),
    Visit("account.list_reported", "newcomer", "/me/reported"),
    Visit("account.list_reported", "registered", "/me/reported"),
    Visit("account.list_sign_ins", "registered", "/me/sign-ins"),
)
REPORTS = (
    Visit("tenant.list_reports", "newcomer", "/t/reports"),
    Visit("tenant.list_reports", "host", "/t/reports"),
    Visit("landlord.list_reports", "few", "/l/reports"),
    Visit("tenant.new_report", "registered", "/t/reports/new"),
    *both("tenant.new_report", "registered", "/t/reports/new?kind=unsafe_dwelling"),
    Visit("tenant.new_report", "newcomer", "/t/reports/new?kind=resident_report"),
    Visit("tenant.new_report", "newcomer", "/t/reports/new?unit={registered.door}"),
    Visit("tenant.new_report", "newcomer", "/t/reports/new?unit={registered.door}&kind=unsafe_dwelling"),
    Visit("landlord.new_report", "few", "/l/reports/new"),
    *both("landlord.new_report", "few", "/l/reports/new?kind=data_question"),
    Visit("landlord.new_report", "many", "/l/reports/new?kind=lock_trouble"),
    Visit("tenant.show_report", "registered", "/t/reports/{report}"),
    Visit("tenant.show_report", "host", "/t/reports/{report}"),
    Visit("tenant.show_report", "host", "/t/reports/{report}", "form[action$=rating]", 422),
    Visit("tenant.show_report", "host", "/t/reports/{asked}"),
    Visit("landlord.show_report", "host", "/l/reports/{report}"),
    Visit("tenant.help_page", "registered", "/t/homes/{home}/help"),
    Visit("tenant.help_page", "host", "/t/homes/{home}/help"),
    *both("tenant.help_contact", "registered", "/t/help-contact"),
    Visit("tenant.help_contact", "host", "/t/help-contact"),
)
LANDLORDS = (
    Visit("landlord.home", "newcomer", "/l/"),
    Visit("landlord.home", "few", "/l/"),
    Visit("landlord.home", "many", "/l/"),
    *both("landlord.identity", "newcomer", "/l/identity"),
    Visit("landlord.identity", "few", "/l/identity"),
    Visit("landlord.search", "newcomer", "/l/dwellings"),
    Visit("landlord.search", "few", "/l/dwellings?q=陈塘"),
    Visit("landlord.search", "few", "/l/dwellings?q=没有这里"),
    Visit("landlord.dwelling", "few", DWELLING),
    *both("landlord.add_unit", "few", DWELLING + "/add"),
    *both("landlord.claim_unit", "few", DWELLING + "/units/{few.unit}/claim"),
    Visit("landlord.contested", "few", "/l/contested/AJ-20261123-0001"),
    Visit("landlord.unit", "few", UNIT),
    Visit("landlord.unit", "few", UNIT + "?claimed=1"),
    Visit("landlord.lock", "few", UNIT + "/lock"),
    *both("landlord.claim_lock", "few", UNIT + "/lock/claim"),
    Visit("landlord.new_lease", "few", UNIT + "/lease"),
    Visit("landlord.new_lease", "few", UNIT + "/lease", "lease-nameless", 422),
    Visit("landlord.new_lease", "few", UNIT + "/lease", "lease-2"),
    Visit("landlord.new_lease", "few", UNIT + "/lease", "lease-3"),
    Visit("landlord.new_lease", "many", "/l/units/{first.unit}/lease?joint={first.lease}"),
    Visit("landlord.unit", "many", ROOM),
    Visit("landlord.unit", "many", "/l/units/{invited.unit}"),
    Visit("landlord.lock", "many", ROOM + "/lock"),
    Visit("landlord.lock", "many", "/l/units/{host.unit}/lock"),
    Visit("landlord.visitors", "many", "/l/units/{host.unit}/visitors"),
    Visit("landlord.visitors", "few", UNIT + "/visitors"),
    Visit("landlord.visitor", "many", "/l/units/{host.unit}/visitors/{host.other}"),
    *both("landlord.new_visitor", "many", ROOM + "/visitors/new"),
    *both("landlord.emergency", "many", ROOM + "/visitors/emergency"),
    Visit("landlord.lease", "many", LET),
    *(
        Visit("landlord.lease", "many", f"/l/leases/{{{who}.lease}}")
        for who in ("invited", "cancelled", "accepted", "declared", "rejected", "suspended", "moved_out", "ending",
                    "disputed", "foreign", "child", "exempt")
    ),
    Visit("landlord.share", "many", "/l/leases/{invited.lease}/share"),
    Visit("landlord.share", "many", "/l/leases/{cancelled.lease}/share"),
    Visit("landlord.share", "many", LET + "/share"),
    *both("landlord.attest", "many", "/l/leases/{identified.lease}/attest"),
    *both("landlord.extend", "many", LET + "/extend"),
    *both("landlord.invite", "many", "/l/leases/{invited.lease}/invite"),
    Visit("landlord.invite", "many", LET + "/invite"),
    *both("landlord.correct_named", "many", "/l/leases/{invited.lease}/tenant"),
    Visit("landlord.correct_named", "many", LET + "/tenant"),
    *both("landlord.move_start", "many", "/l/leases/{invited.lease}/start"),
    Visit("landlord.end", "many", LET + "/end"),
    Visit("landlord.key_action", "many", LET + "/key/suspend"),
    Visit("landlord.key_action", "many", LET + "/key/revoke"),
    Visit("landlord.key_action", "many", LET + "/key/resume"),
    Visit("landlord.foreign_done_by_host", "many", "/l/leases/{foreign.lease}/foreign-done"),
    Visit("landlord.receipt", "many", LET + "/receipt"),
    Visit("landlord.todos", "few", "/l/todos"),
    Visit("landlord.todos", "many", "/l/todos"),
    Visit("landlord.reminders", "few", "/l/reminders"),
    Visit("landlord.reminders", "many", "/l/reminders"),
    *both("landlord.imports", "few", "/l/import"),
    Visit("landlord.imports", "many", "/l/import"),
    Visit("landlord.import_page", "many", "/l/import/{other}"),
    Visit("landlord.import_page", "many", "/l/import/{other}?show=all"),
)  # fmt: skip
TENANTS = (
    Visit("tenant.home", "newcomer", "/t/"),
    Visit("tenant.home", "visitor", "/t/"),
    Visit("tenant.home", "moved_out", "/t/"),
    *(
        Visit("tenant.tenancy", who, HOME)
        for who in ("accepted", "noticed", "identified", "consented", "reviewed", "declared", "rejected", "registered",
                    "suspended", "early", "moved_out", "ending", "disputed", "exempt", "foreign", "child", "host")
    ),
    Visit("tenant.tenancy", "accepted", HOME + "?accepted=1"),
    Visit("tenant.tenancy", "declared", HOME + "?said=declared"),
    Visit("tenant.notice", "accepted", HOME + "/notice"),
    *both("tenant.identity", "noticed", HOME + "/identity"),
    Visit("tenant.identity", "identified", HOME + "/identity"),
    Visit("tenant.face_consent", "identified", HOME + "/face"),
    Visit("tenant.face_check", "consented", HOME + "/face/check"),
    Visit("tenant.face_check", "identified", HOME + "/face/check"),
    Visit("tenant.other_ways", "identified", HOME + "/ways"),
    Visit("tenant.other_ways", "reviewed", HOME + "/ways"),
    *both("tenant.slots", "identified", HOME + "/ways/window"),
    Visit("tenant.slots", "reviewed", HOME + "/ways/live_video"),
    Visit("tenant.begin_network", "identified", HOME + "/ways", "form[action*=network-identity]"),
    *both("tenant.declare", "identified", HOME + "/declare"),
    Visit("tenant.amend", "rejected", HOME + "/amend"),
    *both("tenant.exempt", "identified", HOME + "/exempt"),
    *both("tenant.void", "declared", HOME + "/void"),
    Visit("tenant.withdraw", "accepted", HOME + "/withdraw"),
    Visit("tenant.foreign_form", "foreign", HOME + "/foreign-form"),
    Visit("tenant.guardian", "child", HOME + "/guardian"),
    *(
        Visit("tenant.key", who, HOME + "/key")
        for who in ("accepted", "declared", "registered", "suspended", "early", "moved_out", "exempt")
    ),
    Visit("tenant.codes", "registered", HOME + "/codes"),
    Visit("tenant.codes", "accepted", HOME + "/codes"),
    Visit("tenant.codes", "registered", HOME + "/codes", "main form[method=post]"),
    Visit("tenant.own_key", "registered", HOME + "/key/suspend"),
    Visit("tenant.own_key", "suspended", HOME + "/key/resume"),
    Visit("tenant.new_phone", "registered", HOME + "/phone"),
    Visit("tenant.door_events", "registered", HOME + "/doors"),
    Visit("tenant.door_events", "looked_at", HOME + "/doors"),
    Visit("tenant.household", "registered", HOME + "/household"),
    Visit("tenant.household", "declared", HOME + "/household"),
    *both("tenant.add_co_resident", "registered", HOME + "/household/add"),
    *both("tenant.declare_child", "registered", HOME + "/household/children/{other}"),
    Visit("tenant.represent", "registered", "/t/represent"),
    Visit("tenant.represent", "newcomer", "/t/represent"),
    Visit("tenant.represent", "host", "/t/represent", FAULTY, 422),
    Visit("tenant.member", "registered", "/t/declared-for/{again}"),
    Visit("tenant.amend_member", "registered", "/t/declared-for/{again}/amend"),
    *both("tenant.check_out_member", "registered", "/t/declared-for/{again}/check-out"),
    Visit("tenant.withdraw_member", "registered", "/t/declared-for/{again}"),
    Visit("tenant.move_out", "registered", HOME + "/move-out"),
    Visit("tenant.move_out", "registered", HOME + "/move-out", FAULTY, 422),
    Visit("tenant.still_here", "ending", HOME + "/still-here"),
    Visit("tenant.receipt", "registered", HOME + "/receipt"),
    Visit("tenant.receipt", "declared", HOME + "/receipt"),
    Visit("tenant.check_out_receipt", "moved_out", HOME + "/check-out-receipt"),
    Visit("tenant.visitors", "host", HOME + "/visitors"),
    Visit("tenant.visitors", "registered", HOME + "/visitors"),
    Visit("tenant.visitor", "host", HOME + "/visitors/{other}"),
    Visit("tenant.visitor", "host", HOME + "/visitors/{again}"),
    *both("tenant.new_visitor", "host", HOME + "/visitors/new"),
    Visit("tenant.visit", "visitor", "/t/visits/{key}"),
)  # fmt: skip

VISITS: tuple[Visit, ...] = (*NOBODYS, *OWN, *REPORTS, *LANDLORDS, *TENANTS)
