"""What a face check may say: each reason as a sentence and a tip, Chinese first, English second.

Sentences speak about the picture, never about the person.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FaceReason:
    """One reason with what to do about it. `subject`: 'document', 'live' or 'result'."""

    subject: str
    zh: str
    en: str
    tip_zh: str
    tip_en: str


def _document(zh: str, en: str, tip_zh: str, tip_en: str) -> FaceReason:
    return FaceReason("document", zh, en, tip_zh, tip_en)


def _live(zh: str, en: str, tip_zh: str, tip_en: str) -> FaceReason:
    return FaceReason("live", zh, en, tip_zh, tip_en)


def _result(zh: str, en: str, tip_zh: str, tip_en: str) -> FaceReason:
    return FaceReason("result", zh, en, tip_zh, tip_en)


_RECORD_AGAIN = ("请保持应用在前台，再录一次。", "Keep the app in front and record again.")
_OTHER_WAYS = (
    "也可以去窗口、预约视频，或请房东当面证明。",
    "You can also go to a window, book a video call, or ask your landlord to attest face to face.",
)

FACE_REASONS: dict[str, FaceReason] = {
    # the document's picture
    "document_missing": _document(
        "没有收到证件照片。", "No picture of the document arrived.",
        "请拍摄证件人像面。", "Photograph the portrait side of the document."),
    "document_unknown_kind": _document(
        "这个文件不是可用的照片。", "This file is not a usable picture.",
        "请用 JPEG、PNG 或 WebP 照片。", "Use a JPEG, PNG or WebP picture."),
    "document_damaged": _document(
        "照片文件不完整，打不开。", "The picture file is incomplete and cannot be opened.",
        "请重新拍摄后再上传。", "Take it again and send it."),
    "document_too_large": _document(
        "照片太大。", "The picture is too large.",
        "请用 10 MB、5000 万像素以内的照片。", "Use a picture of at most 10 MB and 50 megapixels."),
    "document_too_small": _document(
        "照片尺寸太小。", "The picture is too small.",
        "请直接拍摄证件，不要用缩略图。", "Photograph the document itself, not a thumbnail."),
    "document_animated": _document(
        "这是动图，不是一张照片。", "This is an animation, not one picture.",
        "请拍一张普通照片。", "Take one ordinary picture."),
    "document_mixed": _document(
        "文件里除了照片还有别的内容。", "The file holds something else besides the picture.",
        "请用手机相机直接拍摄。", "Take it with the phone's camera."),
    "document_no_face": _document(
        "证件照片上没有找到人像。", "No portrait was found in the picture of the document.",
        "请拍人像面，放平、对正、光线充足。", "Photograph the portrait side, flat, straight and well lit."),
    "document_several_faces": _document(
        "照片里有不止一张人脸。", "The picture shows more than one face.",
        "请只拍证件本身。", "Photograph the document alone."),
    "document_face_small": _document(
        "证件上的人像太小。", "The portrait on the document is too small.",
        "请靠近一些，让证件占满画面。", "Come closer, so that the document fills the picture."),
    "document_face_smallish": _document(
        "证件上的人像偏小，需要工作人员看一下。", "The portrait on the document is rather small; a person will look.",
        "靠近一些重拍，可能就不需要等。", "Taken from nearer, it may need no waiting."),
    "document_soft": _document(
        "证件照片不够清晰，需要工作人员看一下。", "The picture of the document is not quite sharp; a person will look.",
        "擦净镜头、拿稳重拍，可能就不需要等。",
        "Taken again with a clean lens and a steady hand, it may need no waiting."),
    "document_blurred": _document(
        "证件照片模糊。", "The picture of the document is blurred.",
        "请擦净镜头，拿稳后再拍。", "Wipe the lens and hold still."),
    "document_dark": _document(
        "证件照片太暗。", "The picture of the document is too dark.",
        "请到亮处再拍。", "Go where there is more light."),
    "document_bright": _document(
        "证件上有反光或过亮。", "The document shines or is too bright.",
        "请避开灯光直射，换个角度。", "Avoid direct light, or tilt it a little."),
    "document_turned": _document(
        "证件上的人像不是正面。", "The portrait on the document is not frontal.",
        "请正对证件拍摄。", "Hold the camera straight above the document."),
    "document_tilted": _document(
        "证件拍歪了。", "The document is tilted.",
        "请把证件放正再拍。", "Straighten the document and take it again."),
    "document_cut": _document(
        "证件上的人像没有拍全。", "The portrait on the document is cut off.",
        "请把整张证件拍进画面。", "Fit the whole document into the picture."),
    # the live frames
    "challenge_late": _live(
        "动作提示已过期。", "The movements were asked for too long ago.",
        "请重新开始录制。", "Start the recording again; new movements will be shown."),
    "frames_missing": _live(
        "没有收到自拍画面。", "No live frames arrived.", "请按提示录制自拍。", "Record yourself as the page asks."),
    "frames_too_few": _live(
        "录制时间太短。", "The recording is too short.", "请做完三个动作再停止。", "Finish all three movements."),
    "frames_too_many": _live("录制的画面太多。", "The recording has too many frames.", *_RECORD_AGAIN),
    "frames_out_of_order": _live(
        "录制的时间顺序不对。", "The times of the recording are out of order.", *_RECORD_AGAIN),
    "frames_too_long": _live(
        "录制超过 20 秒。", "The recording took more than 20 seconds.",
        "请看到提示就做动作。", "Make each movement as soon as it is asked."),
    "frames_interrupted": _live("录制中断过。", "The recording was interrupted.", *_RECORD_AGAIN),
    "frames_repeated": _live("录制里有重复的画面。", "The recording repeats frames.", *_RECORD_AGAIN),
    "frame_unknown_kind": _live(
        "自拍画面的格式不对。", "A live frame is not a JPEG picture.",
        "请用页面打开的相机录制。", "Record with the camera the page opens."),
    "frame_damaged": _live("有一帧画面损坏。", "A live frame is damaged.", *_RECORD_AGAIN),
    "frame_too_large": _live(
        "自拍画面太大。", "A live frame is too large.",
        "请用页面打开的相机录制。", "Record with the camera the page opens."),
    "frame_too_small": _live(
        "自拍画面太小。", "A live frame is too small.",
        "请用页面打开的相机录制。", "Record with the camera the page opens."),
    "frame_animated": _live(
        "这是动图，不是一帧画面。", "This is an animation, not one frame.",
        "请用页面打开的相机录制。", "Record with the camera the page opens."),
    "frame_mixed": _live(
        "画面文件里还有别的内容。", "A live frame holds something else besides the picture.",
        "请用页面打开的相机录制。", "Record with the camera the page opens."),
    "face_lost": _live(
        "有几帧没有拍到您的脸。", "Your face was not seen in every frame.",
        "请让脸留在圆框内，转头不要太多，光线充足。",
        "Keep your face in the circle, do not turn too far, and mind the light."),
    "face_not_alone": _live(
        "画面里不止一个人。", "There is more than one person in the picture.",
        "请单独一人录制，背景不要有人像。", "Record alone, with no other face or portrait behind you."),
    "face_far": _live(
        "离镜头太远。", "Your face is too far from the camera.", "请靠近一些。", "Come a little closer."),
    "face_soft": _live(
        "自拍画面不够清晰，需要工作人员看一下。", "The live picture is not quite sharp; a person will look.",
        "擦净镜头、光线好一些再录，可能就不需要等。",
        "Recorded again with a clean lens and better light, it may need no waiting."),
    "face_sideways": _live(
        "画面是横着的。", "The picture lies on its side.",
        "请把手机竖直拿好；如果仍然横着，请打开手机的自动旋转。",
        "Hold the phone upright; if it stays that way, switch on the phone's automatic rotation."),
    "face_blurred": _live(
        "画面模糊。", "The picture is blurred.", "请擦净镜头，拿稳手机。", "Wipe the lens and hold the phone still."),
    "face_dark": _live(
        "光线太暗。", "It is too dark.", "请面向窗户或灯光。", "Face a window or a lamp."),
    "face_bright": _live(
        "光线太亮。", "It is too bright.", "请避开直射的光。", "Avoid direct light."),
    "face_turned": _live(
        "没有足够的正面画面。", "There are too few frontal frames.",
        "每做完一个动作，请看回镜头。", "Look back into the camera after each movement."),
    "face_tilted": _live(
        "头歪得太多。", "Your head is tilted too far.", "请把手机和头摆正。", "Hold the phone and your head straight."),
    "face_cut": _live(
        "脸没有拍全。", "Your face is cut off.", "请让脸留在圆框内。", "Keep your whole face in the circle."),
    "faces_differ": _live(
        "录制前后像是换了人。", "The face seems to change during the recording.",
        "请由本人从头录到尾，不要遮挡。", "Record yourself from beginning to end, without covering your face."),
    "turn_left_not_seen": _live(
        "没有看到向左转头。", "The turn to your left was not seen.",
        "请向自己的左边多转一点，再转回来。", "Turn a little further to your own left, then back."),
    "turn_right_not_seen": _live(
        "没有看到向右转头。", "The turn to your right was not seen.",
        "请向自己的右边多转一点，再转回来。", "Turn a little further to your own right, then back."),
    "open_mouth_not_seen": _live(
        "没有看到张嘴。", "Opening the mouth was not seen.",
        "先闭上嘴，再张大，然后闭上。", "Close your mouth first, open it wide, then close it."),
    "close_eyes_not_seen": _live(
        "没有看到闭眼。", "Closing the eyes was not seen.",
        "请闭眼约一秒再睁开；反光的眼镜请摘下。",
        "Close your eyes for about a second, then open them; take off glasses that shine."),
    "movements_out_of_order": _live(
        "动作顺序不对。", "The movements came in another order.",
        "请按页面显示的顺序做。", "Make them in the order shown."),
    "movements_unasked": _live(
        "做了没有要求的动作。", "There were movements nobody asked for.",
        "请只做页面要求的三个动作。", "Make only the three movements shown."),
    # the comparison
    "same_picture": _result(
        "自拍与证件像是同一张照片，需要工作人员看一下。",
        "The live picture and the document look like the same photograph; a person will look.", *_OTHER_WAYS),
    "likeness_unsure": _result(
        "系统不能确定，需要工作人员看一下。", "The comparison is not sure; a person will look.", *_OTHER_WAYS),
    "likeness_low": _result(
        "系统没有认出自拍与证件是同一人。", "The comparison did not find the same person in both pictures.",
        "可在光线好的地方重拍，摘下眼镜和帽子。" + _OTHER_WAYS[0],
        "Try again in good light, without glasses or hat. " + _OTHER_WAYS[1]),
}  # fmt: skip
