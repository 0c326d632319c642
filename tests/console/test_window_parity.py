"""Paper parity: whatever a resident can do on a phone has its act at the window, or a stated reason why it has "
    "none."""

from __future__ import annotations

import pytest

from backend.console.window import PAPERS
from backend.console.window_acts import USE_CASES
from backend.console.window_fields import FIELDS
from backend.domain.window import ACTS
from backend.web import load_policy

# What the phone shows stands in the file, which an officer opens with the person; a report when the person asks for it.
SEEN = {"open_file", "open_report"}
# act at the window -> the phone's routes and pages it stands for
EQUIVALENTS: dict[str, str] = {
    "open_file": "api.me.get_identity api.me.enter_identity api.consents.list_consents api.children.list_children "
    "api.units.list_units api.units.get_unit api.units.list_leases api.leases.get_lease api.households.get_household "
    "api.households.list_declared_for api.households.get_declared_for api.households.list_childrens_leases "
    "api.unit_board.show_board api.unit_board.list_todos landlord.todos api.registrations.list_tenancies "
    "api.registrations.get_tenancy "
    "api.registrations.list_corrections api.dwellings.search_dwellings api.dwellings.get_dwelling "
    "api.identity.get_progress api.invitations.list_mine api.reported.list_reported account.list_reported "
    "account.home account.children account.list_consents landlord.home landlord.identity "
    "landlord.lease landlord.unit landlord.contested landlord.dwelling landlord.search tenant.home "
    "tenant.identity tenant.household tenant.member tenant.tenancy tenant.guardian "
    "tenant.divisions",
    "open_report": "api.reports.list_reports api.reports.get_report tenant.list_reports tenant.show_report "
    "landlord.list_reports landlord.show_report",
    "answer_consent": "api.consents.answer_consent tenant.notice account.give_consent_again",
    "withdraw_consent": "api.consents.withdraw_consent account.withdraw_consent",
    "take_lease": "api.invitations.accept front.accept_invitation",
    "declare": "api.registrations.declare tenant.declare",
    "declare_exempt": "api.residence_paths.declare_exempt tenant.exempt",
    "amend": "api.registrations.amend tenant.amend",
    "withdraw_draft": "api.residence_paths.withdraw tenant.withdraw",
    "request_void": "api.residence_paths.request_void tenant.void",
    "check_out": "api.registrations.check_out tenant.move_out",
    "still_here": "api.registrations.still_here tenant.still_here",
    "answer_correction": "api.registrations.answer_correction tenant.answer_correction",
    "answer_reported": "api.reported.answer_reported account.answer_reported",
    "hand_out_foreign_form": "api.residence_paths.hand_out_form tenant.foreign_form",
    "print_foreign_form": "api.residence_paths.get_form",
    "mark_foreign_done": "api.residence_paths.mark_done tenant.foreign_done",
    "host_foreign_done": "api.residence_paths.mark_done_as_host landlord.foreign_done_by_host",
    "add_co_resident": "api.households.add_co_resident tenant.add_co_resident",
    "enter_child": "api.children.enter_child api.children.consent_for_child account.consent_for_child",
    "withdraw_for_child": "api.children.withdraw_for_child account.withdraw_for_child",
    "declare_child": "api.households.declare_child tenant.declare_child",
    "declare_for_relative": "api.households.declare_for_relative tenant.represent",
    "amend_for": "api.households.amend_for tenant.amend_member",
    "withdraw_for": "api.households.withdraw_for tenant.withdraw_member",
    "check_out_for": "api.households.check_out_for tenant.check_out_member",
    "object_to_declaration": "api.households.object_to_declaration tenant.object_to_declaration",
    "print_receipt": "api.registrations.get_receipt api.registrations.print_receipt tenant.receipt "
    "tenant.receipt_pdf "
    "api.registrations.print_check_out_receipt tenant.check_out_receipt tenant.check_out_receipt_pdf",
    "print_landlord_receipt": "api.leases.print_receipt api.proofs.get_landlord_receipt landlord.receipt "
    "landlord.receipt_pdf",
    "print_access": "api.access_records.list_access_records account.access "
    "api.access_records.get_access_record",
    "ask_about_look": "api.access_records.ask_about_look account.ask_about_look",
    "ask_erasure": "api.me.get_erasure api.me.ask_erasure account.erasure",
    "withdraw_erasure": "api.me.withdraw_erasure account.withdraw_erasure",
    "export": "api.me.export_my_data api.me.print_my_data account.rights account.export "
    "account.export_pdf api.residence_paths.list_sources",
    "print_codes": "api.key_phones.fetch_codes tenant.codes",
    "claim_unit": "api.units.claim_unit landlord.claim_unit",
    "add_unit": "api.units.add_unit landlord.add_unit",
    "claim_lock": "api.units.claim_lock landlord.claim_lock",
    "release_unit": "api.units.release_unit landlord.release_unit",
    "record_lease": "api.leases.record_lease landlord.new_lease",
    "add_co_tenant": "api.leases.add_co_tenant",
    "report_tenant": "api.leases.report_tenant landlord.report",
    "extend_lease": "api.leases.extend_lease landlord.extend",
    "correct_named": "api.leases.correct_named landlord.correct_named",
    "move_start": "api.leases.move_start landlord.move_start",
    "end_lease": "api.leases.end_lease landlord.end",
    "attest": "api.leases.attest landlord.attest",
    "file_report": "api.reports.file_report api.reports.list_places tenant.new_report landlord.new_report",
    "rate_report": "api.reports.rate_report tenant.rate_report landlord.rate_report",
    "reopen_report": "api.reports.reopen_report tenant.reopen_report landlord.reopen_report",
}
# what takes somebody who sees the person
STAFF_ALONE = {"link_phone", "hand_out_mechanical_key", "declare_without_lease", "correct_identity"}
# why -> what has no act at the window
NONE_NEEDED: dict[str, str] = {
    "a phone's own sign-in, settings and address: there is no phone": "api.sign_ins.list_sessions "
    "api.sign_ins.end_session api.me.get_account api.me.change_preferences account.end_sign_in account.list_sign_ins "
    "front.sign_out",
    "the letters of the area carry what the inbox says (window.letters)": "api.access_records.list_notices "
    "api.access_records.mark_read api.access_records.mark_all_read api.access_records.show_inbox api.me.list_duties "
    "account.messages account.messages_alike account.read_message account.read_messages",
    "which messages a phone may keep silent about; a letter makes no sound": "api.access_records.list_topics "
    "api.access_records.silence_topics account.notifications",
    "the person stands at the window: no machine, no appointment and no network identity is needed to know who it is":
    "api.identity.look_at_document api.identity.start_challenge api.identity.check_face api.identity.ask_a_person "
    "api.identity_ways.list_slots tenant.look_at_document "
    "api.identity_ways.get_appointment api.identity_ways.choose_slot api.identity_ways.cancel_appointment "
    "api.identity_ways.begin_network_identity api.identity_ways.finish_network_identity tenant.check_face "
    "tenant.face_check tenant.face_consent tenant.start_challenge tenant.other_ways tenant.slots tenant.cancel_slot "
    "tenant.begin_network tenant.network_return",
    "opens, holds or moves a key on a phone; without one there are codes and a mechanical key": "api.keys.get_key "
    "api.keys.change_key api.keys.fetch_credential api.keys.fetch_time api.keys.bring_lock_report api.keys.unlock "
    "api.keys.get_command api.key_phones.rebind_key api.key_phones.ask_rebind api.key_phones.fetch_activation "
    "api.key_phones.make_delegate api.key_phones.list_delegates api.key_phones.end_delegate "
    "api.key_phones.adopt_delegated_key landlord.key_action landlord.emergency tenant.any_key tenant.ask_new_phone "
    "tenant.command_state tenant.key tenant.near_documents tenant.near_report tenant.near_time tenant.new_phone "
    "tenant.own_key tenant.unlock landlord.prepare_issue landlord.take_in_issued tenant.fetch_activation "
    "tenant.take_in_received",
    "help is asked for where nobody is; at the window somebody is": "api.reports.ask_for_help "
    "api.reports.get_help_contact api.reports.choose_help_contact api.reports.forget_help_contact tenant.ask_for_help "
    "tenant.help_page tenant.help_contact tenant.forget_help_contact",
    "a link to another's phone: who has none accepts the lease at the window": "api.leases.invite_tenant "
    "api.leases.cancel_invitation landlord.invite landlord.cancel_invitation landlord.share",
    "a visitor's key lives on the visitor's phone and is issued from one": "api.visitor_keys.issue_visitor_key "
    "api.visitor_keys.list_visitor_keys api.visitor_keys.get_visitor_key api.visitor_keys.answer_visitor_key "
    "api.visitor_keys.end_visitor_key api.visitor_keys.list_my_visits api.visitor_keys.get_my_visit "
    "tenant.any_visitors landlord.new_visitor landlord.visitor "
    "landlord.visitors tenant.new_visitor tenant.unlock_visit tenant.visit tenant.visitor tenant.visitors",
    "door events are the tenant's alone; no officer sees or prints them (boundary 1)": "api.keys.list_door_events "
    "tenant.door_events",
    "a lock's health is read from the lock's own page; an officer is shown none of it": "api.units.list_lock_events "
    "landlord.lock",
    "a file with many leases comes from a computer; at the window each is recorded": "api.imports.get_import "
    "api.imports.get_template api.imports.list_imports api.imports.list_rows api.imports.start api.imports.stop "
    "api.imports.upload "
    "landlord.import_page landlord.import_template landlord.imports landlord.start_import "
    "landlord.stop_import",
    "the window prints door sheets of its area itself (door_sheets.sheet)": "landlord.own_door_sheets "
    "api.proofs.list_door_sheets",
    "reminding many tenants at once is a landlord's with many units; a late declaration reaches the window as a case":
    "api.unit_board.list_late_tenants api.unit_board.remind_tenants landlord.reminders",
}  # fmt: skip


def test_every_thing_a_resident_can_do_has_its_act_at_the_window_or_a_reason() -> None:
    told = [name for names in (*EQUIVALENTS.values(), *NONE_NEEDED.values()) for name in names.split()]
    assert len(told) == len(set(told)), sorted(name for name in told if told.count(name) > 1)
    residents = {
        endpoint.removeprefix("mobile.") for (endpoint, _), rule in load_policy().items() if "resident" in rule.who
    }
    assert sorted(residents - set(told)) == [], "new on the phone: give it an act at the window, or a reason"
    assert sorted(set(told) - residents) == [], "gone from the phone"


def test_every_act_is_carried_out_and_every_form_belongs_to_one() -> None:
    printed = {"print_receipt", "print_foreign_form", "print_access", "export", "print_landlord_receipt"}
    assert set(EQUIVALENTS) | STAFF_ALONE == set(ACTS)
    assert set(USE_CASES) == set(ACTS) - printed - SEEN
    assert len(PAPERS) == len(printed) + 1, "of receipts there are two"
    assert set(FIELDS) <= set(USE_CASES)


@pytest.mark.parametrize("act", sorted(USE_CASES))
def test_an_act_takes_a_desk_and_its_fields_are_arguments_of_its_use_case(act: str) -> None:
    use_case, about = USE_CASES[act]
    names = set(use_case.__annotations__)
    assert "desk" in names and set(about) <= names
    assert {field.name for field in FIELDS.get(act, ())} - {"password"} <= names
