"""Signing in with a phone: codes, tokens, sessions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import request

from backend.services import sign_ins
from backend.web import language
from mobile_api.api.callers import me, my_session, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.sign_ins import CodeAsked, CodeSent, Refresh, SessionShown, SignIn, Tokens

blueprint = Blueprint("sign_ins", "登录", "Sign-in")


@blueprint.post("/auth/codes")
@blueprint.arguments(CodeAsked)
@blueprint.response(202, CodeSent)
@blueprint.refuses("phone.invalid", "code.too_soon", "code.too_many")
def ask_code(body: dict[str, Any]) -> Any:
    """Ask for a code by text message.

    获取短信验证码：六位数字，五分钟内有效，可试五次。
    """
    return sign_ins.request_phone_code(world(), phone=body["phone"])


@blueprint.post("/auth/sessions")
@blueprint.arguments(SignIn)
@blueprint.response(201, Tokens)
@blueprint.refuses("phone.invalid", "code.wrong", "code.expired", "code.locked")
def sign_in(body: dict[str, Any]) -> Any:
    """Exchange phone and code for tokens; the first time, this makes the account.

    登录：用手机号和验证码换取令牌；首次登录即建立账号。
    """
    return _tokens(sign_ins.sign_in(world(), **body, kind="api", user_agent=_device(), language=language()))


@blueprint.post("/auth/refresh")
@blueprint.arguments(Refresh)
@blueprint.response(200, Tokens)
@blueprint.refuses("unauthenticated")
def refresh(body: dict[str, Any]) -> Any:
    """Exchange the refresh token for new tokens; used twice, it ends the session.

    更换令牌：刷新令牌只能用一次，重复使用会结束会话。
    """
    session_id, _, secret = body["refresh_token"].partition(".")
    return _tokens(sign_ins.refresh(world(), session_id=session_id, secret=secret, user_agent=_device()))


@blueprint.get("/auth/sessions")
@blueprint.response(200, SessionShown(many=True))
def list_sessions() -> Any:
    """List the phones and browsers that are signed in.

    查看已登录的设备。
    """
    sessions = sign_ins.list_sessions(world(), account_id=me())
    return [{**asdict(each), "current": each.id == my_session()} for each in sessions]


@blueprint.delete("/auth/sessions/<id:session_id>")
@blueprint.response(204)
def end_session(session_id: str) -> None:
    """End one of one's own sessions; its tokens die at once.

    退出一台设备：它的令牌立即失效。
    """
    sign_ins.sign_out(world(), account_id=me(), session_id=session_id)


def _tokens(signed: sign_ins.SignedIn) -> dict[str, Any]:
    return {
        "access_token": sign_ins.access_token(world(), signed),
        "token_type": "Bearer",
        "expires_in": int(world().house.access_token_life.total_seconds()),
        "refresh_token": f"{signed.session_id}.{signed.secret}",
        "session_id": signed.session_id,
        "refresh_expires_at": signed.expires_at,
    }


def _device() -> str:
    return request.headers.get("User-Agent", "")
