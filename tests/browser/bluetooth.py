"""Bluetooth without hardware: headless Chromium's emulated adapter (CDP), with simulated locks as its peripherals.

The BluetoothEmulation domain lives on the browser's own session, the chooser's prompts on the page's.
"""

from __future__ import annotations

import base64
from typing import Any

from backend.wire.near_messages import GATT_READ, GATT_SERVICE, GATT_WRITE, MessageRejected
from device_sim.gatt import GattService
from device_sim.lock import Lock

APPLICATION_ERROR = 0x80  # Bluetooth Core 5.4, vol 3, part F, 3.4.1.1: the first of the application's own errors


class Air:
    """What a browser's adapter hears: locks by their Bluetooth address. `chosen` is the one a person picks."""

    def __init__(self, browser: Any) -> None:
        self._session = browser.new_browser_cdp_session()
        self._locks: dict[str, Lock] = {}
        self._services: dict[str, GattService] = {}
        self._characteristics: dict[str, tuple[str, str]] = {}
        self.chosen: str | None = None
        self._session.on("BluetoothEmulation.gattOperationReceived", self._on_gatt)
        self._session.on("BluetoothEmulation.characteristicOperationReceived", self._on_characteristic)
        self._say("enable", state="powered-on", leSupported=True)

    def put(self, address: str, lock: Lock) -> None:
        """A lock comes into reach."""
        self._locks[address] = lock
        self._say("simulatePreconnectedPeripheral", address=address, name="Anju", manufacturerData=[],
                  knownServiceUuids=[GATT_SERVICE])  # fmt: skip

    def lose(self, address: str) -> None:
        """A lock goes out of reach; the browser still remembers it."""
        del self._locks[address]

    def vanish(self) -> None:
        """The phone has no adapter any more. One that is only switched off is the chooser's own matter."""
        self._say("disable")
        self._say("enable", state="absent", leSupported=True)

    def serve(self, page: Any) -> None:
        """Answer the choosers of a page with the chosen lock, or close them."""
        session = page.context.new_cdp_session(page)
        answered: set[str] = set()

        def on_prompt(prompt: dict[str, Any]) -> None:
            offered = {device["id"] for device in prompt["devices"]}
            if prompt["id"] in answered or (self.chosen is not None and self.chosen not in offered):
                return
            answered.add(prompt["id"])
            if self.chosen is None:
                session.send("DeviceAccess.cancelPrompt", {"id": prompt["id"]})
            else:
                session.send("DeviceAccess.selectPrompt", {"id": prompt["id"], "deviceId": self.chosen})

        session.on("DeviceAccess.deviceRequestPrompted", on_prompt)
        session.send("DeviceAccess.enable")

    def close(self) -> None:
        """The adapter goes back to the browser."""
        self._say("disable")
        self._session.detach()

    def _on_gatt(self, asked: dict[str, Any]) -> None:
        address = asked["address"]
        code = 0
        if asked["type"] == "connection":
            if address in self._locks:
                self._services[address] = GattService(self._locks[address])
            else:
                code = 1
        elif asked["type"] == "discovery" and not any(at == address for at, _ in self._characteristics.values()):
            service = self._say("addService", address=address, serviceUuid=GATT_SERVICE)["serviceId"]
            for uuid, properties in ((GATT_WRITE, {"write": True}), (GATT_READ, {"read": True})):
                made = self._say("addCharacteristic", serviceId=service, characteristicUuid=uuid, properties=properties)
                self._characteristics[made["characteristicId"]] = (address, uuid)
        self._say("simulateGATTOperationResponse", address=address, type=asked["type"], code=code)

    def _on_characteristic(self, asked: dict[str, Any]) -> None:
        address, uuid = self._characteristics[asked["characteristicId"]]
        answer: dict[str, Any] = {"characteristicId": asked["characteristicId"], "type": asked["type"], "code": 0}
        try:
            if asked["type"] == "write":
                self._services[address].write(uuid, base64.b64decode(asked["data"]))
            else:
                answer["data"] = base64.b64encode(self._services[address].read(uuid)).decode()
        except MessageRejected:
            answer["code"] = APPLICATION_ERROR
        self._say("simulateCharacteristicOperationResponse", **answer)

    def _say(self, command: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._session.send(f"BluetoothEmulation.{command}", parameters)
        return answer
