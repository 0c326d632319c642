"""The simulated app: a person sees who asks and what will be told, and confirms, refuses, or lets it run out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, current_app, render_template, request

from backend.netid.calls import requests

pages = Blueprint("pages", __name__)

WORDS: dict[str, tuple[str, str]] = {
    "title": ("国家网络身份认证（模拟）", "National network identity (stand-in)"),
    "about": (
        "这是国家网络身份认证公共服务的替身，用于演示与测试：它代替您手机上的认证应用。",
        "This stands in for the national network identity service, for demonstration and tests: it takes the place of "
        "the app on your phone.",
    ),
    "asks": ("请求方", "Who asks"),
    "told": ("会告诉对方", "What they will be told"),
    "only": (
        "只有一个结果：是本人，或不是。没有号码、姓名和照片。",
        "One word: it is you, or not. No number, name or picture.",
    ),
    "confirm": ("用我的网号确认", "Confirm with my network number"),
    "refuse": ("拒绝", "Refuse"),
    "until": ("有效到（北京时间）", "Good until (China time)"),
    "wait": ("不点任何按钮，到时自动过期。", "Press nothing and it runs out by itself."),
    "gone": ("这个请求已处理或已过期。", "This request has been answered or has expired."),
    "again": ("请回到安居重新开始，或选其他方式。", "Go back to Anju and start again, or choose another way."),
    "done": ("已确认", "Confirmed"),
    "refused": ("已拒绝", "Refused"),
    "back": ("返回安居", "Back to Anju"),
    "waiting": ("正在等待确认的请求", "Requests waiting for a person"),
    "switch": ("English", "中文"),
}


@pages.get("/")
def home() -> str:
    """What this is."""
    return render_template("home.html", count=requests().count(), **_words())


@pages.route("/confirm/<page>", methods=["GET", "POST"])
def confirm(page: str) -> tuple[str, int]:
    """Ask the person; afterwards the way back, with the ticket."""
    waiting, ticket = requests().find(page), None
    if request.method == "POST" and waiting is not None:
        ticket = requests().answer(page, confirmed=request.form.get("answer") == "confirm")
    if waiting is None or (waiting.ticket_hash is not None and ticket is None):
        return render_template("gone.html", **_words()), 410
    if ticket is not None:
        mark = "&" if "?" in waiting.return_to else "?"
        back = f"{waiting.return_to}{mark}ticket={ticket}"
        return render_template("done.html", back=back, confirmed=waiting.confirmed, **_words()), 200
    asker = urlsplit(waiting.return_to).netloc
    until = current_app.extensions["netid_words_of_time"](waiting.expires_at)
    return render_template("confirm.html", asker=asker, until=until, page=page, **_words()), 200


def _words() -> dict[str, object]:
    english = request.args.get("lang") == "en"
    return {
        "lang": "en" if english else "zh-CN",
        "other": "zh" if english else "en",
        "t": {key: pair[english] for key, pair in WORDS.items()},
    }
