"""Phone codes, tokens, sessions."""

from __future__ import annotations

from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Flag, Id, Moment, Text, Whole

REFRESH_TOKEN = "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01.kVx2c0uXbq7m4n1TtqBzjA"


class CodeAsked(Input):
    phone = Text("手机号", "Mobile number", "+86 199 0000 0001", most=32, required=True)


class CodeSent(Output):
    resend_after_seconds = Whole("多少秒后可以再取", "Seconds until another code may be asked for", 60)
    phone_masked = Text("手机号（遮盖）", "The number, masked", "199******01")


class SignIn(Input):
    phone = Text("手机号", "Mobile number", "+86 199 0000 0001", most=32, required=True)
    code = Text("短信验证码", "The code of the message", "123456", most=12, required=True)


class Refresh(Input):
    refresh_token = Text("刷新令牌", "Refresh token, good once", REFRESH_TOKEN, most=160, required=True)


class Tokens(Output):
    access_token = Text(
        "访问令牌", "Access token (JWT, ES256)", "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln", most=4000
    )
    token_type = Choice("令牌类型", "Kind of token", "Bearer", ("Bearer",))
    expires_in = Whole("访问令牌有效秒数", "Life of the access token in seconds", 900)
    refresh_token = Text("刷新令牌", "Refresh token, good once", REFRESH_TOKEN)
    session_id = Id("会话编号", "Id of the session")
    refresh_expires_at = Moment("刷新令牌到期", "End of the refresh token", "2026-12-23T06:30:00+00:00")


class SessionShown(Output):
    id = Id("会话编号", "Id of the session")
    kind = Choice("类型", "Browser page or app", "api", ("page", "api"))
    user_agent = Text("设备", "What it called itself", "AnjuApp/1.0 (Android 15)", least=0)
    created_at = Moment("登录时间", "Signed in at")
    last_seen_at = Moment("最近使用", "Last used at")
    current = Flag("是否当前会话", "Whether it is the one calling")
