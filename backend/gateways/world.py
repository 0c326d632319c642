"""The outside world of one process, as services receive it."""

from __future__ import annotations

from dataclasses import dataclass

from backend.domain.house_rules import HouseRules
from backend.gateways.clock import Clock
from backend.gateways.face_matcher import FaceMatcher
from backend.gateways.file_shelf import FileShelf
from backend.gateways.identity_authority import IdentityAuthority
from backend.gateways.key_ring import KeyRing
from backend.gateways.network_identity import NetworkIdentity
from backend.gateways.office_client import OfficeClient
from backend.gateways.registry_client import RegistryClient
from backend.gateways.sms import SmsGateway
from backend.gateways.tokens import TokenSigner
from backend.gateways.wake_up import WakeUp


@dataclass(frozen=True)
class World:
    """Every role a use case may need; `house` are the limits of this installation."""

    house: HouseRules
    clock: Clock
    key_ring: KeyRing
    tokens: TokenSigner
    sms: SmsGateway
    faces: FaceMatcher
    authority: IdentityAuthority
    registry: RegistryClient
    wake_up: WakeUp
    offices: OfficeClient
    shelf: FileShelf
    network_identity: NetworkIdentity | None = None  # none configured: the way is not offered
